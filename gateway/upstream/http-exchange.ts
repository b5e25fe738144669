/**
 * One POST over a pool, as a push handler: three timers in one, abort that cuts the socket at once, back-pressure that
 * stops reading when our own reader is slow, and a body that is collected without copies. Nothing is ever repeated
 * here; undici writes a non-idempotent request at most once.
 */
import type { DispatchController, DispatchHandler, EgressPool } from '../egress.ts';
import { GatewayError } from '../errors.ts';
import { codeOf, UpstreamFailure } from './failure.ts';
import type { Timeouts } from './upstream.ts';

export interface HttpCall {
  readonly pool: EgressPool;
  readonly path: string;
  /** Name, value, name, value, … */
  readonly headers: string[];
  readonly body: string;
  readonly signal: AbortSignal;
  readonly timeouts: Timeouts;
  readonly maxBodyBytes: number;
}

export type RawHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** An answer whose headers have arrived. One of `body` and `chunks` is called, once; `discard` at any time. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: RawHeaders;
  body(): Promise<Buffer>;
  chunks(): AsyncIterable<Buffer>;
  discard(): void;
}

/** Reading stops above this until the reader has caught up. */
const HIGH_WATER_BYTES = 256 * 1024;
/** A rest up to this length is read to its end so that the connection can be used again. */
const DRAIN_BYTES = 64 * 1024;

/** @throws UpstreamFailure; its `reason` and `sent` say how far the call got */
export async function post(call: HttpCall): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    new HttpExchange(call, resolve, reject).start();
  });
}

class HttpExchange implements DispatchHandler, HttpAnswer {
  status = 0;
  headers: RawHeaders = {};
  #call: HttpCall;
  #onHead: (answer: HttpAnswer) => void;
  #onFailure: (failure: Error) => void;
  #phase: 'connect' | 'first_byte' | 'body' | 'ended' = 'connect';
  #mode: 'waiting' | 'chunks' | 'whole' | 'discard' = 'waiting';
  #controller: DispatchController | null = null;
  #timer: NodeJS.Timeout | null = null;
  #failure: GatewayError | null = null;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #paused = false;
  #wake: (() => void) | null = null;

  constructor(call: HttpCall, onHead: (answer: HttpAnswer) => void, onFailure: (failure: Error) => void) {
    this.#call = call;
    this.#onHead = onHead;
    this.#onFailure = onFailure;
  }

  start(): void {
    const { pool, path, headers, body, signal, timeouts } = this.#call;
    if (signal.aborted) {
      this.#fail(new UpstreamFailure('aborted', false));
      return;
    }
    signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#arm(timeouts.connectMs);
    pool.dispatch({ method: 'POST', path, headers, body, idempotent: false }, this);
  }

