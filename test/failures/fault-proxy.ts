/**
 * A road to PostgreSQL that breaks on command. Gateways under test connect through it; the test's own connections do
 * not. A fault strikes at a chosen statement, before the server saw it or after it took effect.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection } from '../../cli/embedded/connection.ts';

/** What becomes of the statement a fault was set on. */
export type Fault =
  /** The connection is cut before the server sees it. */
  | 'before'
  /** The server executes and commits it; its answer is lost with the connection. */
  | 'after';

/** What becomes of the road afterwards: open again at once, cut, or so slow that nothing arrives. */
export type Road = 'open' | 'cut' | 'stalled';

interface Trap {
  readonly text: string;
  readonly fault: Fault;
  readonly road: Road;
  readonly struck: () => void;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  /** Set from the statement on whose answer will be lost. */
  trap: Trap | null;
}

/** `ReadyForQuery, idle`: the server has committed and said everything. Source: PostgreSQL, message formats. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

export class FaultProxy {
  readonly #target: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'countersign-proxy-'));
  readonly #links = new Set<Link>();
  #listener: Server | null = null;
  #road: Road = 'open';
  #traps: Trap[] = [];

  private constructor(target: string) {
    this.#target = target;
  }

  static async start({ host, port }: Pick<Connection, 'host' | 'port'>): Promise<FaultProxy> {
    const proxy = new FaultProxy(join(host, `.s.PGSQL.${String(port)}`));
    await proxy.#listen();
    return proxy;
  }

  /** The same database by way of this proxy. */
  reach = (connection: Connection): Connection => ({ ...connection, host: this.#folder, port: 5432 });

  /** Every connection dies and new ones are refused. */
  async cut(): Promise<void> {
    this.#road = 'cut';
    for (const link of this.#links) drop(link);
    const listener = this.#listener;
    this.#listener = null;
    if (listener !== null) await new Promise((resolve) => listener.close(resolve));
  }

  /** Every connection dies; new ones are welcome. */
  reset(): void {
    for (const link of this.#links) drop(link);
  }

  /** Connections stay and are accepted, but not one byte passes. */
  stall(): void {
    this.#road = 'stalled';
    for (const link of this.#links) pause(link);
  }

  /** What was stalled flows again; new connections are welcome. */
  async open(): Promise<void> {
    this.#road = 'open';
    this.#traps = [];
    for (const link of this.#links) resume(link);
    if (this.#listener === null) await this.#listen();
  }

  /**
   * Sets a fault on the next statement whose parameters hold the text; resolves when it has struck.
   *
   * @param text `{decision` and `{outcome` mark a batch that begins with such an entry
   */
  async next(text: string, fault: Fault, road: Road): Promise<void> {
    await new Promise<void>((struck) => {
      this.#traps.push({ text, fault, road, struck });
    });
  }

  async close(): Promise<void> {
    await this.cut();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #listen(): Promise<void> {
    const listener = createServer((client) => {
      this.#accept(client);
    });
    this.#listener = listener;
    await new Promise<void>((resolve) => {
      listener.listen(join(this.#folder, '.s.PGSQL.5432'), resolve);
    });
  }

  #accept(client: Socket): void {
    const link: Link = { client, server: connect(this.#target), trap: null };
    this.#links.add(link);
    const end = (): void => {
      this.#links.delete(link);
      drop(link);
    };
    for (const socket of [client, link.server]) socket.on('close', end).on('error', end);
    client.on('data', (chunk) => {
      this.#toServer(link, chunk);
    });
    link.server.on('data', (chunk) => {
      this.#toClient(link, chunk);
    });
    if (this.#road === 'stalled') pause(link);
  }

  #toServer(link: Link, chunk: Buffer): void {
    const trap = this.#traps.find(({ text }) => chunk.includes(text));
    if (trap === undefined) {
      link.server.write(chunk);
      return;
    }
    this.#traps = this.#traps.filter((other) => other !== trap);
    if (trap.fault === 'before') this.#strike(link, trap);
    else {
      link.trap = trap;
      link.server.write(chunk);
    }
  }

  #toClient(link: Link, chunk: Buffer): void {
    if (link.trap === null) link.client.write(chunk);
    else if (chunk.includes(READY)) this.#strike(link, link.trap);
  }

  #strike(link: Link, trap: Trap): void {
    drop(link);
    if (trap.road === 'stalled') this.stall();
    const done = trap.road === 'cut' ? this.cut() : Promise.resolve();
    void done.then(trap.struck);
  }
}

function drop({ client, server }: Link): void {
  client.destroy();
  server.destroy();
}

function pause({ client, server }: Link): void {
  client.pause();
  server.pause();
}

function resume({ client, server }: Link): void {
  client.resume();
  server.resume();
}
