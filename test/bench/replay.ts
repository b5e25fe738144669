/**
 * Recorded decisions decided again: read from a ledger of its own, checked entry by entry, opened, and decided three times (by
 * what decided, by a base, by a head). In a process of its own. Prints figures and checks as JSON.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Sql } from 'postgres';
import { loadProduct, type Ledger } from './ledger-product.ts';
import type { Figure } from './measure.ts';
import type { Check } from './targets.ts';

interface Pdp {
  evaluate(names: readonly string[], input: object): { readonly outcome: string };
  identities(names: readonly string[]): object[];
  readonly parametersDigest: string;
  readonly combinerVersion: string;
  readonly runtime: string;
}

/** The parts of the built product that a replay is made of. */
interface Policies {
  loadBundle(bytes: Uint8Array, name: string): object;
  createPdp(options: object): Promise<Pdp>;
  createPolicyInput(facts: object): object;
  policyTime(unixMs: number): object;
  storeDecisive(sql: Sql, pdp: Pdp): Promise<void>;
  findBundle(sql: Sql, digest: string, name: string): Promise<object | null>;
  findParameters(sql: Sql, digest: string): Promise<object | null>;
  replayCalls(options: object): Promise<{
    readonly calls: number;
    readonly reproduction: { readonly reproduced: number };
  }>;
  readRecorded(sql: Sql, keys: unknown, query: object): AsyncIterable<unknown>;
  recordedCall(entries: unknown): unknown;
}

const APPENDERS = 64;
const TENANT = 'bench';

async function loadPolicies(root: string): Promise<Policies> {
  const load = (...path: string[]): Promise<unknown> => import(pathToFileURL(join(root, 'dist', ...path)).href);
  const parts = await Promise.all([
    load('policies', 'index.js'),
    load('ledger', 'index.js'),
    load('gateway', 'recorded.js'),
  ]);
  return Object.assign({}, ...(parts as object[])) as Policies;
}

/** No two calls have the same facts, so that no answer is remembered from another call. */
function inputOf(policies: Policies, i: number): object {
  return policies.createPolicyInput({
    point: 'model.request',
    call: { id: `cs-replay-${String(i)}`, parent: null, run: null, turn: null },
    time: policies.policyTime(1_790_000_000_000 + i),
    tenant: { id: TENANT, region: 'eu', frameworks: [], labels: {} },
    principal: { type: 'user', id: `user-${String(i % 50)}`, roles: ['caller'], groups: [], claims: {}, assurance: null },
    model: null,
    request: {
      api: 'openai.chat', stream: i % 2 === 0, max_tokens: null, messages: 1 + (i % 9), bytes: 200 + i, tokens_estimate: 50 + i,
      modalities: ['text'], urls: [], digest: String(i),
    },
    findings: i % 3 === 0 ? [{ type: 'EMAIL_ADDRESS', kind: 'pii', count: 1 + (i % 5), max_score: 1000, paths: ['/messages/0/content'] }] : [],
  }); // prettier-ignore
}

const MODEL = {
  requested: 'bench-model', provider: 'mock', deployment: 'mock/bench-model', model: 'bench-model', region: 'us', family: 'bench',
  hosting: 'external', retention_days: 30, trains_on_data: false, tags: [],
}; // prettier-ignore

async function record(ledger: Ledger, policies: Policies, pdp: Pdp, calls: number): Promise<void> {
  const versions = {
    bundles: pdp.identities(['baseline']),
    parameters: pdp.parametersDigest,
    combiner: pdp.combinerVersion,
    runtime: pdp.runtime,
  };
  const append = async (i: number): Promise<void> => {
    const base = inputOf(policies, i);
    const evaluation = pdp.evaluate(['baseline'], { ...base, model: MODEL });
    const facts = { effect: 'deny', model: MODEL.requested, versions };
    const input = { base, models: [MODEL], results: [{ deployment: MODEL.deployment, evaluation }] };
    const common = { tenant: TENANT, kind: 'decision', class: 'decision', call: `cs-replay-${String(i)}` };
    await ledger.append({ ...common, subject: `user:${String(i % 50)}`, sections: { facts, input } });
  };
  let next = 0;
  const appender = async (): Promise<void> => {
    while (next < calls) await append(next++);
  };
  await Promise.all(Array.from({ length: APPENDERS }, appender));
}

async function measure(
  policies: Policies,
  sql: Sql,
  keys: unknown,
  bundle: object,
  calls: number,
): Promise<{ figures: Figure[]; checks: Check[] }> {
  const read = async function* (): AsyncGenerator<unknown> {
    const query = { tenant: TENANT, fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, onRange: () => undefined };
    for await (const entries of policies.readRecorded(sql, keys, query)) yield policies.recordedCall(entries);
  };
  const sources = {
    findBundle: (digest: string, name: string) => policies.findBundle(sql, digest, name),
    findParameters: (digest: string) => policies.findParameters(sql, digest),
  };
  const [startedMs, before] = [performance.now(), process.cpuUsage()];
  const report = await policies.replayCalls({ calls: read(), sources, change: { base: bundle, head: bundle } });
  const seconds = (performance.now() - startedMs) / 1000;
  const cpu = process.cpuUsage(before);
  const memory = process.memoryUsage().rss / 2 ** 20;
  const { reproduced } = report.reproduction;
  return {
    figures: [
      { name: 'replay.seconds', value: seconds, unit: 's' },
      // Of this process: what it takes where nobody else wants the processor.
      { name: 'replay.cpu', value: (cpu.user + cpu.system) / 1e6, unit: 's' },
      { name: 'replay.rate', value: calls / seconds, unit: 'decisions/s' },
      { name: 'replay.each', value: (seconds * 1e6) / calls, unit: 'us' },
      { name: 'replay.rss', value: memory, unit: 'MiB' },
    ],
    checks: [
      {
        name: 'replay: every decision reproduced bit for bit',
        ok: reproduced === calls,
        found: `${String(reproduced)} of ${String(calls)}`,
      },
    ],
  };
}

async function main(root: string, calls: number): Promise<void> {
  const [product, policies] = [await loadProduct(root), await loadPolicies(root)];
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
  // PostgreSQL runs under another account when we are root; it has to be able to enter.
  chmodSync(folder, 0o755);
  const database = await product.startEmbedded({ dataRoot: folder, log: () => undefined });
  const admin = product.connect(database.superuser, 1);
  await product.migrate(admin, { dir: join(root, 'migrations') });
  await product.setGatewayPassword(admin, database.gateway);
  const [sql, writerSql] = [product.connect(database.gateway, 4), product.connect(database.gateway, 1)];
  const keys = await product.openKeyRing({ sql, rootKey: randomBytes(32), tenants: ['_deployment', TENANT] });
  const ledger = await product.openLedger({ sql, writerSql, keys, origin: 'bench.test/ledger', now: Date.now });
  const bundle = policies.loadBundle(readFileSync(join(root, 'policies', 'dist', 'baseline.tar.gz')), 'baseline');
  const pdp = await policies.createPdp({ bundles: [bundle], tenantData: { [TENANT]: {} } });
  try {
    await policies.storeDecisive(sql, pdp);
    await record(ledger, policies, pdp, calls);
    process.stdout.write(JSON.stringify(await measure(policies, sql, keys, bundle, calls)));
  } finally {
    await ledger.close();
    await Promise.all([admin, sql, writerSql].map((pool) => pool.end({ timeout: 5 })));
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main(process.argv[2] ?? process.cwd(), Number(process.argv[3] ?? 100_000));
