import { hash } from 'node:crypto';

const CHARS = 32;

/**
 * Binds an entry to the key that seals it, in its facts, without telling which calls share a key: whoever could point an entry at a
 * destroyed key would make it look erased. References are random, so a mark cannot be searched for.
 *
 * @returns 32 lower hex digits
 */
export function keyMark(ref: string, call: string): string {
  return hash('sha256', `countersign/key/v1\n${ref}\n${call}`, 'hex').slice(0, CHARS);
}
