import { keyMark } from '../erasure/key-mark.ts';
import { LedgerError } from '../error.ts';
import type { AppendItem } from '../entry.ts';
import type { JsonValue } from '../canonical.ts';

/** A call this process holds open. */
export interface OpenCall {
  readonly reserved: bigint;
}

/** What an outcome books; `reserved` needs the call to be one of this process. */
export function amountOf(item: AppendItem, open: OpenCall | undefined): bigint | null {
  if (item.reserve) return item.reserve.nusd;
  if (item.settle === undefined) return item.kind === 'outcome' ? 0n : null;
  if (item.settle.nusd !== 'reserved') return item.settle.nusd;
  if (open === undefined) {
    throw new LedgerError(
      'invalid_entry',
      'expected an amount to settle, found reserved for a call of another process; pass the amount',
    );
  }
  return open.reserved;
}

/**
 * Adds the member `ledger` to the facts: the time the entry was handed over, the key that seals it, and the money in it. Facts are committed, so
 * totals can be recomputed from the log alone.
 */
export function withLedgerFacts(
  item: AppendItem,
  amount: bigint | null,
  atMs: number,
  keyRef: string | null,
): Record<string, JsonValue | null> {
  const facts = item.sections['facts'] ?? {};
  if (typeof facts !== 'object' || Array.isArray(facts) || 'ledger' in facts) {
    throw new LedgerError(
      'invalid_entry',
      'expected facts to be an object without a member named ledger, found another value',
    );
  }
  const own: Record<string, JsonValue> = { at_ms: atMs };
  if (keyRef !== null) own['key'] = keyMark(keyRef, item.call);
  if (item.open === true) {
    own['open'] = true;
    own['reserved_nusd'] = (amount ?? 0n).toString();
    own['scopes'] = [...(item.reserve?.scopes ?? [])];
  } else if (isOutcome(item)) {
    own['booked_nusd'] = (amount ?? 0n).toString();
  }
  return { ...item.sections, facts: { ...facts, ledger: own } };
}

/** Whether it tells how a call ended. */
export function isOutcome({ kind }: AppendItem): boolean {
  return kind === 'outcome' || kind === 'late_outcome';
}

/** Closes a call whose decision became durable after its caller had been told `unavailable`: nothing was sent. */
export function notSentOutcome(decision: AppendItem): AppendItem {
  return {
    tenant: decision.tenant,
    kind: 'outcome',
    class: 'outcome',
    call: decision.call,
    subject: decision.subject,
    sections: { facts: { status: 'not_sent', cost_nusd: '0' } },
    settle: { nusd: 0n },
  };
}

/** Whether somebody is refused when it cannot be written; the process's own jobs try again and are no refusals. */
export function isOfCaller({ kind }: AppendItem): boolean {
  return kind !== 'refusals' && kind !== 'epoch' && kind !== 'gap';
}

/** What a survivor says of a call of which it knows nothing: from a process that is fenced itself it corrects nothing. */
export function isUnknown({ sections }: AppendItem): boolean {
  const facts = sections['facts'];
  return typeof facts === 'object' && facts !== null && 'status' in facts && facts['status'] === 'unknown';
}

/** The same outcome from a process that has been fenced. */
export function lateOutcome(outcome: AppendItem, amount: bigint | null): AppendItem {
  return { ...outcome, kind: 'late_outcome', class: 'late_outcome', settle: { nusd: amount ?? 0n } };
}
