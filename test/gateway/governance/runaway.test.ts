import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPdp } from '../../../policies/index.ts';
import type { Bundle } from '../../../policies/index.ts';
import { requestInput } from '../../policies/facts.ts';
import { compileRego, findTools, required } from '../../policies/toolchain.ts';
import { GovernedStand } from './stand.ts';

/** One tenant's policy burns all of its fuel with every call, while another tenant works. */
const tools = await findTools();
const run = test.skipIf(tools === null);
let bundle: Bundle;
let stand: GovernedStand;

/** Doubles at every level, forty levels deep. */
const LEVELS = Array.from({ length: 40 }, (_, i) => `f${i}(x) := f${i + 1}(x + 1) + f${i + 1}(x + 2)`).join('\n\n');
const RUNAWAY = `# METADATA
# entrypoint: true
decision := {"effect": "allow", "reasons": [], "obligations": [], "user_message": ""} if harmless

harmless if input.request == null

harmless if f0(input.request.messages) > 0

${LEVELS}

f40(x) := x`;

beforeAll(async () => {
  if (tools === null) return;
  bundle = await compileRego(required(tools), 'runaway', RUNAWAY);
  const stuck = await compileRego(required(tools), 'stuck', RUNAWAY.replace('harmless if input.request == null', ''));
  stand = await GovernedStand.start(
    `
providers: { s: { kind: sandbox } }
models: [{ name: sandbox, deployments: [{ provider: s, model: echo }] }]
policies: { bundles: { runaway: runaway.tar.gz, stuck: stuck.tar.gz } }
tenants: [{ id: demo }, { id: wild, policies: [baseline, runaway] }, { id: stuck, policies: [baseline, stuck] }]
`,
    async (folder) => {
      await writeFile(join(folder, 'runaway.tar.gz'), bundle.archive);
      await writeFile(join(folder, 'stuck.tar.gz'), stuck.archive);
    },
  );
}, 120_000);

afterAll(() => stand.gateway.stop());

/** The longest of some evaluations that burn everything, with the fresh instance that the next one takes, in ms. */
async function burningMs(): Promise<number> {
  const pdp = await createPdp({ bundles: [bundle], tenantData: {} });
  const times = Array.from({ length: 12 }, () => {
    const before = performance.now();
    expect(pdp.evaluate(['runaway'], requestInput())).toMatchObject({ outcome: 'undecided', code: 'fuel' });
    return performance.now() - before;
  });
  // The first two run code that is not optimised yet.
  return Math.max(...times.slice(2));
}

interface Phase {
  readonly statuses: number[];
  /** Event-loop delay, ms: nine of ten are shorter. */
  readonly delayMs: number;
}

/** Four callers of the other tenant, for as long as something else takes. */
async function during(work: () => Promise<unknown>): Promise<Phase> {
  const statuses: number[] = [];
  let going = true;
  const callers = Array.from({ length: 4 }, async () => {
    while (going) statuses.push((await stand.chat()).status);
  });
  const delay = monitorEventLoopDelay({ resolution: 2 });
  delay.enable();
  await work();
  delay.disable();
  going = false;
  await Promise.all(callers);
  return { statuses, delayMs: delay.percentile(90) / 1e6 };
}

run(
  'the others go on, and the call ends as a refusal that replays as the same refusal',
  async () => {
    const { token } = await stand.gateway.createKey({ tenant: 'wild', name: 'wild' });
    const warm = await stand.chat({}, token);
    expect(warm).toMatchObject({ status: 503, body: { error: { code: 'policy_unavailable' } } });
    const burning = await burningMs();
    const quiet = await during(() => new Promise((resolve) => setTimeout(resolve, 700)));
    const wild: Awaited<ReturnType<typeof stand.chat>>[] = [];
    const loud = await during(async () => {
      for (let turn = 0; turn < 25; turn += 1) wild.push(await stand.chat({}, token));
    });
    expect(new Set(wild.map(({ status }) => status))).toEqual(new Set([503]));
    expect(new Set([...quiet.statuses, ...loud.statuses])).toEqual(new Set([200]));
    expect(loud.statuses.length).toBeGreaterThan(wild.length);
    // One evaluation is all that can stand between a caller and the event loop.
    expect(loud.delayMs).toBeLessThan(quiet.delayMs + 3 * burning + 20);

    const { call = '' } = wild.at(-1) ?? {};
    expect(await stand.factsOf(call, 'decision')).toMatchObject({ effect: 'undecided', undecided: 'fuel' });
    const explained = await stand.as('auditor', 'GET', `/api/calls/${call}/explanation?tenant=wild`);
    expect(explained.body).toMatchObject({ reproduction: 'reproduced', questions: [{ effect: 'undecided' }] });
    expect(await stand.facts('start', '_deployment')).toHaveLength(1);
  },
  60_000,
);

run('a tenant whose policies decide nothing can still be stopped, by who may', async () => {
  const wish = { tenant: 'stuck', kind: 'tenant', reason: 'its policies do not decide' };
  const status = await stand.as('author', 'GET', '/api/policy/status?tenant=stuck');
  expect(status).toMatchObject({ status: 503, body: { error: { code: 'policy_unavailable' } } });
  expect((await stand.as('auditor', 'POST', '/api/switches', wish)).status).toBe(403);
  expect((await stand.as('author', 'POST', '/api/switches', wish)).status).toBe(201);
});
