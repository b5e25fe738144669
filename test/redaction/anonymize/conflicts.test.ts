/** The passes over sorted spans against the rule they stand for: every result compared with every other. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { resolveConflicts } from '../../../redaction/anonymize/conflicts.ts';
import { hasConflict, intersects } from '../../../redaction/anonymize/entity.ts';
import type { Entity } from '../../../redaction/anonymize/entity.ts';

const entity = fc
  .record({
    start: fc.nat({ max: 12 }),
    length: fc.nat({ max: 6 }),
    entityType: fc.constantFrom('A', 'B', 'C'),
    score: fc.constantFrom(0, 0.5, 1),
  })
  .map(({ start, length, entityType, score }): Entity => ({ start, end: start + length, entityType, score }));

/** Pair by pair, in the order given; whatever is left of both lists is compared with. */
function pairwise(entities: readonly Entity[]): Entity[] {
  const sorted = entities.map((one) => ({ ...one })).sort((a, b) => a.start - b.start || a.end - b.end);
  const merged: Entity[] = [];
  let others = [...sorted];
  for (const one of sorted) {
    others = others.filter((other) => other !== one);
    const into = others.find((other) => other.entityType === one.entityType && intersects(one, other) !== 0);
    if (into === undefined) {
      others.push(one);
      merged.push(one);
    } else {
      into.start = Math.min(into.start, one.start);
      into.end = Math.max(into.end, one.end);
      into.score = Math.max(into.score, one.score);
    }
  }
  const kept: Entity[] = [];
  others = [...merged];
  for (const one of merged) {
    others = others.filter((other) => other !== one);
    if (others.some((other) => hasConflict(one, other))) continue;
    others.push(one);
    kept.push(one);
  }
  return kept;
}

test('merging and dropping give what comparing all pairs gives', () => {
  fc.assert(
    fc.property(fc.array(entity, { maxLength: 12 }), (entities) => {
      expect(resolveConflicts(entities, 'merge_similar_or_contained')).toEqual(pairwise(entities));
    }),
    { numRuns: 3000 },
  );
});

test('without intersections no two spans share a character, and nothing outside them is covered', () => {
  fc.assert(
    fc.property(fc.array(entity, { maxLength: 10 }), (entities) => {
      const spans = resolveConflicts(entities, 'remove_intersections').filter(({ start, end }) => start < end);
      for (const [index, span] of spans.entries()) {
        for (const other of spans.slice(index + 1)) expect(intersects(span, other)).toBe(0);
        expect(entities.some((one) => one.start <= span.start && span.start < one.end)).toBe(true);
      }
    }),
    { numRuns: 1000 },
  );
});

test('ten thousand results cost no more than sorting them', () => {
  const entities = Array.from({ length: 10_000 }, (_, index): Entity => {
    const start = (index * 7919) % 100_000;
    return { start, end: start + 40, entityType: ['A', 'B', 'C'][index % 3] ?? 'A', score: (index % 10) / 10 };
  });
  const startMs = performance.now();
  resolveConflicts(entities, 'merge_similar_or_contained');
  const oneMs = performance.now() - startMs;
  const again = performance.now();
  entities.slice(0, 1000).forEach((one) => entities.forEach((other) => hasConflict(one, other)));
  // A tenth of all pairs.
  expect(oneMs).toBeLessThan((performance.now() - again) * 10);
});
