/**
 * Writes an answer on the raw Node response: head once, text with back-pressure, errors in OpenAI's shape. After the first
 * byte an error can only be an event of the stream, followed by the end without `[DONE]`.
 */
import { setMaxListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { GatewayError } from '../errors.ts';

const signals = new WeakMap<Socket, AbortSignal>();

/** One signal for all answers of a connection, because making one per call is expensive: when it closes, all are over. */
function connectionSignal(socket: Socket): AbortSignal {
  if (socket.destroyed) return AbortSignal.abort();
  const known = signals.get(socket);
  if (known !== undefined) return known;
  const controller = new AbortController();
  // Every call in progress on the connection listens, and takes its listener away when it ends.
  setMaxListeners(0, controller.signal);
  socket.once('close', () => controller.abort());
  signals.set(socket, controller.signal);
  return controller.signal;
}

export class Reply {
  readonly #outgoing: ServerResponse;
  readonly #signal: AbortSignal;
  readonly #headers: Record<string, string> = {};

  constructor(outgoing: ServerResponse) {
    this.#outgoing = outgoing;
    // The request's socket: a response that waits for its turn on the connection has none yet.
    this.#signal = connectionSignal(outgoing.req.socket);
  }

  /** Aborted when the caller's connection closes. */
  get signal(): AbortSignal {
    return this.#signal;
  }

  get started(): boolean {
    return this.#outgoing.headersSent;
  }

  /** A header every answer of this call carries from now on. */
  set(name: string, value: string): void {
    this.#headers[name] = value;
  }

  /** A complete answer in one piece. */
  send(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    if (this.#signal.aborted) return;
    this.#outgoing.writeHead(status, { ...headers, ...this.#headers, 'content-length': Buffer.byteLength(body) });
    // As a string: Node writes it together with the head.
    this.#outgoing.end(body);
  }

  /** Opens an event stream; the headers leave at once, before the first event. */
  openStream(headers: Readonly<Record<string, string>>): void {
    this.#outgoing.writeHead(200, {
      ...headers,
      ...this.#headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    });
    this.#outgoing.flushHeaders();
  }

  /** Resolves when the caller's socket can take more, so that a slow reader slows the upstream instead of filling memory. */
  async write(text: string): Promise<void> {
    if (text === '' || this.#signal.aborted) return;
    if (this.#outgoing.write(text)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#outgoing.off('drain', done);
        this.#outgoing.off('close', done);
        resolve();
      };
      this.#outgoing.on('drain', done);
      this.#outgoing.on('close', done);
    });
  }

  end(text = ''): void {
    this.#outgoing.end(text);
  }

  /** The error as a response, or as the last event of a stream that already began. */
  fail(error: GatewayError): void {
    const body = JSON.stringify(error.toOpenAi());
    if (this.started) {
      this.end(`data: ${body}\n\n`);
    } else {
      this.send(error.status, { 'content-type': 'application/json; charset=utf-8', ...error.headers() }, body);
    }
  }
}
