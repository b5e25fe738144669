import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPdp, firedBodies, loadBundle } from '../../policies/index.ts';
import type { Evaluation, Pdp } from '../../policies/index.ts';
import { buildBundle } from '../../policies/testing.ts';
import { requestInput } from './facts.ts';
import { baseline, compileRego, findTools, required, withFolder } from './toolchain.ts';

const tools = await findTools();
const run = test.skipIf(tools === null);

/** One rule of every form, each body holding for another element of `input.principal.groups`. */
const FORMS = `
decision := {"effect": "allow", "reasons": [], "obligations": [], "user_message": ""} if {
	all := [complete, chained, partial, mapped, nested, keyed, twice, ground.reference, calls]
	count(all) == 9
}

asked(name) if name in input.principal.groups

complete := 1 if asked("complete 1")

complete := 1 if asked("complete 2")

default chained := 0

chained := 1 if {
	asked("chained 1")
} else := 2 if asked("chained 2")

partial contains "constant" if asked("partial 1")

partial contains name if {
	some name in {n | some n in input.principal.groups}
	name == "partial 2"
}

mapped[name] := 1 if {
	some name in input.principal.groups
	name == "mapped"
}

nested[name].inner := [x | some x in [1, 2]] if {
	some name in input.principal.groups
	name == "nested"
}

keyed[name] contains 1 if {
	some name in input.principal.groups
	name == "keyed"
}

default complete := 0

default twice := false

twice if not asked("not twice")

ground.reference := object.union({}, {"a": 1})

calls := count([1 | some name in input.principal.groups; startswith(name, "call")])
`;

function firedOf(evaluation: Evaluation, pdp: Pdp): string[] {
  if (evaluation.outcome === 'undecided') return [evaluation.code, evaluation.detail];
  return evaluation.fired.flatMap(({ bundle, bits }) =>
    firedBodies(bits, pdp.bodies(bundle)).map(({ path, body }) => `${path.replace('countersign.main.', '')}#${body}`),
  );
}

describe('which rules fired', () => {
  const always = ['calls#1', 'decision#1', 'ground.reference#1'];

  run.each([
    [[], ['twice#1']],
    [['complete 1'], ['asked#1', 'complete#1', 'twice#1']],
    [['complete 2'], ['asked#1', 'complete#2', 'twice#1']],
    [
      ['complete 1', 'complete 2'],
      ['asked#1', 'complete#1', 'complete#2', 'twice#1'],
    ],
    [['chained 1'], ['asked#1', 'chained#1', 'twice#1']],
    [['chained 2'], ['asked#1', 'chained#2', 'twice#1']],
    [
      ['chained 1', 'chained 2'],
      ['asked#1', 'chained#1', 'twice#1'],
    ],
    [['partial 1'], ['asked#1', 'partial#1', 'twice#1']],
    [['partial 2'], ['partial#2', 'twice#1']],
    [['mapped'], ['mapped#1', 'twice#1']],
    [['nested'], ['nested#1', 'twice#1']],
    [['keyed'], ['keyed#1', 'twice#1']],
    [['not twice'], ['asked#1']],
  ])('of every form, each body by itself: %j', async (groups, expected) => {
    const pdp = await forms();
    const { principal } = requestInput();
    const evaluation = pdp.evaluate(['own'], requestInput({ principal: { ...principal, groups } }));
    expect(firedOf(evaluation, pdp).sort()).toEqual([...always, ...expected].sort());
  });

  run('the reasons of a decision come from rules that fired, and no denial is without one', async () => {
    const bundle = await baseline();
    const words = fc.subarray(['gpt-*', 'eu', 'us']);
    const facts = fc.record({
      parameters: fc.record({ models: words, regions: words, strip_tools: words }, { requiredKeys: [] }),
      kind: fc.constantFrom('pii', 'secret', 'other'),
      point: fc.constantFrom('model.request', 'model.response', 'admin.keys.create', 'x'),
    });
    await fc.assert(
      fc.asyncProperty(facts, async ({ parameters, kind, point }) => {
        const pdp = await createPdp({ bundles: [bundle], tenantData: { acme: parameters } });
        const findings = [{ type: 'X', kind: kind as 'pii', count: 1, max_score: 900, paths: ['/messages/0/content'] }];
        const evaluation = pdp.evaluate(['baseline'], requestInput({ point, findings }));
        if (evaluation.outcome === 'undecided') throw new TypeError(evaluation.detail);
        const { decision, fired } = evaluation;
        expect(fired[0]?.rules).toEqual(expect.arrayContaining(decision.reasons.map(({ rule }) => rule)));
        if (decision.effect === 'deny') expect(decision.reasons.length).toBeGreaterThan(0);
      }),
      { numRuns: 30 },
    );
  });

  run('METADATA of a body is known by its place, of a document for all of its bodies', async () => {
    await withFolder(async (dir) => {
      await mkdir(join(dir, 'b'));
      await writeFile(
        join(dir, 'main.rego'),
        `package countersign.main

import data.countersign.b

# METADATA
# entrypoint: true
decision := {"effect": "allow", "reasons": [], "obligations": [{"type": "label", "add": sort(b.labels)}], "user_message": ""}
`,
      );
      await writeFile(
        join(dir, 'b/labels.rego'),
        `package countersign.b

# METADATA
# title: First
# custom:
#   rule: b.first
#   severity: low
#   controls: ["x:1"]
labels contains "first" if input.point == "a"

labels contains "second"

# METADATA
# title: Third
# custom: { rule: b.third }
labels contains "third" if input.point == "c"
`,
      );
      const out = join(dir, 'out/b.tar.gz');
      await buildBundle(dir, out, required(tools), { revision: 'test' });
      const pdp = await createPdp({ bundles: [loadBundle(await readFile(out), 'b')], tenantData: {} });
      expect(pdp.bodies('b').flatMap(({ about }) => about ?? [])).toMatchObject([
        { id: 'b.first', title: 'First', severity: 'low', controls: ['x:1'], file: 'b/labels.rego', row: 9 },
        { id: 'b.third', title: 'Third', severity: null, controls: [], file: 'b/labels.rego', row: 16 },
        { id: null, path: 'countersign.main.decision', body: 1, file: 'main.rego', row: 7 },
      ]);
      const rules = (point: string): unknown => {
        const evaluation = pdp.evaluate(['b'], requestInput({ point }));
        return evaluation.outcome === 'decided' ? evaluation.fired : evaluation;
      };
      expect(rules('a')).toMatchObject([{ bundle: 'b', rules: ['b.first'] }]);
      expect(rules('b')).toMatchObject([{ bundle: 'b', rules: [] }]);
      expect(rules('c')).toMatchObject([{ bundle: 'b', rules: ['b.third'] }]);
    });
  });
});

let compiled: Promise<Pdp> | null = null;
function forms(): Promise<Pdp> {
  compiled ??= compileRego(required(tools), 'own', FORMS).then((bundle) =>
    createPdp({ bundles: [bundle], tenantData: {} }),
  );
  return compiled;
}
