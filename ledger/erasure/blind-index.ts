import { createHmac } from 'node:crypto';
import type { JsonValue } from '../canonical.ts';
import type { KeyRing } from '../keyring.ts';

/** A value that a detector found, in the normal form of its type. */
export interface NamedValue {
  readonly type: string;
  readonly value: string;
}

/** Most values of one entry; beyond them the index says that there are more. */
const MAX_VALUES = 4096;
const MAC_BYTES = 16;

/**
 * The member `index` of a sealed findings section: who or what the content names, as keyed hashes, so that entries about a person
 * are found without the person's data being anywhere a second time. It is sealed with the section and erased with it. Null when
 * nothing was named.
 *
 * @param isComplete false when not everything could be looked at
 */
export function blindIndex(
  keys: Pick<KeyRing, 'derive'>,
  tenant: string,
  values: Iterable<NamedValue>,
  isComplete = true,
): JsonValue | null {
  const macs = new Set<string>();
  let more = !isComplete;
  for (const value of values) {
    if (macs.size < MAX_VALUES) macs.add(blindValue(keys, tenant, value));
    else more = true;
  }
  return macs.size === 0 && !more ? null : { values: [...macs].toSorted(), more };
}

/**
 * HMAC-SHA-256 under a key of the tenant, cut to 128 bits, base64url; of the value in Unicode form NFKC, lower case, with single
 * spaces, so that another spelling of a name is the same person. The tenant's key has to be loaded.
 */
export function blindValue(keys: Pick<KeyRing, 'derive'>, tenant: string, { type, value }: NamedValue): string {
  const folded = value.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
  const mac = createHmac('sha256', keys.derive(tenant, 'blind-index')).update(`${type}\n${folded}`).digest();
  return mac.toString('base64url', 0, MAC_BYTES);
}

/** `named`: the value is in the index. `unknown`: something was found, but the index is missing or not complete. */
export function searchIndex(findings: JsonValue, mac: string): 'named' | 'unknown' | 'absent' {
  if (typeof findings !== 'object' || findings === null || Array.isArray(findings)) return 'absent';
  const { found, index } = findings;
  const hasFound = Array.isArray(found) && found.length > 0;
  if (typeof index !== 'object' || index === null || Array.isArray(index)) return hasFound ? 'unknown' : 'absent';
  if (Array.isArray(index['values']) && index['values'].includes(mac)) return 'named';
  return index['more'] === true ? 'unknown' : 'absent';
}
