import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { policyDecision, readDecision } from '../../policies/decision.ts';
import { combineBundles, mergeObligations, OBLIGATION_TYPES, uniteCandidates } from '../../policies/index.ts';
import type { Decision, Obligation, Reason } from '../../policies/index.ts';

const word = fc.constantFrom('a', 'b', 'c', 'd');
const words = fc.uniqueArray(word, { minLength: 1, maxLength: 3 });
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });

const obligation: fc.Arbitrary<Obligation> = fc
  .oneof(
    fc.record({
      type: fc.constant('redact' as const),
      types: words,
      operator: fc.constantFrom(
        'redact' as const,
        'replace' as const,
        'hash' as const,
        'mask' as const,
        'tokenize' as const,
      ),
      paths: optional(words),
    }),
    fc.record({
      type: fc.constant('route' as const),
      models: optional(words),
      regions: optional(words),
      hosting: optional(words),
    }),
    fc.record({ type: fc.constant('limit' as const), max_tokens: optional(fc.integer({ min: 1, max: 9 })) }),
    fc.record({ type: fc.constant('strip_tools' as const), names: words }),
    fc.constant({ type: 'buffer' as const }),
    fc.record({ type: fc.constant('disclose' as const), text: word }),
    fc.record({ type: fc.constant('label' as const), add: words }),
    fc.record({
      type: fc.constant('record' as const),
      content: fc.constantFrom('none' as const, 'digest' as const, 'redacted' as const, 'full' as const),
      retention_days: optional(fc.nat(9)),
    }),
  )
  .map((value) => JSON.parse(JSON.stringify(value)) as Obligation);

const reason: fc.Arbitrary<Reason> = fc.record({
  rule: word,
  title: word,
  message: word,
  severity: fc.constantFrom('info' as const, 'low' as const, 'medium' as const, 'high' as const, 'critical' as const),
  controls: words,
  path: word,
});

const decision: fc.Arbitrary<Decision> = fc.record({
  effect: fc.constantFrom('allow' as const, 'deny' as const, 'require_approval' as const),
  reasons: fc.array(reason, { maxLength: 3 }),
  obligations: fc.array(obligation, { maxLength: 4 }),
  user_message: word,
});

const decisions = fc.array(decision, { minLength: 1, maxLength: 4 });
const rank = { allow: 0, require_approval: 1, deny: 2 } as const;

describe('combineBundles', () => {
  test('the order of bundles does not matter', () => {
    fc.assert(
      fc.property(decisions, (list) => {
        expect(combineBundles(list.toReversed())).toEqual(combineBundles(list));
      }),
    );
  });

  test('combining what was combined changes nothing, and in steps is the same as at once', () => {
    fc.assert(
      fc.property(decisions, decision, (list, last) => {
        const once = combineBundles(list);
        expect(combineBundles([once, once])).toEqual(once);
        const steps = combineBundles([once, last]);
        const whole = combineBundles([...list, last]);
        expect({ ...steps, user_message: '', reasons: [] }).toEqual({ ...whole, user_message: '', reasons: [] });
      }),
    );
  });

  test('no bundle can loosen what another asks', () => {
    fc.assert(
      fc.property(decisions, decision, (list, more) => {
        const before = combineBundles(list);
        const after = combineBundles([...list, more]);
        expect(rank[after.effect]).toBeGreaterThanOrEqual(rank[before.effect]);
        const [loose, strict] = [mergeObligations(before.obligations), mergeObligations(after.obligations)];
        expect(strict.maxTokens ?? 99).toBeLessThanOrEqual(loose.maxTokens ?? 99);
        expect(strict.stripTools).toEqual(expect.arrayContaining(loose.stripTools));
        expect(strict.disclose).toEqual(expect.arrayContaining(loose.disclose));
        expect(strict.buffer || !loose.buffer).toBe(true);
        for (const rule of loose.redact) {
          const same = strict.redact.find(
            (one) => one.operator === rule.operator && String(one.paths) === String(rule.paths),
          );
          expect(same?.types).toEqual(expect.arrayContaining(rule.types));
        }
      }),
    );
  });

  test('the result is a decision again', () => {
    fc.assert(
      fc.property(decisions, (list) => {
        expect(policyDecision.safeParse(combineBundles(list)).success).toBe(true);
      }),
    );
  });

  test('regions without any in common deny', () => {
    const of = (regions: string[]): Decision => ({ ...ALLOW, obligations: [{ type: 'route', regions }] });
    expect(combineBundles([of(['eu', 'us']), of(['us', 'uk'])])).toMatchObject({
      effect: 'allow',
      obligations: [{ type: 'route', regions: ['us'] }],
    });
    expect(combineBundles([of(['eu']), of(['us'])])).toMatchObject({
      effect: 'deny',
      reasons: [{ rule: 'combine.route' }],
    });
  });
});

