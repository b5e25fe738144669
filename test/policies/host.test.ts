import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPdp } from '../../policies/index.ts';
import type { Bundle, Evaluation, Pdp, PolicyInput } from '../../policies/index.ts';
import { meterModule } from '../../policies/wasm/meter.ts';
import { requestInput } from './facts.ts';
import { baseline, compileRego, findTools, required, shipped } from './toolchain.ts';

/** Each way a policy can fail to decide, produced by a policy that really fails that way. */
const tools = await findTools();
const run = test.skipIf(tools === null);

const ENTRY = '# METADATA\n# entrypoint: true';
const ALLOW = '{"effect": "allow", "reasons": [], "obligations": [], "user_message": ""}';

async function policy(
  rego: string,
  options: { memoryPages?: number; fuel?: number; data?: object } = {},
): Promise<Pdp> {
  const { data, ...limits } = options;
  const bundle = await compileRego(required(tools), 'own', rego, data);
  return createPdp({ bundles: [bundle], tenantData: {}, ...limits });
}

function code(evaluation: Evaluation): string {
  return evaluation.outcome === 'decided' ? evaluation.decision.effect : evaluation.code;
}

const point = (name: string): ReturnType<typeof requestInput> => requestInput({ point: name });

describe('could not decide', () => {
  run('bundle_missing: a name that is not loaded, or no name', async () => {
    const pdp = await policy(`${ENTRY}\ndecision := ${ALLOW}`);
    expect(code(pdp.evaluate(['own'], requestInput()))).toBe('allow');
    expect(code(pdp.evaluate(['other'], requestInput()))).toBe('bundle_missing');
    expect(code(pdp.evaluate(['own', 'other'], requestInput()))).toBe('bundle_missing');
    expect(code(pdp.evaluate([], requestInput()))).toBe('bundle_missing');
  });

  run('undefined: no rule holds', async () => {
    const pdp = await policy(`${ENTRY}\ndecision := ${ALLOW} if input.point == "a"`);
    expect(code(pdp.evaluate(['own'], point('a')))).toBe('allow');
    expect(code(pdp.evaluate(['own'], point('b')))).toBe('undefined');
  });

  run('trap: two values for one rule; the next evaluation is not affected', async () => {
    const pdp = await policy(`${ENTRY}\ndecision := ${ALLOW}\n\ndecision := {} if input.point == "b"`);
    for (let turn = 0; turn < 3; turn += 1) {
      const conflict = pdp.evaluate(['own'], point('b'));
      expect(conflict).toMatchObject({ outcome: 'undecided', code: 'trap' });
      expect(conflict.outcome === 'undecided' ? conflict.detail : '').toMatch(
        /^own: aborted: main\.rego:\d+:\d+: var assignment conflict$/,
      );
      expect(code(pdp.evaluate(['own'], point('a')))).toBe('allow');
    }
  });

  run('memory: an evaluation that wants more than its limit; the next one is not affected', async () => {
    const rego = `${ENTRY}\ndecision := ${ALLOW} if count(numbers.range(1, size)) > 0\n\nsize := 3000000 if {\n\tinput.point == "big"\n} else := 3`;
    const pdp = await policy(rego, { memoryPages: 64, fuel: 2_000_000_000 });
    expect(code(pdp.evaluate(['own'], point('big')))).toBe('memory');
    expect(code(pdp.evaluate(['own'], point('small')))).toBe('allow');
  });

  run('memory: an input that does not fit', async () => {
    const pdp = await policy(`${ENTRY}\ndecision := ${ALLOW} if is_object(input.claimed)`, { memoryPages: 8 });
    const text = 'x'.repeat(1_000_000);
    expect(code(pdp.evaluate(['own'], requestInput({ claimed: { text } })))).toBe('memory');
    expect(code(pdp.evaluate(['own'], requestInput()))).toBe('allow');
  });

  run('fuel: a policy that runs too long stops, always at the same place', async () => {
    const loops = `every a in numbers.range(1, n) {\n\t\tevery b in numbers.range(1, n) {\n\t\t\ta * b > 0\n\t\t}\n\t}`;
    const rego = `${ENTRY}\ndecision := ${ALLOW} if {\n\t${loops}\n}\n\nn := input.request.messages`;
    const pdp = await policy(rego, { fuel: 300_000, memoryPages: 4096 });
    const request = requestInput().request;
    const messages = (count: number): Evaluation =>
      pdp.evaluate(['own'], requestInput({ request: request === null ? null : { ...request, messages: count } }));
    expect(code(messages(5))).toBe('allow');
    expect(code(messages(2000))).toBe('fuel');
    const limit = firstOver((count) => code(messages(count)) === 'fuel', 5, 2000);
    expect(firstOver((count) => code(messages(count)) === 'fuel', 5, 2000)).toBe(limit);
  });

  run('fuel: counts the same in an instance that was used, grew or was replaced as in a new one', async () => {
    const rego = `${ENTRY}\ndecision := ${ALLOW} if {\n\tevery a in numbers.range(1, input.request.messages) {\n\t\tcount(data.tenants.acme.models) + a > 0\n\t}\n}`;
    const bundle = await compileRego(required(tools), 'own', rego);
    const tenantData = { acme: { models: Array.from({ length: 2000 }, (_, i) => `model-${i}`) } };
    const open = (): Promise<Pdp> => createPdp({ bundles: [bundle], tenantData, fuel: 100_000 });
    const messages = (pdp: Pdp, count: number): string => {
      const { request } = requestInput();
      return code(
        pdp.evaluate(['own'], requestInput({ request: request === null ? null : { ...request, messages: count } })),
      );
    };
    const fresh = await open();
    const limit = firstOver((count) => messages(fresh, count) === 'fuel', 5, 20_000);
    const other = await open();
    for (const count of [limit, limit - 1, 20_000, limit - 1, limit, 7, limit - 1, limit, 20_000, limit]) {
      const expected = count < limit ? 'allow' : 'fuel';
      expect([count, messages(other, count)]).toEqual([count, expected]);
    }
  });

  run('fuel: what is shipped, and a thousand rules, need less than a tenth of it', async () => {
    const rules = Array.from(
      { length: 1000 },
      (_, i) => `deny contains "${i}" if input.model.requested == "model-${i}"`,
    );
    const many = `${ENTRY}\ndecision := ${ALLOW} if count(deny) == 0\n\n${rules.join('\n\n')}`;
    const bundles = await Promise.all([
      ...['baseline', 'library', 'agents'].map(shipped),
      compileRego(required(tools), 'many', many),
    ]);
    const tenantData = { acme: { models: ['gpt-*'], regions: ['eu', 'us'], tools: ['read_*'] } };
    const pdp = await createPdp({ bundles, tenantData, fuel: 100_000 });
    const paths = Array.from({ length: 50 }, (_, i) => `/messages/${i}/content`);
    const findings = Array.from({ length: 20 }, (_, i): PolicyInput['findings'][number] => ({
      type: `T${i}`,
      kind: 'pii',
      count: 50,
      max_score: 900,
      paths,
    }));
    for (const { identity } of bundles) {
      expect(pdp.evaluate([identity.name], requestInput()).outcome, identity.name).toBe('decided');
      expect(pdp.evaluate([identity.name], requestInput({ findings })).outcome, identity.name).toBe('decided');
    }
  });

  run('fuel: calls that double at every level, without a loop', async () => {
    const levels = Array.from({ length: 40 }, (_, i) => `f${i}(x) := f${i + 1}(x + 1) + f${i + 1}(x + 2)`);
    const rego = `${ENTRY}\ndecision := ${ALLOW} if f0(input.request.messages) > 0\n\n${levels.join('\n\n')}\n\nf40(x) := x`;
    const pdp = await policy(rego, { fuel: 1_000_000, memoryPages: 4096 });
    expect(code(pdp.evaluate(['own'], requestInput()))).toBe('fuel');
  });

  run.each([
    ['a text', '"allow"'],
    ['true', 'true'],
    ['null', 'null'],
    ['nothing but an effect', '{"effect": "allow"}'],
    ['an effect nobody knows', '{"effect": "maybe", "reasons": [], "obligations": [], "user_message": ""}'],
    ['a member more', '{"effect": "allow", "reasons": [], "obligations": [], "user_message": "", "extra": 1}'],
    [
      'a limit that is no number',
      '{"effect": "allow", "reasons": [], "obligations": [{"type": "limit", "max_tokens": "5"}], "user_message": ""}',
    ],
    [
      'a limit beyond exact numbers',
      '{"effect": "allow", "reasons": [], "obligations": [{"type": "limit", "max_tokens": 99999999999999999999}], "user_message": ""}',
    ],
    [
      'an obligation with a member more',
      '{"effect": "allow", "reasons": [], "obligations": [{"type": "buffer", "until": 1}], "user_message": ""}',
    ],
    [
      'an operator nobody knows',
      '{"effect": "allow", "reasons": [], "obligations": [{"type": "redact", "types": ["pii"], "operator": "rot13"}], "user_message": ""}',
    ],
  ])('invalid_decision: %s', async (_what, value) => {
    const pdp = await policy(`${ENTRY}\ndecision := ${value}`);
    expect(code(pdp.evaluate(['own'], requestInput()))).toBe('invalid_decision');
  });

  run('unknown_obligation: named, so that the cure is clear', async () => {
    const value =
      '{"effect": "allow", "reasons": [], "obligations": [{"type": "buffer"}, {"type": "notify", "channel": "x"}], "user_message": ""}';
    const pdp = await policy(`${ENTRY}\ndecision := ${value}`);
    const evaluation = pdp.evaluate(['own'], requestInput());
    expect(evaluation).toMatchObject({ outcome: 'undecided', code: 'unknown_obligation' });
    expect(evaluation.outcome === 'undecided' ? evaluation.detail : '').toContain('notify');
  });

  run('a built-in that cannot answer as opa would is a trap, not a guess', async () => {
    const rego = `${ENTRY}\ndecision := object.union(${ALLOW}, {"user_message": sprintf("%.3f", [1.5])})`;
    const evaluation = (await policy(rego)).evaluate(['own'], requestInput());
    expect(evaluation).toMatchObject({
      code: 'trap',
      detail: 'own: sprintf: %f is not supported',
    });
  });
});

