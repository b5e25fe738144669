/**
 * What of an upstream's response headers a caller may see, and what of a caller's headers an upstream may. Both are
 * new objects built from lists: hop-by-hop and framing headers, cookies and credentials have no way through.
 */
import type { RawHeaders } from './http-exchange.ts';

const SAFE_RESPONSE = new Set([
  'content-type',
  'x-request-id',
  'openai-organization',
  'openai-processing-ms',
  'openai-version',
  'openai-model',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
]);
const SAFE_RESPONSE_PREFIXES = ['x-ratelimit-', 'anthropic-ratelimit-'];

/** Requests carry these only with our own values, never a caller's. */
const OWN_REQUEST = new Set([
  'accept-encoding',
  'api-key',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'via',
  'x-api-key',
]);
const OWN_REQUEST_PREFIXES = ['x-forwarded-', 'x-countersign-', 'proxy-'];

/** The safe subset, lower case, of a response's headers. */
export function safeResponseHeaders(headers: RawHeaders): Record<string, string> {
  const safe: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (typeof value !== 'string') continue;
    if (SAFE_RESPONSE.has(name) || SAFE_RESPONSE_PREFIXES.some((prefix) => name.startsWith(prefix))) safe[name] = value;
  }
  return safe;
}

/** Appends the caller's pass-through headers that an adapter does not set itself. */
export function appendPassThrough(list: string[], headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    if (OWN_REQUEST.has(key) || OWN_REQUEST_PREFIXES.some((prefix) => key.startsWith(prefix))) continue;
    list.push(key, value);
  }
}

export function headerValue(headers: RawHeaders, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' ? value : null;
}
