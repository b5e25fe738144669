import { verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { writerKey } from '../statement.ts';
import type { SignatureToCheck, VerifyMany } from './writer-check.ts';

/** Keys that are kept: more writers than that take turns. */
const MOST_KEYS = 1000;

/** Looks at signatures on Node's threads, while the entries before them are hashed. */
export function threadedSignatures(): VerifyMany {
  const keys = new Map<string, KeyObject | null>();
  const keyOf = (raw: string): KeyObject | null => {
    const known = keys.get(raw);
    if (known !== undefined) return known;
    if (keys.size === MOST_KEYS) keys.clear();
    const key = writerKey(raw);
    keys.set(raw, key);
    return key;
  };
  const one = ({ key: raw, text, signature }: SignatureToCheck): Promise<boolean> => {
    const key = keyOf(raw);
    if (key === null) return Promise.resolve(false);
    return new Promise((resolve) => {
      verify(null, Buffer.from(text, 'utf8'), key, Buffer.from(signature, 'base64url'), (error, fits) => {
        resolve(error === null && fits);
      });
    });
  };
  return (checks) => Promise.all(checks.map(one));
}
