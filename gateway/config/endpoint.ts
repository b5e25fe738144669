/**
 * Which addresses the configuration may name. A provider's address decides where prompts go, so plain text is only
 * accepted on loopback, and link-local addresses (which include the metadata services of the clouds) never.
 * A name that only later resolves to such an address is refused in egress.ts, where the connection is made.
 */
import { isIP } from 'node:net';
import { addressProblem } from '../egress.ts';

const METADATA_NAMES = new Set(['metadata.google.internal', 'metadata.goog', 'instance-data']);

/** True for loopback addresses and the names that always mean them (RFC 6761). */
export function isLoopbackHost(hostname: string): boolean {
  const host = bareHost(hostname);
  if (isIP(host) === 0) return host === 'localhost' || host.endsWith('.localhost');
  return host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** What is wrong with `text` as the address of a service, as the text of an expectation; null when nothing is. */
export function endpointProblem(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return 'an https:// address';
  if (url.username !== '' || url.password !== '') return 'an address without a user name or password in it';
  if (url.search !== '' || url.hash !== '') return 'an address without a query or fragment';
  // The URL parser has normalised numeric spellings of IPv4 addresses by now.
  const host = bareHost(url.hostname);
  if (METADATA_NAMES.has(host) || (isIP(host) !== 0 && addressProblem(host, true) !== null)) {
    return 'an address that is not link-local, multicast or a metadata service';
  }
  if (url.protocol === 'http:' && !isLoopbackHost(host)) return 'an https:// address (http:// on loopback only)';
  return null;
}

/** The address without a trailing slash, so that a path can be appended. */
export function normaliseEndpoint(text: string): string {
  return text.replace(/\/+$/, '');
}

function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}
