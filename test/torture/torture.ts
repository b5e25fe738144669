/** Kills gateways and PostgreSQL under load, again and again, and looks at the evidence after each time. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { verifyLive, type KeyRing } from '../../ledger/index.ts';
import { Evidence, type Tally } from './evidence.ts';
import { Installation } from './installation.ts';
import { Load } from './load.ts';
import { Pair } from './pair.ts';
import { PATIENCE_MS, TortureFailure, until } from './patience.ts';
import { createRandom, planSteps, type Step } from './plan.ts';
import { Upstream } from './upstream.ts';

export interface TortureOptions {
  readonly root: string;
  readonly seed: number;
  readonly kills: number;
  readonly callers: number;
  /** Of each gateway: a short one makes a run shorter, and is lost more often on a busy machine. */
  readonly leaseMs: number;
  readonly say: (line: string) => void;
}

export interface TortureReport extends Tally {
  readonly kills: number;
  readonly calls: number;
  readonly requests: number;
  /** Gateways that lost their lease without having been killed. */
  readonly fenced: number;
  readonly seconds: number;
}

const TENANTS = ['demo', 'other'] as const;
const SCOPE = 'org';
/** A connection that broke while evidence was read proves nothing. */
const LOOKS = 3;
/** Verifying reads everything: with a long ledger only when it has grown by so much since the last time. */
const VERIFY_AFTER_GROWTH = 0.1;

export async function torture(options: TortureOptions): Promise<TortureReport> {
  const bench = await Bench.open(options);
  try {
    for (const step of planSteps(options.seed, options.kills)) await bench.step(step);
    return await bench.finish();
  } finally {
    await bench.close();
  }
}

function configuration(mock: string, leaseMs: number, more: string): string {
  return `listen: { host: 127.0.0.1, port: 0, admin_port: 0 }
providers: { mock: { kind: openai, base_url: "${mock}", hosting: external, region: eu } }
models: [{ name: model, deployments: [{ provider: mock, model: model }] }]
tenants: [${TENANTS.map((id) => `{ id: ${id}, policies: [baseline] }`).join(', ')}]
organisation: { budget: { monthly_usd: "1000" } }
prices: { overrides: [{ provider: mock, model: model, from: "2026-01-01", input_usd_per_mtok: "1", output_usd_per_mtok: "2" }] }
timeouts: { append_ms: 1500 }
retries: { max_attempts: 1 }
ledger: { lease_ms: ${String(leaseMs)} }
logging: { level: warn }
${more}`;
}

class Bench {
  readonly #options: TortureOptions;
  readonly #installation: Installation;
  readonly #upstream: Upstream;
  readonly #owner: string;
  readonly #pair: Pair;
  readonly #evidence = new Evidence();
  readonly #startedMs = Date.now();
  #load: Load | null = null;
  #verifiedEntries = 0;

  private constructor(options: TortureOptions, installation: Installation, upstream: Upstream) {
    this.#options = options;
    this.#installation = installation;
    this.#upstream = upstream;
    this.#owner = installation.writeConfig('owner.yaml', configuration(upstream.url, options.leaseMs, ''));
    this.#pair = new Pair({ installation, owner: this.#owner, guest: () => this.#configureGuest() });
  }

  static async open(options: TortureOptions): Promise<Bench> {
    const upstream = await Upstream.start(createRandom(options.seed + 1));
    const bench = new Bench(options, Installation.create(options.root), upstream);
    try {
      await bench.#begin();
      return bench;
    } catch (error) {
      await bench.close();
      throw error;
    }
  }

