/** E-mail addresses: RFC 5321 lengths, domain checked against the public suffix list. */
import { parse } from 'tldts';
import type { Verdict } from './recognizer.ts';

const HOST_OPTIONS = { allowPrivateDomains: false, extractHostname: false, validateHostname: false } as const;

/** Login names of source hosts (`git@github.com:…`) are not addresses of a person. */
const LOGIN_NAMES: ReadonlySet<string> = new Set(['git', 'hg', 'svn']);

/** Cuts labels off the end until the domain ends with a public suffix: `…@example.com.Thanks` is `…@example.com`. */
export function verifyEmail(candidate: string): Verdict | null {
  const at = candidate.indexOf('@');
  if (LOGIN_NAMES.has(candidate.slice(0, at))) return null;
  let domain = candidate.slice(at + 1);
  while (domain.includes('.')) {
    const parsed = parse(domain.toLowerCase(), HOST_OPTIONS);
    if (parsed.isIcann === true && parsed.domain !== null) return { length: at + 1 + domain.length, score: 1000 };
    domain = domain.slice(0, domain.lastIndexOf('.'));
  }
  return null;
}
