/** E-mail addresses: RFC 5321 lengths, domain checked against the public suffix list. */
import { parse } from 'tldts';
import type { Verdict } from './recognizer.ts';

const HOST_OPTIONS = { allowPrivateDomains: false, extractHostname: false, validateHostname: false } as const;

/** Login names of source hosts (`git@github.com:…`) are not addresses of a person. */
const LOGIN_NAMES: ReadonlySet<string> = new Set(['git', 'hg', 'svn']);

/** Cuts labels off the end until the domain ends with a public suffix: `…@example.com.Thanks` is `…@example.com`. */
export function verifyEmail(candidate: string): Verdict | null {
  const at = candidate.indexOf('@');
  let end = candidate.length;
  for (;;) {
    const dot = candidate.lastIndexOf('.', end - 1);
    if (dot < at) return null;
    if (isTopLevel(candidate.slice(dot + 1, end).toLowerCase())) {
      const parsed = parse(candidate.slice(at + 1, end).toLowerCase(), HOST_OPTIONS);
      if (parsed.isIcann === true && parsed.domain !== null) break;
    }
    end = dot;
  }
  return LOGIN_NAMES.has(candidate.slice(0, at)) ? null : { length: end, score: 1000 };
}

/** What is known of last labels; as many as there are top-level domains, then it starts anew. */
const topLevels = new Map<string, boolean>();
const MAX_KNOWN = 2048;

/** Whether anything can be registered below the label: asked often, for the same few. */
function isTopLevel(label: string): boolean {
  let known = topLevels.get(label);
  if (known === undefined) {
    known = parse(`a.${label}`, HOST_OPTIONS).isIcann === true;
    if (topLevels.size >= MAX_KNOWN) topLevels.clear();
    topLevels.set(label, known);
  }
  return known;
}