  onRequestStart(controller: DispatchController): void {
    if (this.#failure !== null) {
      // Given up while waiting for a connection: nothing has been written yet, and nothing will be.
      controller.abort(this.#failure);
      return;
    }
    this.#controller = controller;
    this.#phase = 'first_byte';
    this.#arm(this.#call.timeouts.firstByteMs);
  }

  onResponseStart(_controller: DispatchController, status: number, headers: RawHeaders): void {
    if (status < 200) return;
    this.status = status;
    this.headers = headers;
    this.#onHead(this);
  }

  onResponseData(controller: DispatchController, chunk: Buffer): void {
    if (this.#phase === 'first_byte') {
      this.#phase = 'body';
      this.#arm(this.#call.timeouts.idleMs);
    } else {
      this.#timer?.refresh();
    }
    this.#queuedBytes += chunk.length;
    if (this.#mode === 'discard') {
      if (this.#queuedBytes > DRAIN_BYTES) this.#fail(new UpstreamFailure('aborted', true));
      return;
    }
    this.#queue.push(chunk);
    if (this.#mode === 'whole') {
      if (this.#queuedBytes > this.#call.maxBodyBytes) this.#fail(new UpstreamFailure('too_large', true));
      return;
    }
    if (this.#queuedBytes > HIGH_WATER_BYTES) this.#pause(controller);
    this.#wake?.();
  }

  onResponseEnd(): void {
    this.#phase = 'ended';
    this.#release();
    this.#wake?.();
  }

  onResponseError(_controller: DispatchController, error: Error): void {
    this.#fail(this.#failureOf(error));
  }

  async body(): Promise<Buffer> {
    this.#mode = 'whole';
    if (this.#queuedBytes > this.#call.maxBodyBytes) this.#fail(new UpstreamFailure('too_large', true));
    this.#resume();
    while (this.#phase !== 'ended' && this.#failure === null) await this.#woken();
    if (this.#failure !== null) throw this.#failure;
    const [first] = this.#queue;
    return this.#queue.length === 1 && first !== undefined ? first : Buffer.concat(this.#queue, this.#queuedBytes);
  }

  async *chunks(): AsyncGenerator<Buffer> {
    this.#mode = 'chunks';
    try {
      for (;;) {
        const chunk = this.#queue.shift();
        if (chunk !== undefined) {
          this.#queuedBytes -= chunk.length;
          yield chunk;
        } else if (this.#failure !== null) {
          throw this.#failure;
        } else if (this.#phase === 'ended') {
          return;
        } else if (this.#paused) {
          // May deliver data at once, so the queue is looked at again before waiting.
          this.#resume();
        } else {
          await this.#woken();
        }
      }
    } finally {
      this.#cut();
    }
  }

  discard(): void {
    if (this.#mode !== 'waiting') {
      this.#cut();
      return;
    }
    this.#mode = 'discard';
    if (this.#queuedBytes > DRAIN_BYTES) this.#cut();
    this.#queue = [];
    this.#resume();
  }

  #cut(): void {
    if (this.#phase !== 'ended') this.#fail(new UpstreamFailure('aborted', true));
  }

  #onAbort = (): void => {
    // What has arrived is of no use to a caller that is gone.
    this.#queue = [];
    this.#fail(new UpstreamFailure('aborted', this.#controller !== null));
  };

  #onTimeout = (): void => {
    const reason =
      this.#phase === 'connect'
        ? 'connect_timeout'
        : this.#phase === 'first_byte'
          ? 'first_byte_timeout'
          : 'idle_timeout';
    this.#fail(new UpstreamFailure(reason, this.#controller !== null));
  };

  #failureOf(error: Error): GatewayError {
    if (error instanceof GatewayError) return error;
    const hint = codeOf(error);
    if (this.#controller === null) {
      return new UpstreamFailure(
        hint === 'UND_ERR_CONNECT_TIMEOUT' ? 'connect_timeout' : 'connect_failed',
        false,
        hint,
      );
    }
    if (error.name === 'HTTPParserError' || hint === 'UND_ERR_HEADERS_OVERFLOW') {
      // Without the parser's text, which quotes the provider.
      return new UpstreamFailure('bad_answer', true, 'not HTTP');
    }
    return new UpstreamFailure(this.status === 0 ? 'closed_early' : 'broken_answer', true, hint);
  }

  /** Ends the exchange once: the first reason stays, the socket is destroyed, whoever waits is told. */
  #fail(failure: GatewayError): void {
    if (this.#failure !== null || this.#phase === 'ended') return;
    this.#failure = failure;
    this.#release();
    this.#controller?.abort(failure);
    if (this.status === 0) this.#onFailure(failure);
    this.#wake?.();
  }

  #release(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#call.signal.removeEventListener('abort', this.#onAbort);
  }

  #arm(timeoutMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onTimeout, timeoutMs);
  }

  #pause(controller: DispatchController): void {
    if (this.#paused) return;
    this.#paused = true;
    controller.pause();
    // A slow reader may take its time; an answer that nobody has begun to read must not hold its connection for ever.
    if (this.#mode === 'waiting') return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #resume(): void {
    if (!this.#paused || this.#failure !== null) return;
    this.#paused = false;
    this.#arm(this.#call.timeouts.idleMs);
    this.#controller?.resume();
  }

  async #woken(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = null;
  }
}
