/** Adapter for the sandbox model: the same port, the same shapes, no network and no key. */
import { setTimeout as sleep } from 'node:timers/promises';
import { UpstreamFailure } from './failure.ts';
import type { JsonObject } from './json.ts';
import { answerSandbox } from './sandbox-model.ts';
import type { SandboxAnswer } from './sandbox-model.ts';
import { DONE, formatSse } from './sse.ts';
import type { SseEvent, Upstream, UpstreamCall, UpstreamResponse } from './upstream.ts';

export interface SandboxOptions {
  /** Unix milliseconds, for the `created` time. */
  readonly now: () => number;
  /** Pauses like those of a real model: before the answer, and before each piece of a stream. Default none. */
  readonly firstByteDelayMs?: number;
  readonly chunkDelayMs?: number;
}

/** Characters of tool arguments in one piece of a stream. */
const ARGUMENT_PIECE_CHARS = 12;

export function createSandboxUpstream(options: SandboxOptions): Upstream {
  return {
    async send(call) {
      const { firstByteMs } = call.timeouts;
      await pause(options.firstByteDelayMs ?? 0, firstByteMs, 'first_byte_timeout', call);
      const answer = answerSandbox(call.body);
      if ('refused' in answer) return refusal(answer.refused, answer.param);
      return new SandboxResponse(call, answer, options);
    },
    close: async () => Promise.resolve(),
  };
}

async function pause(
  ms: number,
  limitMs: number,
  reason: 'first_byte_timeout' | 'idle_timeout',
  call: UpstreamCall,
): Promise<void> {
  const { signal } = call;
  if (ms > 0) await sleep(Math.min(ms, limitMs), undefined, { signal }).catch(() => undefined);
  if (signal.aborted) throw new UpstreamFailure('aborted', reason === 'idle_timeout');
  if (ms > limitMs) throw new UpstreamFailure(reason, true);
}

function refusal(message: string, param: string): UpstreamResponse {
  const body = Buffer.from(JSON.stringify({ error: { message, type: 'invalid_request_error', param, code: null } }));
  return {
    status: 400,
    headers: { 'content-type': 'application/json' },
    requestId: null,
    body: async () => Promise.resolve(body),
    events: () => {
      throw new UpstreamFailure('bad_answer', true, 'an error is not a stream');
    },
    discard: () => undefined,
  };
}

class SandboxResponse implements UpstreamResponse {
  readonly status = 200;
  readonly headers: Readonly<Record<string, string>>;
  readonly requestId: string;
  readonly #call: UpstreamCall;
  readonly #answer: SandboxAnswer;
  readonly #createdS: number;
  readonly #chunkDelayMs: number;
  #given = false;

  constructor(call: UpstreamCall, answer: SandboxAnswer, options: SandboxOptions) {
    this.requestId = `req_sandbox_${answer.id}`;
    this.headers = {
      'content-type': call.stream ? 'text/event-stream; charset=utf-8' : 'application/json',
      'x-request-id': this.requestId,
    };
    this.#call = call;
    this.#answer = answer;
    this.#createdS = Math.floor(options.now() / 1000);
    this.#chunkDelayMs = options.chunkDelayMs ?? 0;
  }

  async body(): Promise<Buffer> {
    if (this.#call.signal.aborted) throw new UpstreamFailure('aborted', true);
    const { content, toolCalls, finishReason, choices, usage } = this.#answer;
    const calls = toolCalls.map(({ id, name, arguments: text }) => ({
      id,
      type: 'function',
      function: { name, arguments: text },
    }));
    const message = { role: 'assistant', content, refusal: null, ...(calls.length === 0 ? {} : { tool_calls: calls }) };
    const all = Array.from({ length: choices }, (_, index) => ({
      index,
      message,
      logprobs: null,
      finish_reason: finishReason,
    }));
    const completion = { ...this.#head('chat.completion'), choices: all, usage };
    return Promise.resolve(Buffer.from(JSON.stringify(completion)));
  }

  async *events(): AsyncGenerator<SseEvent> {
    for (const chunk of this.#chunks()) {
      await pause(this.#chunkDelayMs, this.#call.timeouts.idleMs, 'idle_timeout', this.#call);
      if (this.#given) return;
      yield formatSse(JSON.stringify(chunk));
    }
    if (!this.#given) yield DONE;
  }

  discard(): void {
    this.#given = true;
  }

  #head(object: string): JsonObject {
    const { id, model } = this.#answer;
    return { id: `chatcmpl-sandbox-${id}`, object, created: this.#createdS, model };
  }

  *#chunks(): Generator<JsonObject> {
    const { choices, finishReason, includeUsage, usage } = this.#answer;
    const rest = includeUsage ? { usage: null } : {};
    const head = this.#head('chat.completion.chunk');
    for (let index = 0; index < choices; index++) {
      for (const delta of this.#deltas()) {
        yield { ...head, choices: [{ index, delta, logprobs: null, finish_reason: null }], ...rest };
      }
      yield { ...head, choices: [{ index, delta: {}, logprobs: null, finish_reason: finishReason }], ...rest };
    }
    if (includeUsage) yield { ...head, choices: [], usage };
  }

  /** The role, then word by word, or each tool call's name and its arguments in pieces. */
  *#deltas(): Generator<JsonObject> {
    const { content, toolCalls } = this.#answer;
    yield { role: 'assistant', content: content === null ? null : '', refusal: null };
    for (const word of content?.match(/\S+\s*|\s+/g) ?? []) yield { content: word };
    for (const [index, { id, name, arguments: text }] of toolCalls.entries()) {
      yield { tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] };
      for (let at = 0; at < text.length; at += ARGUMENT_PIECE_CHARS) {
        yield { tool_calls: [{ index, function: { arguments: text.slice(at, at + ARGUMENT_PIECE_CHARS) } }] };
      }
    }
  }
}
