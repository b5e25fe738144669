/** Kills gateways and PostgreSQL under load, again and again, and looks at the evidence after each time. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { verifyLive, type KeyRing } from '../../ledger/index.ts';
import { Evidence, type Tally } from './evidence.ts';
import { Installation, type Server } from './installation.ts';
import { Load } from './load.ts';
import { createRandom, planSteps, type Step } from './plan.ts';
import { Upstream } from './upstream.ts';

export interface TortureOptions {
  readonly root: string;
  readonly seed: number;
  readonly kills: number;
  readonly callers: number;
  readonly say: (line: string) => void;
}

export interface TortureReport extends Tally {
  readonly kills: number;
  readonly calls: number;
  readonly requests: number;
  readonly seconds: number;
}

/** An invariant that did not hold; the message says how to repeat it. */
export class TortureFailure extends Error {
  override readonly name = 'TortureFailure';
}

const TENANTS = ['demo', 'other'] as const;
const SCOPE = 'org';
const LEASE_MS = 1000;
const PATIENCE_MS = 60_000;
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

function configuration(mock: string, more: string): string {
  return `listen: { host: 127.0.0.1, port: 0, admin_port: 0 }
providers: { mock: { kind: openai, base_url: "${mock}", hosting: external, region: eu } }
models: [{ name: model, deployments: [{ provider: mock, model: model }] }]
tenants: [${TENANTS.map((id) => `{ id: ${id}, policies: [baseline] }`).join(', ')}]
organisation: { budget: { monthly_usd: "1000" } }
prices: { overrides: [{ provider: mock, model: model, from: "2026-01-01", input_usd_per_mtok: "1", output_usd_per_mtok: "2" }] }
timeouts: { append_ms: 1500 }
retries: { max_attempts: 1 }
ledger: { lease_ms: ${String(LEASE_MS)} }
logging: { level: warn }
${more}`;
}

type Name = 'owner' | 'guest';

class Bench {
  readonly #options: TortureOptions;
  readonly #installation: Installation;
  readonly #upstream: Upstream;
  readonly #configs: Readonly<Record<Name, string>>;
  readonly #servers = new Map<Name, { server: Server; dataUrl: string | null }>();
  readonly #evidence = new Evidence();
  readonly #startedMs = Date.now();
  #load: Load | null = null;
  #verifiedEntries = 0;

  private constructor(options: TortureOptions, installation: Installation, upstream: Upstream, owner: string) {
    this.#options = options;
    this.#installation = installation;
    this.#upstream = upstream;
    this.#configs = { owner, guest: '' };
  }

  static async open(options: TortureOptions): Promise<Bench> {
    const upstream = await Upstream.start(createRandom(options.seed + 1));
    const installation = Installation.create(options.root);
    const bench = new Bench(
      options,
      installation,
      upstream,
      installation.writeConfig('owner.yaml', configuration(upstream.url, '')),
    );
    try {
      await bench.#begin();
      return bench;
    } catch (error) {
      await bench.close();
      throw error;
    }
  }

