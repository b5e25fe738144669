import { describe, expect, test } from 'vitest';
import { createPdp } from '../../policies/index.ts';
import type { Bundle } from '../../policies/index.ts';
import { BinaryReader, readSections, SECTION } from '../../policies/wasm/binary.ts';
import { OP, readInstructions } from '../../policies/wasm/instructions.ts';
import { memoEdits, memoFunctions } from '../../policies/wasm/memo.ts';
import { meterModule } from '../../policies/wasm/meter.ts';
import { requestInput } from './facts.ts';
import { baseline, compileRego, findTools, required } from './toolchain.ts';

const tools = await findTools();
const run = test.skipIf(tools === null);

/** Each rule asks for the next one twice: a million million evaluations, unless each is made once. */
const CHAIN = Array.from({ length: 40 }, (_, i) => `r${i} := r${i + 1} + r${i + 1}`);
const LAST = 'r40 := count(input.point)';

function decision(text: string): string {
  return `# METADATA\n# entrypoint: true\ndecision := {"effect": "allow", "reasons": [], "obligations": [], "user_message": ${text}}`;
}

async function messages(bundle: Bundle, points: readonly string[]): Promise<string[]> {
  const pdp = await createPdp({ bundles: [bundle], tenantData: {}, fuel: 100_000 });
  return points.map((point) => {
    const evaluation = pdp.evaluate([bundle.identity.name], requestInput({ point }));
    return evaluation.outcome === 'decided' ? evaluation.decision.user_message : evaluation.detail;
  });
}

describe('what a rule came to', () => {
  run('is worked out once in an evaluation, and again in the next one', async () => {
    const rego = [decision('json.marshal(r0)'), ...CHAIN, LAST].join('\n\n');
    const answers = ['a', 'abc', 'a'].map((point) => String(2 ** 40 * point.length));
    expect(await messages(await compileRego(required(tools), 'own', rego), ['a', 'abc', 'a'])).toEqual(answers);
  });

  run('is another one inside of `with`, and the same as before after it', async () => {
    const seen =
      'seen := [before, inside, after] if {\n\tbefore := r0\n\tinside := r0 with input.point as ""\n\tafter := r0\n}';
    const rego = [decision('json.marshal(seen)'), seen, ...CHAIN, LAST].join('\n\n');
    const one = 2 ** 40;
    const bundle = await compileRego(required(tools), 'own', rego);
    expect(await messages(bundle, ['a', 'bb'])).toEqual([`[${one},0,${one}]`, `[${2 * one},0,${2 * one}]`]);
  });

  test('is in no table in the shipped rules', async () => {
    const before = calledFunctions((await baseline()).wasm);
    const after = calledFunctions(meterModule((await baseline()).wasm).bytes);
    const dropped = [...before].filter(([index, calls]) => calls > 20 && !after.has(index));
    // opa_memoize_get and opa_memoize_insert.
    expect(dropped).toHaveLength(2);
  });
});

/** How often each function is called in a module. */
function calledFunctions(module: Uint8Array): Map<number, number> {
  const code = readSections(module).find(({ id }) => id === SECTION.code)?.body ?? new Uint8Array(0);
  const calls = new Map<number, number>();
  const reader = new BinaryReader(code);
  for (let left = reader.u32(); left > 0; left -= 1) {
    const body = new BinaryReader(reader.take(reader.u32()));
    for (let groups = body.u32(); groups > 0; groups -= 1) {
      body.u32();
      body.skip(1);
    }
    for (const { opcode, index } of readInstructions(body.bytes, body.at)) {
      if (opcode === OP.call) calls.set(index, (calls.get(index) ?? 0) + 1);
    }
  }
  return calls;
}

describe('code of another form keeps to the table', () => {
  const [INIT, GET, INSERT, RULE, RESULT] = [1, 2, 3, 9, 4];
  const functions = { init: INIT, get: GET, insert: INSERT };
  const get = [OP.i32Const, RULE, OP.call, GET];
  const insert = [OP.i32Const, RULE, OP.localGet, RESULT, OP.call, INSERT];
  const edits = (...code: number[]): number =>
    memoEdits(readInstructions(Uint8Array.from(code), 0), functions, 7).length;

  test('while that of opa is edited', () => {
    expect(edits(...get, ...insert, ...insert)).toBe(6);
  });

  test.each([
    ['another rule is asked for', [...get, OP.i32Const, RULE + 1, OP.call, GET]],
    ['it is asked for again later', [...get, ...get]],
    ['it is kept for another rule', [...get, OP.i32Const, RULE + 1, OP.localGet, RESULT, OP.call, INSERT]],
    ['what is kept is no local', [...get, OP.i32Const, RULE, OP.i32Const, 0, OP.call, INSERT]],
    ['nothing says which rule it is', [OP.localGet, 0, OP.call, GET, ...insert]],
  ])('%s', (_, code) => {
    expect(edits(...code)).toBe(0);
  });

  test('and so does a module that uses `with`, or has no names', () => {
    const names = (...list: string[]): ReadonlyMap<string, number> =>
      new Map(list.map((name, i) => [`opa_memoize_${name}`, i]));
    expect(memoFunctions(names('init', 'get', 'insert'))).toEqual({ init: 0, get: 1, insert: 2 });
    expect(memoFunctions(names('init', 'get', 'insert', 'push'))).toBeNull();
    expect(memoFunctions(names())).toBeNull();
  });
});
