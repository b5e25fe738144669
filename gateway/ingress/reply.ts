/**
 * Writes an answer on the raw Node response: head once, text with back-pressure, errors in OpenAI's shape. After the first
 * byte an error can only be an event of the stream, followed by the end without `[DONE]`.
 */
import type { ServerResponse } from 'node:http';
import type { GatewayError } from '../errors.ts';

export class Reply {
  readonly #outgoing: ServerResponse;
  readonly #abort = new AbortController();
  readonly #headers: Record<string, string> = {};

  constructor(outgoing: ServerResponse) {
    this.#outgoing = outgoing;
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) this.#abort.abort();
    });
  }

  /** Aborted when the caller goes away before the answer is complete. */
  get signal(): AbortSignal {
    return this.#abort.signal;
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
    if (this.#abort.signal.aborted) return;
    const bytes = Buffer.from(body, 'utf8');
    this.#outgoing.writeHead(status, { ...headers, ...this.#headers, 'content-length': bytes.length });
    this.#outgoing.end(bytes);
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
    if (text === '' || this.#abort.signal.aborted) return;
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
