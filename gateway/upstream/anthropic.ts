/**
 * Adapter for Anthropic's Messages API: requests and answers are translated between the two protocols, streams and
 * tools included. The translation is in the folder anthropic/; this file only sends.
 */
import { checkAnswer, MAX_BODY_BYTES } from './adapter.ts';
import type { AdapterOptions } from './adapter.ts';
import { translateRequest } from './anthropic/request.ts';
import { translateError, translateResponse } from './anthropic/response.ts';
import { translateStream } from './anthropic/stream.ts';
import { appendPassThrough, headerValue, safeResponseHeaders } from './headers.ts';
import { post } from './http-exchange.ts';
import type { HttpAnswer } from './http-exchange.ts';
import { readSse } from './sse.ts';
import { createTargets } from './target.ts';
import type { Deployment, SseEvent, Upstream, UpstreamCall, UpstreamResponse } from './upstream.ts';

/** The version of the protocol this adapter was written for (https://docs.claude.com/en/api/versioning). */
const ANTHROPIC_VERSION = '2023-06-01';

export interface AnthropicOptions extends AdapterOptions {
  /** Unix milliseconds, for the `created` time that Anthropic does not give. */
  readonly now: () => number;
  /** Sent when the caller gave no limit of its own. */
  readonly defaultMaxTokens?: number;
}

function constantHeaders(deployment: Deployment): string[] {
  const headers = ['content-type', 'application/json', 'accept-encoding', 'identity', 'user-agent', 'countersign'];
  if (deployment.apiKey !== null) headers.push('x-api-key', deployment.apiKey);
  return headers;
}

function callHeaders(constant: readonly string[], call: UpstreamCall): string[] {
  const headers = [...constant, 'accept', call.stream ? 'text/event-stream' : 'application/json'];
  if (call.headers['anthropic-version'] === undefined) headers.push('anthropic-version', ANTHROPIC_VERSION);
  appendPassThrough(headers, call.headers);
  return headers;
}

class TranslatedResponse implements UpstreamResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly requestId: string | null;
  readonly #answer: HttpAnswer;
  readonly #includeUsage: boolean;
  readonly #createdS: number;

  constructor(answer: HttpAnswer, includeUsage: boolean, createdS: number) {
    this.status = answer.status;
    this.requestId = headerValue(answer.headers, 'request-id');
    const headers = safeResponseHeaders(answer.headers);
    this.headers = this.requestId === null ? headers : { ...headers, 'x-request-id': this.requestId };
    this.#answer = answer;
    this.#includeUsage = includeUsage;
    this.#createdS = createdS;
  }

  async body(): Promise<Buffer> {
    const bytes = await this.#answer.body();
    return this.status < 300 ? translateResponse(bytes, this.#createdS) : translateError(bytes, this.status);
  }

  events(): AsyncIterable<SseEvent> {
    const options = { includeUsage: this.#includeUsage, createdS: this.#createdS };
    return translateStream(readSse(this.#answer.chunks()), options);
  }

  discard(): void {
    this.#answer.discard();
  }
}

export function createAnthropicUpstream(options: AnthropicOptions): Upstream {
  const maxBodyBytes = options.maxBodyBytes ?? MAX_BODY_BYTES;
  const targetOf = createTargets(options.egress, '/v1/messages', constantHeaders);
  return {
    async send(call) {
      const { pool, path, headers } = targetOf(call.deployment);
      const request = translateRequest(call.body, options.defaultMaxTokens);
      const answer = await post({
        pool,
        path,
        headers: callHeaders(headers, call),
        body: request.body,
        signal: call.signal,
        timeouts: call.timeouts,
        maxBodyBytes,
      });
      checkAnswer(answer, call.stream);
      return new TranslatedResponse(answer, request.includeUsage, Math.floor(options.now() / 1000));
    },
    close: async () => Promise.resolve(),
  };
}