  async #begin(): Promise<void> {
    await this.#start('owner');
    const database = this.#installation.database();
    if (database === null) throw new Error('the database does not run');
    const { user, password, host, port, database: name } = database.gateway;
    const url = `postgres://${user}:${password}@localhost/${name}?host=${encodeURIComponent(host)}&port=${String(port)}`;
    const more = `database: { url: "${url}" }\nkeys: { provider: file, path: .countersign/keys }`;
    Object.assign(this.#configs, {
      guest: this.#installation.writeConfig('guest.yaml', configuration(this.#upstream.url, more)),
    });
    await this.#start('guest');
    const keys: string[] = [];
    for (const tenant of TENANTS) {
      const made = await this.#installation.ask(this.#configs.owner, 'keys', 'create', '--tenant', tenant);
      keys.push((made as { key: string }).key);
    }
    const servers = (): string[] => [...this.#servers.values()].flatMap(({ dataUrl }) => dataUrl ?? []);
    this.#load = new Load(servers, keys, createRandom(this.#options.seed + 2));
    this.#load.start(this.#options.callers);
  }

  async step(step: Step): Promise<void> {
    const at = `seed ${String(this.#options.seed)}, step ${String(step.number)} (kill ${step.victim})`;
    try {
      this.#load?.resume();
      await sleep(step.afterMs);
      await this.#kill(step);
      await this.#reviveAll();
      await sleep(50);
      await this.#look();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new TortureFailure(`${at}: ${why}\n${this.#logs()}`, { cause: error });
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
    const { verdict, openCalls } = (await this.#installation.ask(this.#configs.owner, 'ledger', 'verify')) as {
      verdict: string;
      openCalls: number;
    };
    if (verdict !== 'CONSISTENT' || openCalls !== 0)
      throw new TortureFailure(`countersign ledger verify: ${verdict}, ${String(openCalls)} open calls`);
    return {
      ...this.#evidence.tally,
      kills: this.#options.kills,
      calls: this.#load?.calls ?? 0,
      requests: this.#upstream.requests,
      seconds: Math.round((Date.now() - this.#startedMs) / 1000),
    };
  }

  async close(): Promise<void> {
    this.#load?.stop();
    await this.#installation.remove();
    await this.#upstream.close();
  }

  async #kill({ victim, choice, gapMs }: Step): Promise<void> {
    switch (victim) {
      case 'owner':
      case 'guest':
        return this.#killServer(victim);
      case 'both gateways':
        await Promise.all([this.#killServer('owner'), this.#killServer('guest')]);
        return;
      case 'postmaster':
        return this.#killPostmaster();
      case 'a backend':
        return this.#killBackend(choice);
      case 'owner and postmaster':
        await this.#killServer('owner');
        return this.#killPostmaster();
      case 'everything':
        this.#killPostmaster();
        await Promise.all([this.#killServer('guest'), this.#killServer('owner')]);
        return;
      case 'owner, and again while it starts':
        await this.#killServer('owner');
        this.#spawn('owner');
        await sleep(gapMs);
        return this.#killServer('owner');
    }
  }

  async #killServer(name: Name): Promise<void> {
    const running = this.#servers.get(name);
    if (running === undefined) return;
    running.dataUrl = null;
    running.server.child.kill('SIGKILL');
    await running.server.ended;
    this.#servers.delete(name);
  }

  #killPostmaster(): void {
    const database = this.#installation.database();
    if (database !== null) process.kill(database.postmaster, 'SIGKILL');
  }

  async #killBackend(choice: number): Promise<void> {
    const sql = this.#installation.connect();
    const backends = await sql<{ pid: number }[]>`
      select pid from pg_stat_activity where usename = 'cs_gateway' order by backend_start`;
    await sql.end({ timeout: 1 });
    const chosen = backends[Math.floor(choice * backends.length)];
    if (chosen !== undefined) process.kill(chosen.pid, 'SIGKILL');
  }

  #spawn(name: Name): { server: Server; dataUrl: string | null } {
    const running = { server: this.#installation.up(this.#configs[name], name), dataUrl: null as string | null };
    this.#servers.set(name, running);
    return running;
  }

  async #start(name: Name): Promise<void> {
    const running = this.#spawn(name);
    running.dataUrl = (await running.server.ready).dataUrl;
  }

  /** The owner brings the database back, which the guest needs to start. */
  async #reviveAll(): Promise<void> {
    const owner = this.#servers.has('owner') ? Promise.resolve() : this.#start('owner');
    const guest = this.#servers.has('guest')
      ? Promise.resolve()
      : until('the database to be back', () => Promise.resolve(this.#installation.database() !== null)).then(() =>
          this.#start('guest'),
        );
    await Promise.all([owner, guest]);
    for (const [name, { server, dataUrl }] of this.#servers) {
      if (server.child.exitCode !== null) throw new TortureFailure(`the ${name} ended by itself`);
      await until(`${String(dataUrl)} to be ready`, async () => (await fetch(`${String(dataUrl)}/readyz`)).ok);
    }
  }

  /** Lets the calls in progress end, waits until survivors have closed those of the dead, then checks everything. */
  async #look(): Promise<void> {
    const hanging = (await this.#load?.pause(PATIENCE_MS)) ?? 0;
    if (hanging > 0) throw new TortureFailure(`${String(hanging)} calls hang`);
    const sql = this.#installation.connect();
    try {
      await until('the calls of dead processes to be closed', async () => {
        const open = await sql`select 1 from ledger.open_calls limit 1`;
        return open.length === 0;
      });
      const problems = await this.#evidence.check(sql, this.#load?.take() ?? [], this.#upstream.take(), SCOPE);
      if (problems.length > 0) throw new TortureFailure(problems.slice(0, 5).join('\n'));
      const { entries } = this.#evidence.tally;
      if (entries > 20_000 && entries < this.#verifiedEntries * (1 + VERIFY_AFTER_GROWTH)) return;
      this.#verifiedEntries = entries;
      await verified(sql, await this.#installation.keys(sql, TENANTS));
    } finally {
      await sql.end({ timeout: 1 });
    }
  }

  #logs(): string {
    return (['owner', 'guest'] as const).map((name) => `--- ${name}\n${this.#installation.log(name)}`).join('\n');
  }
}

async function verified(sql: Sql, keys: KeyRing): Promise<void> {
  const { verdict, firstBad } = await verifyLive(sql, keys);
  if (verdict !== 'CONSISTENT') throw new TortureFailure(`the ledger is ${verdict}: ${JSON.stringify(firstBad)}`);
}

async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(25)) {
    if (await check().catch(() => false)) return;
    if (Date.now() > deadline) throw new TortureFailure(`waited ${String(PATIENCE_MS / 1000)} s for ${what}`);
  }
}
