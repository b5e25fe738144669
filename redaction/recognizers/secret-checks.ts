import type { Verdict } from './recognizer.ts';

/** 40 characters of base64 with all three character classes; a SHA-1 in hex is not one. Needs a context word. */
export function verifyAwsSecret(candidate: string): Verdict | null {
  const mixed = /[A-Z]/.test(candidate) && /[a-z]/.test(candidate) && /[0-9]/.test(candidate);
  return mixed ? { length: candidate.length, score: 100 } : null;
}

/** The first part must be the JSON header of RFC 7515: an object with `alg`. */
export function verifyJwt(candidate: string): Verdict | null {
  const header = Buffer.from(candidate.slice(0, candidate.indexOf('.')), 'base64url').toString('utf8');
  return /^\{.*"alg"\s*:/s.test(header) ? { length: candidate.length, score: 1000 } : null;
}

/** Placeholders that stand where a password would: `${DB_PASSWORD}`, `$PASS`, `{password}`, `****`, `%s`. */
const NOT_A_PASSWORD = /^(?:\$\{?[A-Za-z_][0-9A-Za-z_]*\}?|\{\{?[^}]*\}\}?|\*+|%s|x{3,})$/i;

export function verifyPassword(candidate: string): Verdict | null {
  return NOT_A_PASSWORD.test(candidate) ? null : { length: candidate.length, score: 800 };
}
