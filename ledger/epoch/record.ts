import type { JsonValue } from '../canonical.ts';
import { asObject } from '../verify/call-check.ts';

/** What an entry of kind `epoch` says in its facts. */
export interface EpochRecord {
  /** 0, 1, 2, … over the whole life of the deployment. */
  readonly epoch: number;
  /** Leaves of the epoch's tree; a power of two. */
  readonly slots: number;
  /** Root of the epoch's tree, lower hex. */
  readonly root: string;
  /** Leaf hash of the entry of the epoch before; 64 zeros in the first. */
  readonly prev: string;
}

/** The `call` of an epoch's entry: one entry per number, whoever appends it. */
export function epochCall(epoch: number): string {
  return `epoch.${String(epoch)}`;
}

/** @param databaseMs what the database's clock said: beside the writer's own time, so that their difference is evidence too */
export function epochFacts(
  { epoch, slots, root, prev }: EpochRecord,
  databaseMs: number,
): { [name: string]: JsonValue } {
  return { epoch, slots, root, prev, database_ms: databaseMs };
}

/** Null when the facts are no epoch record. */
export function readEpochFacts(facts: JsonValue): EpochRecord | null {
  const { epoch, slots, root, prev } = asObject(facts);
  const counts = isCount(epoch) && isCount(slots) && slots >= 1 && Number.isInteger(Math.log2(slots));
  if (!counts || !isHash(root) || !isHash(prev)) return null;
  return { epoch, slots, root, prev };
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

export function isHash(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}
