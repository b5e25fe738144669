import { setTimeout as after } from 'node:timers/promises';
import type { AppendItem } from '../entry.ts';
import { roundKeptDays } from '../kept-days.ts';
import type { CallKeys, KeyRing } from '../keyring.ts';

/**
 * The keys that seal an item now. An outcome is sealed with what was loaded together with its decision's key (`held`): nothing has to be
 * loaded while the database is away.
 *
 * @param timeoutMs most that may be waited for keys that are not needed
 */
export function keysOf(
  item: AppendItem,
  held: CallKeys | undefined,
  { keys, atMs, timeoutMs }: { readonly keys: KeyRing; readonly atMs: number; readonly timeoutMs: number },
): CallKeys | Promise<CallKeys> {
  const keptDays = Math.max(held?.keptDays ?? 0, roundKeptDays(item.keptDays));
  const isHeld = held !== undefined && !keys.isDestroyed(held.outcome);
  if (isHeld && keptDays === held.keptDays) return held;
  const wanted = keys.sealKeys(item.tenant, item.subject, atMs, keptDays);
  if (!isHeld || !(wanted instanceof Promise)) return wanted;
  // An answer to be kept longer than its request. When that key cannot be had in time, it is kept as long, and never lost.
  return Promise.race([wanted.catch(() => held), after(timeoutMs, held, { ref: false })]);
}
