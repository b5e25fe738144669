/**
 * Which requests the admin listener answers at all. It usually listens on loopback, where any web page the operator
 * opens could reach it: a page that rebinds its name to 127.0.0.1 shows itself by the Host header, one that posts across
 * origins by Origin or Sec-Fetch-Site. There is no CORS, so no foreign page can read an answer either.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { GatewayError } from '../../errors.ts';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];
const ANY_ADDRESS = new Set(['0.0.0.0', '::']);

/** Host names the listener may be addressed by, as `URL.hostname` spells them. */
export function acceptedHosts(adminHost: string, further: readonly string[]): ReadonlySet<string> {
  const own = ANY_ADDRESS.has(adminHost) ? [] : [adminHost.includes(':') ? `[${adminHost}]` : adminHost.toLowerCase()];
  return new Set([...LOOPBACK_NAMES, ...own, ...further]);
}

/** @throws GatewayError `not_allowed` */
export function requireOwnSite(headers: IncomingHttpHeaders, hosts: ReadonlySet<string>): void {
  const host = headers.host ?? '';
  const url = `http://${host}`;
  if (!URL.canParse(url) || !hosts.has(new URL(url).hostname)) {
    throw new GatewayError('not_allowed', 'This listener is not addressed by that name; see listen.admin_hostnames.');
  }
  const site = headers['sec-fetch-site'];
  const foreign = site !== undefined && site !== 'same-origin' && site !== 'none';
  if (foreign || !isOwnOrigin(headers.origin, host)) {
    throw new GatewayError('not_allowed', 'Requests from other web origins are not answered.');
  }
}

function isOwnOrigin(origin: string | undefined, host: string): boolean {
  return origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
}

/** For every answer: not stored, not interpreted, not framed. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
  'cross-origin-resource-policy': 'same-origin',
};