const ALLOW: Decision = { effect: 'allow', reasons: [], obligations: [], user_message: '' };
const DENY: Decision = {
  effect: 'deny',
  reasons: [{ rule: 'r', title: 't', message: 'no', severity: 'high', controls: [], path: '' }],
  obligations: [{ type: 'record', content: 'digest' }],
  user_message: 'no',
};
const places = [
  { deployment: 'openai/gpt', model: 'gpt', region: 'us', hosting: 'external' },
  { deployment: 'azure/gpt', model: 'gpt', region: 'eu', hosting: 'external' },
  { deployment: 'local/llama', model: 'llama', region: 'local', hosting: 'local' },
];
const results = (...decisionsOrNull: (Decision | null)[]): Parameters<typeof uniteCandidates>[0] =>
  decisionsOrNull.map((one, i) => ({
    deployment: places[i]?.deployment ?? '',
    evaluation:
      one === null
        ? { outcome: 'undecided', code: 'fuel', detail: 'x' }
        : { outcome: 'decided', decision: one, fired: [] },
  }));

describe('uniteCandidates', () => {
  test('the allowed set is what was allowed; denied and undecided candidates are left out', () => {
    expect(uniteCandidates(results(DENY, ALLOW, ALLOW), places)).toMatchObject({
      effect: 'allow',
      allowed: ['azure/gpt', 'local/llama'],
      reasons: [],
    });
    expect(uniteCandidates(results(null, ALLOW, DENY), places)).toMatchObject({
      effect: 'allow',
      allowed: ['azure/gpt'],
    });
  });

  test('none allowed is a denial with its reasons and record; none decided is undecided', () => {
    expect(uniteCandidates(results(DENY, DENY, null), places)).toMatchObject({
      effect: 'deny',
      allowed: [],
      reasons: [{ rule: 'r' }],
      user_message: 'no',
      obligations: { record: { content: 'digest' } },
    });
    expect(uniteCandidates(results(null, null), places)).toEqual({ outcome: 'undecided', code: 'fuel', detail: 'x' });
    expect(uniteCandidates([], places)).toMatchObject({ outcome: 'undecided' });
  });

  test('approval is asked only when nothing is allowed without it', () => {
    const ask: Decision = { ...DENY, effect: 'require_approval' };
    expect(uniteCandidates(results(ask, ALLOW, DENY), places)).toMatchObject({
      effect: 'allow',
      allowed: ['azure/gpt'],
    });
    expect(uniteCandidates(results(ask, DENY, ask), places)).toMatchObject({
      effect: 'require_approval',
      allowed: ['openai/gpt', 'local/llama'],
    });
  });

  test('routes narrow the allowed set, by model or deployment, region and hosting; nothing left denies', () => {
    const via = (...routes: Obligation[]): ReturnType<typeof uniteCandidates> =>
      uniteCandidates(results({ ...ALLOW, obligations: routes }, ALLOW, ALLOW), places);
    expect(via({ type: 'route', regions: ['eu', 'local'] })).toMatchObject({ allowed: ['azure/gpt', 'local/llama'] });
    expect(via({ type: 'route', models: ['gpt'] })).toMatchObject({ allowed: ['openai/gpt', 'azure/gpt'] });
    expect(
      via({ type: 'route', models: ['gpt'] }, { type: 'route', models: ['azure/gpt', 'local/llama'] }),
    ).toMatchObject({ allowed: ['azure/gpt'] });
    expect(via({ type: 'route', models: ['gpt'], hosting: ['local'] })).toMatchObject({
      effect: 'deny',
      allowed: [],
      reasons: [{ rule: 'combine.route' }],
    });
    expect(via({ type: 'route', models: [] })).toMatchObject({ effect: 'deny' });
  });

  test('one enforced body is safe for every allowed deployment', () => {
    const redact = (operator: 'mask' | 'redact', types: string[]): Decision => ({
      ...ALLOW,
      obligations: [{ type: 'redact', types, operator }],
    });
    const united = uniteCandidates(
      results(redact('mask', ['B', 'A']), redact('redact', ['A']), redact('mask', ['C'])),
      places,
    );
    expect(united).toMatchObject({
      obligations: {
        redact: [
          { operator: 'redact', types: ['A'] },
          { operator: 'mask', types: ['A', 'B', 'C'] },
        ],
      },
    });
  });

  test('undecided never widens, whatever the decisions are', () => {
    fc.assert(
      fc.property(fc.array(fc.option(decision), { minLength: 1, maxLength: 3 }), (list) => {
        const united = uniteCandidates(results(...list), places);
        if ('outcome' in united) {
          expect(list.every((one) => one === null)).toBe(true);
          return;
        }
        const may = list.flatMap((one, i) => (one !== null && one.effect !== 'deny' ? [places[i]?.deployment] : []));
        expect(may).toEqual(expect.arrayContaining(united.allowed));
        expect(united.effect === 'deny').toBe(united.allowed.length === 0);
      }),
    );
  });
});

