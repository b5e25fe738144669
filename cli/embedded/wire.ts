import { EventEmitter } from 'node:events';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { DatabaseOptions } from '../database-url.ts';
import { Answers, cleanStart, TLS_AGREED, TLS_REQUEST } from './wire-format.ts';

export interface WireLimits {
  /** From the attempt to connect until the server takes statements. */
  readonly connectMs: number;
  /** Longest silence of a server that owes an answer; null: as long as it takes. */
  readonly silenceMs: number | null;
}

type Place = Pick<DatabaseOptions, 'host' | 'port' | 'ssl'>;

/** Idle time after which the kernel begins to ask whether the other side is there. */
const KEEP_ALIVE_MS = 10_000;
/** A process that was stopped finds its timers due before it has read what arrived meanwhile. */
const GRACE_MS = 100;
const GOODBYE_MS = 1000;

/**
 * One connection to PostgreSQL, in place of the socket that the driver (postgres 3.4.9) would open. It says `error` and
 * `close` in one breath, so that no statement is given to a connection between the two and waits for ever; it ends when
 * the server accepts and never answers, and a server that accepts and closes is an error of the statement, not a reason
 * to try again at once for ever.
 */
export class Wire extends EventEmitter {
  readonly host: string;
  readonly port: number;
  readonly #place: Place;
  readonly #limits: WireLimits;
  readonly #siblings: Set<Wire>;
  readonly #answers = new Answers();
  #socket: Socket;
  /** What the driver wrote before there was a road for it. */
  #early: Buffer[] | null = [];
  #started = false;
  /** Monotonic time since when the server owes an answer. */
  #owedSinceMs: number | null = null;
  #heardMs = performance.now();
  #timer: NodeJS.Timeout | null = null;
  /** Part of the driver's idea of a socket. */
  readyState: 'open' | 'closed' = 'open';

  /** @param siblings connections on the same road; it enters itself */
  constructor(place: Place, limits: WireLimits, siblings: Set<Wire>) {
    super();
    this.#place = place;
    this.#limits = limits;
    this.#siblings = siblings;
    this.host = place.host;
    this.port = place.port;
    siblings.add(this);
    this.#socket = this.#open();
    this.#timer = setTimeout(() => this.#late(), limits.connectMs);
  }

  /** Kept in memory as long as the other side does not read: one statement at a time is under way. */
  write(bytes: Buffer): boolean {
    const clean = this.#started ? bytes : cleanStart(bytes);
    this.#started = true;
    if (this.#early !== null) this.#early.push(clean);
    else if (this.readyState === 'open') this.#socket.write(clean);
    if (this.#answers.ready > 0) this.#owe();
    return true;
  }

  /** Says goodbye and does not wait for an answer. */
  end(goodbye: Buffer): void {
    if (this.#early === null) this.#socket.end(goodbye);
    this.#die(null);
  }

  destroy(): void {
    this.#die(null);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #open(): Socket {
    const { host, port, ssl } = this.#place;
    const socket = host.startsWith('/')
      ? connectPlain(`${host}/.s.PGSQL.${String(port)}`)
      : connectPlain({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
    this.#mourn(socket);
    socket.once('connect', () => {
      if (ssl === false) this.#use(socket);
      else this.#secure(socket, ssl === 'verify-full');
    });
    return socket;
  }

  #secure(socket: Socket, verify: boolean): void {
    socket.write(TLS_REQUEST);
    socket.once('data', (answer: Buffer) => {
      // Whatever came unencrypted after the consent was not said by the server we are about to verify.
      if (answer.length !== 1 || answer[0] !== TLS_AGREED) {
        this.#die(wireError('TLS_REFUSED', 'expected a server with TLS, found one without'));
        return;
      }
      const { host } = this.#place;
      const secured = connectTls({
        socket,
        host,
        rejectUnauthorized: verify,
        ...(isIP(host) === 0 ? { servername: host } : {}),
      });
      this.#socket = secured;
      this.#mourn(secured);
      secured.once('secureConnect', () => this.#use(secured));
    });
  }

  #use(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.#hear(chunk);
    });
    for (const bytes of this.#early ?? []) socket.write(bytes);
    this.#early = null;
  }

  #mourn(socket: Socket): void {
    socket.once('error', (error) => this.#die(error));
    socket.once('close', () => this.#die(null));
  }

  #hear(chunk: Buffer): void {
    if (this.readyState === 'closed') return;
    const { ready } = this.#answers;
    this.#answers.read(chunk);
    this.#heardMs = performance.now();
    if (this.#answers.ready > ready) this.#owedSinceMs = null;
    if (ready === 0 && this.#answers.ready > 0) this.#rest();
    this.emit('data', chunk);
  }

  #owe(): void {
    this.#owedSinceMs ??= performance.now();
    const { silenceMs } = this.#limits;
    // The timer outlives the answer: making one for each statement costs more than looking in vain.
    if (silenceMs !== null) this.#timer ??= setTimeout(() => this.#look(silenceMs, false), silenceMs).unref();
  }

  #look(silenceMs: number, isSecond: boolean): void {
    this.#timer = null;
    if (this.#owedSinceMs === null || this.readyState === 'closed') return;
    const sinceMs = Math.max(this.#owedSinceMs, this.#heardMs);
    const leftMs = sinceMs + silenceMs - performance.now();
    if (leftMs > 0) this.#timer = setTimeout(() => this.#look(silenceMs, false), leftMs).unref();
    else if (!isSecond) this.#timer = setTimeout(() => this.#look(silenceMs, true), GRACE_MS).unref();
    else this.#lose(sinceMs);
  }

  /** The road is broken without anybody having said so: whoever has heard nothing since is on the wrong side of it too. */
  #lose(sinceMs: number): void {
    const error = wireError('CONNECTION_CLOSED', 'expected an answer of the database, found silence');
    for (const wire of this.#siblings) if (wire.#heardMs <= sinceMs) wire.#die(error);
    this.#die(error);
  }

  #late(): void {
    this.#timer = setTimeout(() => {
      this.#die(wireError('CONNECT_TIMEOUT', 'expected a database that takes statements, found none in time'));
    }, GRACE_MS);
  }

  #rest(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #die(cause: Error | null): void {
    if (this.readyState === 'closed') return;
    this.readyState = 'closed';
    this.#siblings.delete(this);
    this.#rest();
    const socket = this.#socket.on('error', () => undefined);
    // What was written last is given to the kernel, if it takes it; an answer is not waited for.
    socket.destroySoon();
    setTimeout(() => socket.destroy(), GOODBYE_MS).unref();
    const isBusy = this.#answers.ready === 0 || this.#owedSinceMs !== null;
    const error = cause ?? (isBusy ? wireError('CONNECTION_CLOSED', 'the database closed the connection') : null);
    if (error !== null && this.listenerCount('error') > 0) this.emit('error', error);
    this.emit('close', error !== null);
  }
}

function wireError(code: string, message: string): Error {
  return Object.assign(new WireError(message), { code });
}

class WireError extends Error {
  override readonly name = 'WireError';
}
