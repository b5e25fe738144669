/**
 * The decision point by itself, in a process of its own: the baseline on typical facts, a bundle of 1,000 rules, loading
 * from the archive, and the real `opa run --server` over HTTP on the same facts and rules. Prints figures as JSON.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { REQUEST_MS, requestFacts } from './request-facts.ts';
import { median, percentile } from './statistics.ts';

interface Pdp {
  evaluate(bundles: readonly string[], input: object): { readonly outcome: string };
}
interface Policies {
  readonly loadBundle: (bytes: Uint8Array, name: string) => object;
  readonly createPdp: (options: { bundles: readonly object[]; tenantData: object }) => Promise<Pdp>;
  readonly createPolicyInput: (facts: object) => object;
  readonly policyTime: (unixMs: number) => object;
}
interface Tools {
  readonly policyToolchain: (options: { root: string; log: () => void }) => Promise<{ readonly opa: string }>;
  readonly buildBundle: (dir: string, out: string, tools: object, options: { revision: string }) => Promise<unknown>;
}

const EVALUATIONS = 20_000;
const REQUESTS = 2000;
const LOADS = 9;
const RULES = 1000;
const RUNAWAYS = 50;

async function main(root: string): Promise<void> {
  const load = (path: string): Promise<unknown> => import(pathToFileURL(join(root, 'dist', 'policies', path)).href);
  const policies = (await load('index.js')) as Policies;
  const { policyToolchain, buildBundle } = (await load('testing.js')) as Tools;
  const archive = join(root, 'policies', 'dist', 'baseline.tar.gz');
  const loads: number[] = [];
  const begun = performance.now();
  let pdp = await open(policies, archive, 'baseline');
  const firstLoad = performance.now() - begun;
  for (let turn = 0; turn < LOADS; turn += 1) {
    const before = performance.now();
    pdp = await open(policies, archive, 'baseline');
    loads.push(performance.now() - before);
  }
  // Each input is new in a member the rules look at, so that no answer is remembered.
  const decision = timeAll(pdp, 'baseline', (i) => facts(policies, `gpt-4o-mini-${i}`));
  const same = facts(policies, 'gpt-4o-mini');
  const remembered = timeAll(pdp, 'baseline', () => same);
  const tools = await policyToolchain({ root, log: () => undefined });
  const work = await mkdtemp(join(tmpdir(), 'countersign-bench-'));
  try {
    await writeRules(join(work, 'rules'));
    await buildBundle(join(work, 'rules'), join(work, 'rules.tar.gz'), tools, { revision: 'bench' });
    const many = await open(policies, join(work, 'rules.tar.gz'), 'rules');
    const thousand = timeAll(many, 'rules', (i) => facts(policies, `gpt-4o-mini-${i}`));
    await writeRunaway(join(work, 'runaway'));
    await buildBundle(join(work, 'runaway'), join(work, 'runaway.tar.gz'), tools, { revision: 'bench' });
    const runaway = timeRunaway(await open(policies, join(work, 'runaway.tar.gz'), 'runaway'), same);
    const http = await timeServer(tools.opa, join(root, 'policies', 'rego', 'baseline'), policies);
    const slower = { ratio: http / decision, against: 'our decision' };
    const figures = [
      { name: 'policy.decision.p50', value: decision, unit: 'us' },
      { name: 'policy.remembered.p50', value: remembered, unit: 'us' },
      { name: 'policy.rules1000.p50', value: thousand, unit: 'us' },
      { name: 'policy.load', value: median(loads), unit: 'ms' },
      { name: 'policy.load_first', value: firstLoad, unit: 'ms' },
      { name: 'policy.runaway.p50', value: median(runaway), unit: 'ms' },
      { name: 'policy.runaway.max', value: Math.max(...runaway), unit: 'ms' },
      { name: 'policy.opa_http.p50', value: http, unit: 'us', ...slower },
    ];
    process.stdout.write(JSON.stringify(figures));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function open(policies: Policies, path: string, name: string): Promise<Pdp> {
  return policies.createPdp({ bundles: [policies.loadBundle(await readFile(path), name)], tenantData: {} });
}

/** The chat request of the tests with one finding. */
function facts({ createPolicyInput, policyTime }: Policies, requested: string): object {
  const { model, ...rest } = requestFacts(policyTime(REQUEST_MS));
  const finding = { type: 'EMAIL_ADDRESS', kind: 'pii', count: 1, max_score: 900, paths: ['/messages/1/content'] };
  return createPolicyInput({ ...rest, model: { ...model, requested }, findings: [finding] });
}

