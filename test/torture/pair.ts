/** Two gateways on one database, kept running as a supervisor does. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Installation, Server } from './installation.ts';
import { TortureFailure, until } from './patience.ts';
import type { Step } from './plan.ts';

/** `owner` keeps the embedded database running, `guest` uses that database by its URL. */
type Name = 'owner' | 'guest';

const STARTS = 3;

export interface PairOptions {
  readonly installation: Installation;
  /** Path of the owner's configuration. */
  readonly owner: string;
  /** Writes the guest's configuration once the database is there, and answers with its path. */
  readonly guest: () => string;
}

export class Pair {
  readonly #options: PairOptions;
  readonly #servers = new Map<Name, { server: Server; dataUrl: string | null }>();
  #guest: string | null = null;
  /** Gateways that lost their lease without having been killed. */
  fenced = 0;

  constructor(options: PairOptions) {
    this.#options = options;
  }

  /** Where calls are answered at the moment. */
  urls = (): string[] => [...this.#servers.values()].flatMap(({ dataUrl }) => dataUrl ?? []);

  /** The last lines both wrote. */
  logs(): string {
    const { installation } = this.#options;
    return (['owner', 'guest'] as const).map((name) => `--- ${name}\n${installation.log(name)}`).join('\n');
  }

  async kill({ victim, choice, gapMs }: Step): Promise<void> {
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

  /** Starts what does not run, the owner first: it brings the database back, which the guest needs. Resolves when both are ready. */
  async revive(): Promise<void> {
    const owner = this.#servers.has('owner') ? Promise.resolve() : this.#start('owner');
    const guest = this.#servers.has('guest') ? Promise.resolve() : this.#start('guest');
    await Promise.all([owner, guest]);
    await this.#untilReady();
  }

  /** A process that was starved for too long loses its lease to the other one and ends by itself: it is started again. */
  async #untilReady(): Promise<void> {
    let found = '';
    await until(
      () => `both gateways to be ready: ${found}`,
      async () => {
        // A gateway that has not noticed yet that its database was killed still says that it is ready.
        found = this.#options.installation.database() === null ? 'no database\n' : '';
        for (const [name, { server, dataUrl }] of this.#servers) {
          if (server.child.exitCode !== null) await this.#startAgain(name, server);
          else {
            const response = await fetch(`${String(dataUrl)}/readyz`, { signal: AbortSignal.timeout(10_000) });
            if (!response.ok) found += `${name} ${await response.text()}\n`;
          }
        }
        return found === '';
      },
    );
  }

  async #startAgain(name: Name, server: Server): Promise<void> {
    if (!server.isFenced()) throw new TortureFailure(`the ${name} ended by itself`);
    this.fenced += 1;
    await this.#start(name);
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
    const database = this.#options.installation.database();
    if (database !== null) process.kill(database.postmaster, 'SIGKILL');
  }

  /** PostgreSQL ends all sessions when one dies, so the one that asks may be refused because of the kill before. */
  async #killBackend(choice: number): Promise<void> {
    await until(
      () => 'the database to name its sessions',
      async () => {
        const sql = this.#options.installation.connect();
        const backends = await sql<{ pid: number }[]>`
          select pid from pg_stat_activity where usename = 'cs_gateway' order by backend_start`.finally(() =>
          sql.end({ timeout: 1 }),
        );
        const chosen = backends[Math.floor(choice * backends.length)];
        if (chosen !== undefined) process.kill(chosen.pid, 'SIGKILL');
        return true;
      },
    );
  }

  #database(): Promise<void> {
    return until(
      () => 'the database to be back',
      () => Promise.resolve(this.#options.installation.database() !== null),
    );
  }

  #spawn(name: Name): { server: Server; dataUrl: string | null } {
    const { installation, owner, guest } = this.#options;
    const config = name === 'owner' ? owner : (this.#guest ??= guest());
    const running = { server: installation.up(config, name), dataUrl: null as string | null };
    this.#servers.set(name, running);
    return running;
  }

  async #start(name: Name): Promise<void> {
    for (let starts = 1; ; starts += 1) {
      if (name === 'guest') await this.#database();
      const running = this.#spawn(name);
      try {
        running.dataUrl = (await running.server.ready).dataUrl;
        return;
      } catch (error) {
        if (running.server.isFenced()) this.fenced += 1;
        // The guest's database goes and comes with an owner that lost its lease.
        else if (name === 'owner' || starts === STARTS) throw error;
      }
    }
  }
}
