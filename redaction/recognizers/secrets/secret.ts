import { NEVER } from '../recognizer.ts';
import type { Recognizer } from '../recognizer.ts';

export const TOKEN = '[0-9A-Za-z_\\-]';
export const ALPHANUMERIC = '[0-9A-Za-z]';
export const HEX = '[0-9a-f]';

type Row = Pick<Recognizer, 'id' | 'entity' | 'keywords' | 'pattern' | 'example' | 'source'> & Partial<Recognizer>;

/** A token with a prefix of its own: starts at a word boundary, ends where its alphabet ends. */
export function secret(row: Row): Recognizer {
  return {
    version: 2,
    kind: 'secret',
    notBefore: ALPHANUMERIC,
    notAfter: NEVER,
    score: 900,
    context: [],
    ...row,
  };
}

/** A specimen of the right form, written so that no scanner of source code takes it for a leaked key. */
export function specimen(prefix: string, length: number, alphabet = 'aB3dE6gH9'): string {
  return prefix + alphabet.repeat(Math.ceil(length / alphabet.length)).slice(0, length);
}
