/**
 * The gateway's failure vocabulary: one class, a closed set of codes, and for each code the HTTP status and the error
 * `type` an OpenAI client expects. `message` is safe to show to an end user: it never holds a payload or a secret.
 * The internal reason travels as `cause` and is only ever logged by its name.
 */
interface ErrorRow {
  readonly status: number;
  readonly type: string;
  /** Sent as `x-should-retry: false`, so that the official SDKs do not repeat a call that cannot succeed. */
  readonly retry: boolean;
}

export const ERRORS = {
  invalid_request: { status: 400, type: 'invalid_request_error', retry: false },
  invalid_api_key: { status: 401, type: 'authentication_error', retry: false },
  policy_denied: { status: 403, type: 'policy_denied', retry: false },
  approval_required: { status: 403, type: 'approval_required', retry: false },
  model_not_allowed: { status: 403, type: 'permission_error', retry: false },
  not_allowed: { status: 403, type: 'permission_error', retry: false },
  model_not_found: { status: 404, type: 'invalid_request_error', retry: false },
  not_found: { status: 404, type: 'invalid_request_error', retry: false },
  method_not_allowed: { status: 405, type: 'invalid_request_error', retry: false },
  conflict: { status: 409, type: 'invalid_request_error', retry: false },
  request_too_large: { status: 413, type: 'invalid_request_error', retry: false },
  unsupported_media_type: { status: 415, type: 'invalid_request_error', retry: false },
  budget_exceeded: { status: 429, type: 'insufficient_quota', retry: false },
  rate_limited: { status: 429, type: 'rate_limit_error', retry: true },
  client_closed: { status: 499, type: 'client_closed', retry: false },
  internal_error: { status: 500, type: 'server_error', retry: false },
  upstream_error: { status: 502, type: 'upstream_error', retry: true },
  outcome_unrecorded: { status: 502, type: 'server_error', retry: false },
  policy_unavailable: { status: 503, type: 'server_error', retry: true },
  ledger_unavailable: { status: 503, type: 'server_error', retry: true },
  draining: { status: 503, type: 'server_error', retry: true },
  upstream_timeout: { status: 504, type: 'upstream_error', retry: true },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorDetail {
  /** JSON path or parameter the error is about, as OpenAI's `param`. */
  readonly param?: string;
  /** Overrides the table's status: only `upstream_error` does, with the upstream's own. */
  readonly status?: number;
  readonly retryAfterS?: number;
  readonly cause?: unknown;
}

export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly param: string | null;
  readonly retryAfterS: number | null;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.status = detail.status ?? ERRORS[code].status;
    this.param = detail.param ?? null;
    this.retryAfterS = detail.retryAfterS ?? null;
  }

  /** The body in OpenAI's shape: `{error:{message,type,param,code}}`. */
  toOpenAi(): { error: { message: string; type: string; param: string | null; code: string } } {
    return { error: { message: this.message, type: ERRORS[this.code].type, param: this.param, code: this.code } };
  }

  /** Response headers that tell a client whether and when to try again. */
  headers(): Record<string, string> {
    return {
      ...(ERRORS[this.code].retry ? {} : { 'x-should-retry': 'false' }),
      ...(this.retryAfterS === null ? {} : { 'retry-after': String(this.retryAfterS) }),
    };
  }
}
