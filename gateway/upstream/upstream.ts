/**
 * The upstream port: the one shape in which the pipeline talks to a model provider. Every adapter takes an enforced
 * request in OpenAI's chat shape and answers in OpenAI's shape, so that classification, decisions and evidence are
 * written once. One contract suite (test/gateway/upstream/contract.ts) holds for all of them.
 */

export interface Deployment {
  /** `<provider>/<model>`, the name used in policies, routes and ledger entries. */
  readonly id: string;
  readonly provider: string;
  readonly kind: 'openai' | 'anthropic' | 'sandbox';
  readonly model: string;
  /** Without a trailing slash; for `openai` it ends in `/v1` or the provider's equal. */
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly region: string;
  readonly hosting: 'external' | 'private' | 'local';
  readonly family: string;
  /** Days the provider keeps what it receives; null when its terms do not say. */
  readonly retentionDays: number | null;
  readonly trainsOnData: boolean | null;
  readonly tags: readonly string[];
}

export interface Timeouts {
  /** From the send to an established connection, waiting for a free one included. */
  readonly connectMs: number;
  /** From the last byte sent to the first byte of the answer's body: headers alone are not an answer. */
  readonly firstByteMs: number;
  /** Between two pieces of the answer. Time in which our own reader is the slow one does not count. */
  readonly idleMs: number;
}

export interface UpstreamCall {
  readonly deployment: Deployment;
  /** The enforced OpenAI chat body, the model's name already replaced; sent as these exact bytes where the protocol is the same. */
  readonly body: string;
  readonly stream: boolean;
  readonly callId: string;
  /** Extra headers to pass through, names in lower case. Credentials and framing headers among them are ignored. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly timeouts: Timeouts;
}

/** One event of a server-sent event stream. */
export interface SseEvent {
  /** Exact text of the event with its blank line, for forwarding untouched. */
  readonly raw: string;
  /** The data lines joined by a line feed; null when there is none (comments, heartbeats). */
  readonly data: string | null;
}

/**
 * An answer whose headers have arrived. One of `body` and `events` is called once, or `discard`: an answer nobody takes
 * would hold its connection.
 */
export interface UpstreamResponse {
  /** The upstream's own status, never a 1xx or 3xx. */
  readonly status: number;
  /** Only headers that are safe to show a caller, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The provider's own name for the request, for reconciliation. */
  readonly requestId: string | null;
  /** The whole body in OpenAI's shape, bounded. Rejects with GatewayError upstream_error, upstream_timeout, client_closed. */
  body(): Promise<Buffer>;
  /**
   * The events of a streamed 200 answer in OpenAI's chunk shape. Throws GatewayError upstream_error when the stream
   * breaks, upstream_timeout when it stalls, client_closed after an abort (unless the whole answer had arrived by then).
   * Leaving the loop early closes the connection.
   */
  events(): AsyncIterable<SseEvent>;
  /**
   * Gives the answer up, at any time: before anything was read a short rest is drained so that the connection can be
   * used again, anything else is cut.
   */
  discard(): void;
}

export interface Upstream {
  /**
   * Sends one call once; it never repeats by itself.
   * @throws GatewayError upstream_timeout, upstream_error, client_closed; invalid_request when the deployment's
   * protocol cannot express the request (`param` names the field; nothing was sent)
   */
  send(call: UpstreamCall): Promise<UpstreamResponse>;
  /** Waits for calls in flight, then closes the connections. */
  close(): Promise<void>;
}
