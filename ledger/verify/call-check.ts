import type { JsonValue } from '../canonical.ts';
import type { EntryHeader } from '../entry.ts';
import type { EvidenceEntry } from './evidence.ts';
import type { Finding } from './report.ts';

/** What an entry says about money, from its facts. */
export interface LedgerFacts {
  readonly open: boolean;
  readonly reserved: bigint;
  readonly scopes: readonly string[];
  readonly booked: bigint;
  readonly status: string | null;
}

/** A call that was forwarded and not closed. */
export interface OpenDecision {
  readonly seq: number;
  readonly reserved: bigint;
  readonly scopes: readonly string[];
}

/** A call closed as `unknown`, which one late outcome may correct. */
interface UnknownOutcome {
  readonly booked: bigint;
  readonly scopes: readonly string[];
  readonly dbTimeMs: number;
}

/** Money an entry added to its call's scopes. `dbTimeMs` decides the periods: for a correction those of the unknown. */
export interface Booking {
  readonly scopes: readonly string[];
  readonly nusd: bigint;
  readonly dbTimeMs: number;
}

/**
 * One decision, then at most one outcome, then at most one late outcome, and the last only after an `unknown`. Keeps open and
 * unknown calls only, so memory does not grow with the log.
 */
export class CallCheck {
  /** Calls decided before what is checked began; null when it is checked from its beginning. */
  readonly #before: Set<string> | null;
  /** With those that were open when the log before was ended, of which `seq` is a place in that log. */
  readonly open = new Map<string, OpenDecision>();
  readonly #carried = new Set<string>();
  readonly #unknown = new Map<string, UnknownOutcome>();
  booking: Booking | null = null;

  /** @param isPart outcomes may close calls that were decided before the first entry, each once */
  constructor(isPart = false) {
    this.#before = isPart ? new Set() : null;
  }

  /** A later incarnation closes what was open in the log it goes on from. */
  carry({ open }: CallCheck): void {
    for (const [call, decision] of open) {
      this.open.set(call, decision);
      this.#carried.add(call);
    }
    open.clear();
  }

  add(header: EntryHeader, facts: JsonValue, entry: EvidenceEntry): Finding | null {
    this.booking = null;
    switch (header.kind) {
      case 'decision':
        return this.#decision(header, readLedgerFacts(facts));
      case 'outcome':
        return this.#outcome(header, readLedgerFacts(facts), entry);
      case 'late_outcome':
        return this.#late(header, readLedgerFacts(facts), entry);
      default:
        return null;
    }
  }

  #decision({ call, seq }: EntryHeader, facts: LedgerFacts): Finding | null {
    if (this.open.has(call)) return { problem: `call ${call} has a second decision while the first is open` };
    if (facts.open) this.open.set(call, { seq, reserved: facts.reserved, scopes: facts.scopes });
    return null;
  }

  #outcome({ call }: EntryHeader, facts: LedgerFacts, { row }: EvidenceEntry): Finding | null {
    const decision = this.open.get(call);
    if (decision === undefined && this.#isOlder(`${call} outcome`)) return null;
    if (decision === undefined)
      return { problem: `the outcome of call ${call} has no open decision before it, or is its second` };
    if (this.#carried.delete(call) && facts.status !== 'unknown')
      return { problem: `call ${call} was open when its log was ended: nobody can know how it went` };
    this.open.delete(call);
    const dbTimeMs = row?.dbTimeMs ?? 0;
    if (facts.status === 'unknown')
      this.#unknown.set(call, { booked: facts.booked, scopes: decision.scopes, dbTimeMs });
    return this.#book({ scopes: decision.scopes, nusd: facts.booked, dbTimeMs }, row?.booked);
  }

  #late({ call }: EntryHeader, facts: LedgerFacts, { row }: EvidenceEntry): Finding | null {
    const unknown = this.#unknown.get(call);
    if (unknown === undefined && this.#isOlder(`${call} late`)) return null;
    if (unknown === undefined)
      return { problem: `the late outcome of call ${call} has no unknown outcome before it, or is its second` };
    this.#unknown.delete(call);
    const nusd = facts.booked - unknown.booked;
    return this.#book({ scopes: unknown.scopes, nusd, dbTimeMs: unknown.dbTimeMs }, row?.booked);
  }

  #isOlder(closing: string): boolean {
    if (this.#before === null || this.#before.has(closing)) return false;
    this.#before.add(closing);
    return true;
  }

  #book(booking: Booking, column: bigint | null | undefined): Finding | null {
    if (column !== undefined && column !== booking.nusd)
      return { problem: 'the booked amount beside it differs from its facts' };
    this.booking = booking;
    return null;
  }
}

/** The member `ledger` of facts, with what is missing or malformed as zero. */
export function readLedgerFacts(facts: JsonValue): LedgerFacts {
  const all = asObject(facts);
  const own = asObject(all['ledger']);
  const scopes = own['scopes'];
  const status = all['status'];
  return {
    open: own['open'] === true,
    reserved: asAmount(own['reserved_nusd']),
    scopes: Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === 'string') : [],
    booked: asAmount(own['booked_nusd']),
    status: typeof status === 'string' ? status : null,
  };
}

export function asObject(value: JsonValue | undefined): { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function asAmount(value: JsonValue | undefined): bigint {
  return typeof value === 'string' && /^[0-9]{1,20}$/.test(value) ? BigInt(value) : 0n;
}