describe('what reaches a policy and comes back', () => {
  run('text in every script, quotes, control characters and lone surrogates', async () => {
    const pdp = await policy(`${ENTRY}\ndecision := object.union(${ALLOW}, {"user_message": input.claimed.text})`);
    for (const text of [
      '',
      'naïve',
      'Ω≈ç√',
      '日本語',
      '🦊🏳️‍🌈',
      'tab\tquote"back\\slash/',
      'nul\u0000end',
      '\u2028\u2029',
      '\ud7ff\ue000\uffff',
    ]) {
      const evaluation = pdp.evaluate(['own'], requestInput({ claimed: { text } }));
      expect(evaluation).toEqual({
        outcome: 'decided',
        decision: { effect: 'allow', reasons: [], obligations: [], user_message: text },
        fired: [{ bundle: 'own', rules: ['countersign.main.decision#1'], bits: '00000001' }],
      });
    }
    for (const text of ['lone \ud800 half', '\udfff', 'a literal \\ud800 and a \\\ud801']) {
      expect(pdp.evaluate(['own'], requestInput({ claimed: { text } }))).toMatchObject({
        decision: { user_message: Buffer.from(text).toString() },
      });
    }
  });

  run('numbers stay exact up to what JSON can hold', async () => {
    const rego = `${ENTRY}\ndecision := object.union(${ALLOW}, {"obligations": [{"type": "limit", "max_tokens": input.time.unix_ms}]})`;
    const pdp = await policy(rego);
    for (const unix_ms of [1, 255, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) {
      const { time } = requestInput();
      const evaluation = pdp.evaluate(['own'], requestInput({ time: { ...time, unix_ms } }));
      expect(evaluation).toMatchObject({ decision: { obligations: [{ type: 'limit', max_tokens: unix_ms }] } });
    }
  });

  run('data of the bundle and of tenants, without growing from evaluation to evaluation', async () => {
    const rego = `${ENTRY}\ndecision := object.union(${ALLOW}, {"user_message": concat("/", [data.words.greeting, data.tenants[input.tenant.id].disclose])})`;
    const bundle = await compileRego(required(tools), 'own', rego, { words: { greeting: 'bonjour' } });
    const pdp = await createPdp({ bundles: [bundle], tenantData: { acme: { disclose: 'robot' } }, memoryPages: 8 });
    for (let turn = 0; turn < 20_000; turn += 1) {
      const evaluation = pdp.evaluate(['own'], requestInput());
      if (evaluation.outcome !== 'decided' || evaluation.decision.user_message !== 'bonjour/robot')
        throw new TypeError(JSON.stringify(evaluation));
    }
  });

  test('ten thousand tenants fit', async () => {
    const tenants = Array.from({ length: 10_000 }, (_, i) => [`t${i}`, { models: [`m${i}-*`], regions: ['eu', 'us'] }]);
    const pdp = await createPdp({
      bundles: [await baseline()],
      tenantData: Object.fromEntries(tenants) as Record<string, never>,
    });
    const call = requestInput({ tenant: { id: 't77', region: null, frameworks: [], labels: {} } });
    expect(pdp.evaluate(['baseline'], call)).toMatchObject({
      decision: { effect: 'deny', reasons: [{ rule: 'models.allow_list' }] },
    });
  });
});

describe('modules', () => {
  test('the shipped module is metered and stays valid', async () => {
    const metered = meterModule((await baseline()).wasm);
    expect(metered.bytes.length).toBeGreaterThan((await baseline()).wasm.length);
    expect(metered.minimumPages).toBeGreaterThan(0);
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('not a module at all')],
    ['an empty module', Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])],
  ])('refuses %s', async (_what, bytes) => {
    const shipped = await baseline();
    const bundle: Bundle = { ...shipped, wasm: Uint8Array.from(bytes) };
    await expect(createPdp({ bundles: [bundle], tenantData: {} })).rejects.toMatchObject({
      code: 'unsupported_module',
    });
  });

  test('a cut or damaged module never gets past loading', async () => {
    const shipped = await baseline();
    for (const length of [8, 100, 5000, shipped.wasm.length - 1]) {
      const bundle: Bundle = { ...shipped, wasm: shipped.wasm.slice(0, length) };
      await expect(createPdp({ bundles: [bundle], tenantData: {} })).rejects.toMatchObject({ name: 'PolicyError' });
    }
  });

  test('a module with any byte changed is refused, or answers, or is undecided; it never reaches further', async () => {
    const shipped = await baseline();
    await fc.assert(
      fc.asyncProperty(fc.nat(shipped.wasm.length - 1), fc.integer({ min: 0, max: 255 }), async (at, byte) => {
        const wasm = shipped.wasm.slice();
        wasm[at] = byte;
        try {
          const pdp = await createPdp({ bundles: [{ ...shipped, wasm }], tenantData: { acme: { models: ['gpt-*'] } } });
          expect(pdp.evaluate(['baseline'], requestInput()).outcome).toMatch(/^(un)?decided$/);
        } catch (error) {
          expect(error).toMatchObject({ name: 'PolicyError' });
        }
      }),
      { numRuns: 40 },
    );
  });

  test('two bundles of one name are refused', async () => {
    const bundles = [await baseline(), await baseline()];
    await expect(createPdp({ bundles, tenantData: {} })).rejects.toMatchObject({ code: 'duplicate_bundle' });
  });

  test('identities are those of the bundles, and tenant parameters have a digest that ignores member order', async () => {
    const bundle = await baseline();
    const one = await createPdp({ bundles: [bundle], tenantData: { a: { models: ['x'], regions: ['eu'] } } });
    const same = await createPdp({ bundles: [bundle], tenantData: { a: { regions: ['eu'], models: ['x'] } } });
    const other = await createPdp({ bundles: [bundle], tenantData: { a: { regions: ['us'], models: ['x'] } } });
    expect(one.identities(['baseline'])).toEqual([bundle.identity]);
    expect(() => one.identities(['other'])).toThrow('not loaded');
    expect(one.parametersDigest).toBe(same.parametersDigest);
    expect(one.parametersDigest).not.toBe(other.parametersDigest);
    expect(one.runtime).toMatch(/^[a-z0-9._:-]{1,64}$/);
    expect(one.combinerVersion).toMatch(/^[a-z0-9._:-]{1,64}$/);
  });
});

function firstOver(over: (count: number) => boolean, from: number, to: number): number {
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (over(middle)) high = middle;
    else low = middle;
  }
  return high;
}
