/** What tells a credential from a text that only has its form. */
import { base58Check, base58Size } from '../../base58.ts';
import type { Verdict } from '../recognizer.ts';

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

/** The first part is the number of the bot's account in base64. */
export function verifyDiscordToken(candidate: string): Verdict | null {
  const account = Buffer.from(candidate.slice(0, candidate.indexOf('.')), 'base64').toString('latin1');
  return /^[0-9]{17,20}$/.test(account) ? { length: candidate.length, score: 950 } : null;
}

/** `user:password` in base64, both readable. */
export function verifyBasic(candidate: string): Verdict | null {
  const decoded = Buffer.from(candidate, 'base64').toString('latin1');
  return /^[\x20-\x7e\x80-\xff]{1,100}:[\x20-\x7e\x80-\xff]{1,200}$/.test(decoded)
    ? { length: candidate.length, score: 700 }
    : null;
}

/** Least Shannon entropy, in bits a character, of what a generator makes; words and paths stay below. */
const RANDOM_BITS = 3.3;

export function entropyOf(text: string): number {
  let distinct = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const count = counts[unit] ?? 0;
    if (count === 0 && distinct < units.length) units[distinct++] = unit;
    counts[unit] = count + 1;
  }
  let bits = 0;
  for (let i = 0; i < distinct; i++) {
    const unit = units[i] ?? 0;
    const share = (counts[unit] ?? 0) / text.length;
    bits -= share * Math.log2(share);
    counts[unit] = 0;
  }
  return bits;
}

/** How often each code unit occurs in the text at hand; all 0 between two. */
const counts = new Uint16Array(0x10000);
/** The different ones; a candidate has fewer. */
const units = new Uint16Array(2048);

/** Letters and digits both, as a generator makes them. */
function isMixed(text: string): boolean {
  let hasDigit = false;
  let hasLetter = false;
  for (let i = 0; i < text.length && !(hasDigit && hasLetter); i++) {
    const unit = text.charCodeAt(i);
    hasDigit ||= unit >= 48 && unit <= 57;
    hasLetter ||= (unit | 32) >= 97 && (unit | 32) <= 122;
  }
  return hasDigit && hasLetter;
}

/** Letters and digits mixed as a generator does. */
export function verifyRandom(candidate: string): Verdict | null {
  return isMixed(candidate) && entropyOf(candidate) >= RANDOM_BITS ? { length: candidate.length, score: 700 } : null;
}

/** Base58check: version 0x80, the key, perhaps a sign of how it is used, four bytes of double SHA-256. */
export function verifyWif(candidate: string): Verdict | null {
  const size = base58Size(candidate);
  if (size !== 37 && size !== 38) return null;
  return base58Check(candidate, size)?.[0] === 0x80 ? { length: candidate.length, score: 1000 } : null;
}