/** Median of single evaluations after warming up, in microseconds. */
function timeAll(pdp: Pdp, name: string, input: (turn: number) => object): number {
  const times = new Float64Array(EVALUATIONS);
  for (let turn = 0; turn < 2 * EVALUATIONS; turn += 1) {
    const question = input(turn);
    const before = performance.now();
    const { outcome } = pdp.evaluate([name], question);
    times[turn % EVALUATIONS] = (performance.now() - before) * 1000;
    if (outcome !== 'decided') throw new Error(`${name} did not decide`);
  }
  return percentile(times.sort(), 0.5);
}

/** Rules that all have to be looked at and do not hold, as in a large library. */
async function writeRules(dir: string): Promise<void> {
  await mkdir(dir);
  const rules = Array.from(
    { length: RULES },
    (_, i) => `deny contains "${i}" if {\n\tinput.model.requested == "model-${i}"\n\tinput.tenant.region == "eu"\n}`,
  );
  const decision = `decision := {"effect": effect, "reasons": [], "obligations": [], "user_message": ""}`;
  const effect = 'effect := "deny" if count(deny) > 0\n\nelse := "allow"';
  await writeFile(join(dir, 'main.rego'), ['package countersign.main', decision, effect, ...rules, ''].join('\n\n'));
}

/** Calls that double at every level: nothing ends it but its fuel. */
async function writeRunaway(dir: string): Promise<void> {
  await mkdir(dir);
  const levels = Array.from({ length: 40 }, (_, i) => `f${i}(x) := f${i + 1}(x + 1) + f${i + 1}(x + 2)`);
  const decision = `decision := {"effect": "allow", "reasons": [], "obligations": [], "user_message": ""} if f0(input.request.messages) > 0`;
  await writeFile(
    join(dir, 'main.rego'),
    ['package countersign.main', decision, ...levels, 'f40(x) := x', ''].join('\n\n'),
  );
}

/** Each time how long nothing else can run: an evaluation that burns all its fuel, in the fresh instance it takes. In ms, warm. */
function timeRunaway(pdp: Pdp, input: object): number[] {
  const times = Array.from({ length: RUNAWAYS }, () => {
    const before = performance.now();
    if (pdp.evaluate(['runaway'], input).outcome !== 'undecided') throw new Error('a runaway was decided');
    return performance.now() - before;
  });
  return times.slice(RUNAWAYS / 5);
}

async function timeServer(opa: string, dir: string, policies: Policies): Promise<number> {
  const port = 20_000 + (process.pid % 20_000);
  const args = ['run', '--server', '--addr', `127.0.0.1:${port}`, '--log-level', 'error', '--bundle'];
  const server = spawn(opa, [...args, '--ignore', '*_test.rego', '.'], { cwd: dir, stdio: 'ignore' });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (body: string): Promise<string> => post(agent, port, body);
  try {
    for (let tries = 0; (await ask('{}').catch(() => null)) === null; tries += 1) {
      if (tries > 400) throw new Error('opa does not answer');
      await sleep(50);
    }
    const times = new Float64Array(REQUESTS);
    for (let turn = 0; turn < 2 * REQUESTS; turn += 1) {
      const body = JSON.stringify({ input: facts(policies, `gpt-4o-mini-${turn}`) });
      const before = performance.now();
      const answer = await ask(body);
      times[turn % REQUESTS] = (performance.now() - before) * 1000;
      if (!answer.includes('"effect":"allow"')) throw new Error('opa did not decide as expected');
    }
    return percentile(times.sort(), 0.5);
  } finally {
    agent.destroy();
    server.kill('SIGKILL');
  }
}

function post(agent: Agent, port: number, body: string): Promise<string> {
  const path = '/v1/data/countersign/main/decision';
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host: '127.0.0.1', port, path, method: 'POST', headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks).toString()));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

await main(process.argv[2] ?? process.cwd());
