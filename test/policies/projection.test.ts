import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createPdp, createPolicyInput, loadBundle, policyTime } from '../../policies/index.ts';
import type { PolicyInput } from '../../policies/index.ts';
import { createProjection, inputPaths, isInputPaths } from '../../policies/projection.ts';
import { buildBundle } from '../../policies/testing.ts';
import { requestInput } from './facts.ts';
import { baseline, findTools, required, withFolder } from './toolchain.ts';

const tools = await findTools();
const run = test.skipIf(tools === null);

describe('the parts of an input a policy refers to', () => {
  test('are sections and their members; a deeper or computed reference shows its parent', () => {
    expect(
      inputPaths([
        ['time', 'unix_ms'],
        ['tools', 'offered', 0, 'name'],
        ['findings', 0, 'type'],
        ['findings'],
        ['model', 'tags', 'x'],
        ['principal', 'not a name'],
        ['principal', 'id'],
      ]),
    ).toEqual(['findings', 'model.tags', 'principal', 'time.unix_ms', 'tools.offered']);
    expect(inputPaths([['point'], []])).toBeNull();
    expect(inputPaths([[0]])).toBeNull();
    expect(inputPaths([])).toEqual([]);
  });

  test('are written in one order, without what is absent', () => {
    const project = createProjection(['model', 'request.max_tokens', 'request.urls', 'response.bytes', 'tenant.id']);
    const input = requestInput({ model: null, response: null });
    expect(JSON.parse(project(input))).toEqual({
      model: null,
      request: { max_tokens: input.request?.max_tokens, urls: input.request?.urls },
      response: null,
      tenant: { id: input.tenant.id },
    });
    const bare = { ...input } as Partial<PolicyInput>;
    delete bare.model;
    expect(project(bare as PolicyInput)).not.toContain('model');
    expect(createProjection([])(input)).toBe('{}');
  });

  test('have one spelling', () => {
    expect(isInputPaths(['a', 'b.c', 'd'])).toBe(true);
    for (const wrong of [['b', 'a'], ['a', 'a'], ['a.b.c'], ['A'], ['']]) expect(isInputPaths(wrong)).toBe(false);
  });
});

const SOURCES: Readonly<Record<string, string>> = {
  functions: 'decision := answer(input.tools.offered)\nanswer(list) := {"n": count(list), "c": input.claimed.purpose}',
  whole: 'decision := {"n": count(object.keys(whole))}\nwhole := input',
  walked: 'decision := {"n": count([p | walk(input.request, [p, _])])}',
  computed: 'decision := {"v": input[input.point]}',
  replaced: 'decision := {"v": w} if w := v with input as {"model": {"region": "eu"}}\nv := input.model.region',
  other: 'decision := {"v": [d | some name; d := data.countersign.packs[name].deny]}',
};
const PACK = 'package countersign.packs.one\n\ndeny := input.session.denials > 1\n';
const WANTED: Readonly<Record<string, readonly string[] | null>> = {
  functions: ['claimed.purpose', 'tools.offered'],
  whole: null,
  walked: ['request'],
  computed: null,
  other: ['session.denials'],
};

run.each(Object.entries(SOURCES))('are found by the compiler: %s', async (name, source) => {
  const { inputPaths: found } = await withFolder(async (dir) => {
    const main = `package countersign.main\n\n# METADATA\n# entrypoint: true\n${source}\n`;
    await writeFile(join(dir, 'main.rego'), main);
    await writeFile(join(dir, 'pack.rego'), PACK);
    const out = join(dir, 'out', 'probe.tar.gz');
    await buildBundle(dir, out, required(tools), { revision: 'test' });
    return loadBundle(await readFile(out), 'probe');
  });
  if (name in WANTED) expect(found).toEqual(WANTED[name]);
  // What another input is put in place of, opa counts as a reference to the whole.
  else expect(found === null || found.includes('model.region')).toBe(true);
});

test('calls that differ in nothing the baseline looks at share one evaluation, others do not', async () => {
  const pdp = await createPdp({ bundles: [await baseline()], tenantData: {} });
  const ask = (change: Partial<PolicyInput>): unknown => pdp.evaluate(['baseline'], requestInput(change));
  const first = ask({});
  const call = { id: 'cs-other', parent: null, run: null, turn: null };
  expect(ask({ call, time: policyTime(1_790_000_123_456) })).toBe(first);
  expect(
    ask({ findings: [{ type: 'AWS_ACCESS_KEY', kind: 'secret', count: 1, max_score: 1000, paths: ['/x'] }] }),
  ).not.toEqual(first);
});

test('a time is told as Date tells it', () => {
  for (const ms of [0, 999, 1_790_000_123_456, 1_790_003_599_999, 951_782_400_000, 4_102_444_799_999]) {
    const date = new Date(ms);
    const days = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
    expect(policyTime(ms)).toEqual({
      unix_ms: ms,
      iso: date.toISOString(),
      weekday: days[date.getUTCDay()],
      hour_utc: date.getUTCHours(),
    });
  }
  expect(createPolicyInput(requestInput({})).version).toBe(1);
});
