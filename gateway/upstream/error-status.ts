/** Errors that arrive under status 200: some providers and proxies answer so, in streams and in one piece. */
import { isObject } from './json.ts';

/** OpenAI's and Anthropic's words for what went wrong. */
const STATUS_OF_TYPE = new Map([
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['rate_limit_exceeded', 429],
  ['insufficient_quota', 429],
  ['api_error', 500],
  ['server_error', 500],
  ['timeout_error', 504],
  ['overloaded_error', 529],
]);

/** The HTTP status an OpenAI or Anthropic error object would have come with; 502 when it does not say. */
export function statusOfError(error: unknown): number {
  const { code, type } = isObject(error) ? error : {};
  if (typeof code === 'number' && Number.isInteger(code) && code >= 400 && code <= 599) return code;
  return STATUS_OF_TYPE.get(String(type)) ?? STATUS_OF_TYPE.get(String(code)) ?? 502;
}
