/**
 * Adapter for everything that speaks OpenAI's chat completions protocol: OpenAI, Ollama, vLLM and many more. The body
 * goes out and the answer comes back as exact bytes; only headers are chosen.
 */
import { checkAnswer, MAX_BODY_BYTES } from './adapter.ts';
import type { AdapterOptions } from './adapter.ts';
import { appendPassThrough, headerValue, safeResponseHeaders } from './headers.ts';
import { post } from './http-exchange.ts';
import type { HttpAnswer } from './http-exchange.ts';
import { readSse } from './sse.ts';
import { createTargets } from './target.ts';
import type { Deployment, SseEvent, Upstream, UpstreamCall, UpstreamResponse } from './upstream.ts';

function constantHeaders(deployment: Deployment): string[] {
  const headers = ['content-type', 'application/json', 'accept-encoding', 'identity', 'user-agent', 'countersign'];
  if (deployment.apiKey !== null) headers.push('authorization', `Bearer ${deployment.apiKey}`);
  return headers;
}

function callHeaders(constant: readonly string[], call: UpstreamCall): string[] {
  const headers = [...constant, 'accept', call.stream ? 'text/event-stream' : 'application/json'];
  // OpenAI keeps this id beside its own, so that its logs and our ledger can be laid side by side.
  if (call.headers['x-client-request-id'] === undefined) headers.push('x-client-request-id', call.callId);
  appendPassThrough(headers, call.headers);
  return headers;
}

/** The answer as it is, with the safe subset of its headers. */
class PlainResponse implements UpstreamResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly requestId: string | null;
  readonly #answer: HttpAnswer;

  constructor(answer: HttpAnswer) {
    this.status = answer.status;
    this.headers = safeResponseHeaders(answer.headers);
    this.requestId = headerValue(answer.headers, 'x-request-id');
    this.#answer = answer;
  }

  async body(): Promise<Buffer> {
    return this.#answer.body();
  }

  events(): AsyncIterable<SseEvent> {
    return readSse(this.#answer.chunks());
  }

  discard(): void {
    this.#answer.discard();
  }
}

export function createOpenAiUpstream(options: AdapterOptions): Upstream {
  const maxBodyBytes = options.maxBodyBytes ?? MAX_BODY_BYTES;
  const targetOf = createTargets(options.egress, '/chat/completions', constantHeaders);
  return {
    async send(call) {
      const { pool, path, headers } = targetOf(call.deployment);
      const answer = await post({
        pool,
        path,
        headers: callHeaders(headers, call),
        body: call.body,
        signal: call.signal,
        timeouts: call.timeouts,
        maxBodyBytes,
      });
      checkAnswer(answer, call.stream);
      return new PlainResponse(answer);
    },
    // Connections belong to the egress, which its owner closes.
    close: async () => Promise.resolve(),
  };
}