  async #begin(): Promise<void> {
    await this.#pair.revive();
    const keys: string[] = [];
    for (const tenant of TENANTS) {
      const made = await this.#installation.ask(this.#owner, 'keys', 'create', '--tenant', tenant);
      keys.push((made as { key: string }).key);
    }
    this.#load = new Load(this.#pair.urls, keys, createRandom(this.#options.seed + 2));
    this.#load.start(this.#options.callers);
  }

  #configureGuest(): string {
    const database = this.#installation.database();
    if (database === null) throw new Error('the database does not run');
    const { user, password, host, port, database: name } = database.gateway;
    const url = `postgres://${user}:${password}@localhost/${name}?host=${encodeURIComponent(host)}&port=${String(port)}`;
    const more = `database: { url: "${url}" }\nkeys: { provider: file, path: .countersign/keys }`;
    return this.#installation.writeConfig('guest.yaml', configuration(this.#upstream.url, this.#options.leaseMs, more));
  }

  async step(step: Step): Promise<void> {
    const at = `seed ${String(this.#options.seed)}, step ${String(step.number)} (kill ${step.victim})`;
    try {
      this.#load?.resume();
      await sleep(step.afterMs);
      await this.#pair.kill(step);
      await this.#pair.revive();
      await sleep(50);
      await this.#look();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new TortureFailure(`${at}: ${why}\n${this.#pair.logs()}`, { cause: error });
    }
    const { entries, acknowledged } = this.#evidence.tally;
    this.#options.say(
      `${at}: ${String(Date.now() - this.#startedMs)} ms, ${String(this.#load?.calls)} calls, ${String(entries)} entries, ${String(acknowledged)} acknowledged, consistent`,
    );
  }

  async finish(): Promise<TortureReport> {
    const problems = this.#evidence.recheck();
    if (problems.length > 0) throw new TortureFailure(problems.slice(0, 5).join('\n'));
    this.#load?.stop();
    const { verdict, consistent, openCalls } = (await this.#installation.ask(this.#owner, 'ledger', 'verify')) as {
      verdict: string;
      consistent: boolean;
      openCalls: number;
    };
    if (!consistent || openCalls !== 0)
      throw new TortureFailure(`countersign ledger verify: ${verdict}, ${String(openCalls)} open calls`);
    return {
      ...this.#evidence.tally,
      kills: this.#options.kills,
      calls: this.#load?.calls ?? 0,
      requests: this.#upstream.requests,
      fenced: this.#pair.fenced,
      seconds: Math.round((Date.now() - this.#startedMs) / 1000),
    };
  }

  async close(): Promise<void> {
    this.#load?.stop();
    await this.#installation.remove();
    await this.#upstream.close();
  }

  /** Lets the calls in progress end, then looks at the evidence. */
  async #look(): Promise<void> {
    const hanging = (await this.#load?.pause(PATIENCE_MS)) ?? 0;
    if (hanging > 0) throw new TortureFailure(`${String(hanging)} calls hang`);
    this.#evidence.hear(this.#load?.take() ?? [], this.#upstream.take());
    for (let looks = 1; ; looks += 1) {
      const { fenced } = this.#pair;
      const failure = await this.#examine().then(
        () => null,
        (error: unknown) => error,
      );
      if (failure === null) return;
      // A gateway that lost its lease meanwhile corrects what was closed for it and, if it owns the database, takes it along.
      await this.#pair.revive();
      const isAbout = failure instanceof TortureFailure;
      if (isAbout ? this.#pair.fenced === fenced : looks === LOOKS) throw failure;
    }
  }

  /** Waits until survivors have closed the calls of the dead, then checks everything. */
  async #examine(): Promise<void> {
    const sql = this.#installation.connect();
    try {
      await until(
        () => 'the calls of dead processes to be closed',
        async () => (await sql`select 1 from ledger.open_calls limit 1`).length === 0,
      );
      const problems = await this.#evidence.check(sql, SCOPE);
      if (problems.length > 0) throw new TortureFailure(problems.slice(0, 5).join('\n'));
      const { entries } = this.#evidence.tally;
      if (entries > 20_000 && entries < this.#verifiedEntries * (1 + VERIFY_AFTER_GROWTH)) return;
      await verified(sql, await this.#installation.keys(sql, TENANTS));
      this.#verifiedEntries = entries;
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
}

async function verified(sql: Sql, keys: KeyRing): Promise<void> {
  const { verdict, consistent, firstBad } = await verifyLive(sql, keys);
  if (!consistent) throw new TortureFailure(`the ledger is ${verdict}: ${JSON.stringify(firstBad)}`);
}
