/** IP addresses: RFC 791, RFC 4291 text forms. */
import { isIPv6 } from 'node:net';
import type { Verdict } from './recognizer.ts';

/** Addresses every machine has name nobody: loopback (127/8) and the unspecified address. */
export function verifyIpv4(candidate: string): Verdict | null {
  if (candidate.startsWith('127.') || candidate === '0.0.0.0') return null;
  return { length: candidate.length, score: 600 };
}

/** A digit is required, because `add::face` in source code is a valid address too; shorter than 6 is a scope operator. */
export function verifyIpv6(candidate: string): Verdict | null {
  const address = candidate.endsWith(':') && !candidate.endsWith('::') ? candidate.slice(0, -1) : candidate;
  if (address.length < 6 || !/[0-9]/.test(address) || !isIPv6(address)) return null;
  return { length: address.length, score: 600 };
}
