import { expect, test } from 'vitest';
import { createPdp, type PolicyInput } from '../../policies/index.ts';
import { requestInput } from './facts.ts';
import { baseline } from './toolchain.ts';

/** Kill switches are united with what the bundles say, by a function of the input alone. */
const pdp = await createPdp({ bundles: [await baseline()], tenantData: {} });

type Switch = PolicyInput['kill_switches'][number];

function decide(thrown: Switch[], change: Partial<PolicyInput> = {}) {
  const evaluation = pdp.evaluate(['baseline'], requestInput({ kill_switches: thrown, ...change }));
  if (evaluation.outcome === 'undecided') throw new TypeError(evaluation.detail);
  const { effect, reasons, obligations } = evaluation.decision;
  return { effect, rules: reasons.map(({ rule }) => rule), obligations };
}

const at = (kind: Switch['kind'], target: string): Switch => ({ id: 'ks-1', kind, target });
const agent = (id: string, delegation: string[] = []) => ({
  id,
  name: null,
  version: null,
  attested: true,
  delegation,
});
const offered = (name: string) => ({ name, server: null, digest: null, pinned: false, annotations: {} });

test.each<[string, Switch, Partial<PolicyInput>]>([
  ['tenant', at('tenant', ''), {}],
  ['agent', at('agent', 'bot'), { agent: agent('bot') }],
  ['agent', at('agent', 'bot'), { agent: agent('other', ['bot', 'other']) }],
  ['model', at('model', 'gpt-4o-mini'), {}],
  ['model', at('model', 'openai/gpt-4o-mini'), {}],
  [
    'tool',
    at('tool', 'wire'),
    {
      point: 'model.response',
      response: { finish_reason: 'tool_calls', bytes: 9, tool_calls: [{ name: 'wire', args_digest: '' }] },
    },
  ],
])('a switch for a %s denies what it is about', (kind, thrown, change) => {
  expect(decide([thrown], change)).toMatchObject({ effect: 'deny', rules: [`switch.${kind}`] });
  expect(decide([thrown], { ...change, mode: 'observe' })).toMatchObject({ effect: 'deny' });
});

test('a switch leaves alone what it is not about', () => {
  const thrown = [at('agent', 'bot'), at('model', 'gpt-4'), at('tool', 'wire')];
  expect(decide(thrown, { agent: agent('other') })).toEqual(decide([]));
});

test('a stopped tool is taken out of the request that offers it', () => {
  const { effect, obligations } = decide([at('tool', 'wire')], {
    tools: { offered: [offered('wire'), offered('read')], call: null },
  });
  expect(effect).toBe('allow');
  expect(obligations).toContainEqual({ type: 'strip_tools', names: ['wire'] });
});

test('a recorded input without switches decides as it did', () => {
  const { kill_switches: _none, ...older } = requestInput();
  expect(pdp.evaluate(['baseline'], older as PolicyInput)).toEqual(pdp.evaluate(['baseline'], requestInput()));
});