describe('mergeObligations', () => {
  test('goes to the stricter side', () => {
    const merged = mergeObligations([
      { type: 'limit', max_tokens: 5 },
      { type: 'limit', max_tokens: 3 },
      { type: 'limit' },
      { type: 'record', content: 'full', retention_days: 5 },
      { type: 'record', content: 'digest', retention_days: 90 },
      { type: 'label', add: ['b', 'a'] },
      { type: 'label', add: ['a'] },
    ]);
    expect(merged).toMatchObject({
      maxTokens: 3,
      record: { content: 'digest', retentionDays: 90 },
      labels: ['a', 'b'],
    });
    expect(mergeObligations([])).toEqual({
      redact: [],
      maxTokens: null,
      stripTools: [],
      buffer: false,
      disclose: [],
      labels: [],
      route: [],
      record: { content: 'digest', retentionDays: null },
    });
  });

  test('order does not matter', () => {
    fc.assert(
      fc.property(fc.array(obligation, { maxLength: 8 }), (list) => {
        expect(mergeObligations(list.toReversed())).toEqual(mergeObligations(list));
      }),
    );
  });
});

describe('readDecision', () => {
  test('every obligation type the gateway knows is read, any other is undecided', () => {
    expect([...OBLIGATION_TYPES].toSorted()).toEqual([
      'buffer',
      'disclose',
      'label',
      'limit',
      'record',
      'redact',
      'route',
      'strip_tools',
    ]);
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.array(obligation), (type, known) => {
        fc.pre(!OBLIGATION_TYPES.includes(type));
        const read = readDecision({ ...ALLOW, obligations: [...known, { type }] }, 'b');
        expect(read).toMatchObject({ outcome: 'undecided', code: 'unknown_obligation' });
      }),
    );
  });

  test('nothing a policy answers makes it throw', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(readDecision(value, 'b').outcome).toBe('undecided');
      }),
    );
  });
});
