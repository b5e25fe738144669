/**
 * What happens to results that overlap, before anything is replaced: equal types are merged, contained ones dropped, of
 * equal places the better score stays; partly overlapping types both stay unless intersections are to be removed.
 * Presidio compares every pair; here each rule is one pass over sorted spans, so that many results cost no more than
 * sorting them. Property tests compare the passes with the pairwise rules.
 */
import { compareScores } from './entity.ts';
import type { Entity } from './entity.ts';

/** `remove_intersections` also cuts partial overlaps, at the expense of the lower score. */
export type ConflictResolution = 'merge_similar_or_contained' | 'remove_intersections';

/** Sorted copies without the conflicts the strategy resolves. The given entities are not changed. */
export function resolveConflicts(entities: readonly Entity[], strategy: ConflictResolution): Entity[] {
  const sorted = entities.map((entity) => ({ ...entity })).sort((a, b) => a.start - b.start || a.end - b.end);
  const kept = dropContained(mergeSameType(sorted));
  return strategy === 'remove_intersections' ? removeIntersections(kept) : kept;
}

/** Each is swallowed by the next one of its type that it overlaps, so of a chain the last one stays, with the span of all. */
function mergeSameType(sorted: readonly Entity[]): Entity[] {
  const nextOfType = new Map<string, Entity>();
  const swallowed = new Set<Entity>();
  // Forwards, so that a span that has grown is compared with the one after it.
  for (const entity of sorted) {
    // Empty spans overlap nothing.
    if (entity.start === entity.end) continue;
    const before = nextOfType.get(entity.entityType);
    if (before !== undefined && before.end > entity.start) {
      entity.start = before.start;
      entity.end = Math.max(entity.end, before.end);
      if (compareScores(before, entity) > 0) entity.score = before.score;
      swallowed.add(before);
    }
    nextOfType.set(entity.entityType, entity);
  }
  return sorted.filter((entity) => !swallowed.has(entity));
}

/** Drops what lies inside another span; of equal spans the best score stays, the last of those. */
function dropContained(entities: readonly Entity[]): Entity[] {
  const winners = new Map<string, Entity>();
  for (const entity of entities) {
    const place = `${String(entity.start)} ${String(entity.end)}`;
    const best = winners.get(place);
    if (best === undefined || compareScores(best, entity) <= 0) winners.set(place, entity);
  }
  const outermost = new Set<Entity>();
  let reach = -1;
  for (const entity of [...winners.values()].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (entity.end > reach) outermost.add(entity);
    reach = Math.max(reach, entity.end);
  }
  return entities.filter((entity) => outermost.has(entity));
}

function removeIntersections(entities: readonly Entity[]): Entity[] {
  const spans = entities.toSorted((a, b) => a.start - b.start);
  for (let index = 0; index < spans.length - 1;) {
    const [current, next] = [spans[index], spans[index + 1]];
    if (current === undefined || next === undefined) break;
    if (current.end <= next.start) {
      index += 1;
      continue;
    }
    if (compareScores(current, next) >= 0) {
      next.start = current.end;
      sinkInto(spans, index + 1);
    } else current.end = next.start;
  }
  return spans.filter(({ start, end }) => start <= end);
}

/** Moves a span whose start has grown behind those that now start earlier. */
function sinkInto(spans: Entity[], from: number): void {
  const moved = spans[from];
  if (moved === undefined) return;
  let at = from;
  for (let after = spans[at + 1]; after !== undefined && after.start < moved.start; after = spans[at + 1]) {
    spans[at] = after;
    at += 1;
  }
  spans[at] = moved;
}

/** A line of spaces, with at most one line end after it. */
const ONLY_SPACES = /^ +\n?$/;

/** Joins neighbours of one type with nothing but spaces between them, as first and last names are found. */
export function mergeAcrossSpaces(
  entities: readonly Entity[],
  slice: (start: number, end: number) => string,
): Entity[] {
  const merged: Entity[] = [];
  for (const entity of entities) {
    const before = merged.at(-1);
    if (
      before?.entityType === entity.entityType &&
      before.end < entity.start &&
      ONLY_SPACES.test(slice(before.end, entity.start))
    ) {
      merged.pop();
      entity.start = before.start;
    }
    merged.push(entity);
  }
  return merged;
}
