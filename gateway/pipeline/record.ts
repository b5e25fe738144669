/**
 * Writes the evidence: one durable decision before anything is sent, one durable outcome before anything final is
 * released. Only a committed decision yields a `LedgerReceipt`, and only a receipt lets `forward` send.
 */
import type { Appended, Ledger } from '../../ledger/index.ts';
import { LedgerError } from '../../ledger/index.ts';
import type { JsonValue } from '../../redaction/index.ts';
import { GatewayError } from '../errors.ts';
import type { EnforcedBody } from './enforce.ts';

const MINT = Symbol('only a committed decision mints a receipt');

/**
 * Proof that a decision is durable. It names the call, the digest of the enforced body for each allowed deployment and
 * the attempts reserved; each send takes one attempt and must present exactly the recorded body.
 */
export class LedgerReceipt {
  readonly callId: string;
  readonly entry: Appended;
  /** The value of `x-countersign-receipt`; it is signed while the call goes on. */
  readonly header: Promise<string>;
  readonly #digests: ReadonlyMap<string, string>;
  #attempts: number;

  constructor(
    mint: typeof MINT,
    callId: string,
    entry: Appended,
    header: Promise<string>,
    bodies: readonly EnforcedBody[],
    attempts: number,
  ) {
    if (mint !== MINT) throw new GatewayError('internal_error', 'A receipt is made by a committed decision only.');
    this.callId = callId;
    this.entry = entry;
    this.header = header;
    this.#digests = new Map(bodies.map((body) => [body.deployment.id, body.digest]));
    this.#attempts = attempts;
  }

  /** Takes one attempt for this body, or throws: the one gate between a decision and the network. */
  spend(body: EnforcedBody): void {
    if (this.#digests.get(body.deployment.id) !== body.digest) {
      throw new GatewayError('internal_error', 'The body to send is not the one that was decided and recorded.');
    }
    if (this.#attempts <= 0) {
      throw new GatewayError('internal_error', 'Every recorded attempt of this call has been used.');
    }
    this.#attempts -= 1;
  }
}

export interface DecisionRecord {
  readonly callId: string;
  readonly tenant: string;
  readonly subject: string;
  /** Days for which policies want it kept at least; 0: none asked. */
  readonly keptDays: number;
  readonly sections: Readonly<Record<string, JsonValue | null>>;
  /** Set when the call will be forwarded. */
  readonly forward: {
    readonly bodies: readonly EnforcedBody[];
    readonly attempts: number;
    readonly reserve: { readonly scopes: readonly string[]; readonly nusd: bigint } | null;
    /** Digest the receipt is signed over: SHA-256 over the sorted `deployment digest` lines. */
    readonly digest: string;
  };
}

/** Appends the decision of a call that will be sent. Throws `budget_exceeded` or `ledger_unavailable`. */
export async function recordDecision(ledger: Ledger, record: DecisionRecord): Promise<LedgerReceipt> {
  const { forward } = record;
  try {
    const entry = await ledger.append({
      tenant: record.tenant,
      kind: 'decision',
      class: 'decision',
      call: record.callId,
      subject: record.subject,
      keptDays: record.keptDays,
      sections: record.sections,
      ...(forward.reserve === null ? {} : { reserve: forward.reserve }),
      open: true,
    });
    const header = ledger.signReceipt(entry, forward.digest);
    return new LedgerReceipt(MINT, record.callId, entry, header, forward.bodies, forward.attempts);
  } catch (cause) {
    throw unavailable(cause);
  }
}

/** Appends the decision of a call that ends here: denied, refused, undecided or out of budget. Returns its receipt. */
export async function recordRefusal(ledger: Ledger, record: Omit<DecisionRecord, 'forward'>): Promise<string> {
  try {
    const entry = await ledger.append({
      tenant: record.tenant,
      kind: 'decision',
      class: 'decision',
      call: record.callId,
      subject: record.subject,
      keptDays: record.keptDays,
      sections: record.sections,
    });
    return await ledger.signReceipt(entry, NOTHING_SENT);
  } catch (cause) {
    throw unavailable(cause);
  }
}

/** A receipt for a refused call is signed over 64 zeros: no enforced request exists. */
const NOTHING_SENT = '0'.repeat(64);

export interface OutcomeRecord {
  readonly callId: string;
  readonly tenant: string;
  readonly subject: string;
  /** As of its decision, or longer. */
  readonly keptDays: number;
  readonly sections: Readonly<Record<string, JsonValue | null>>;
  /** Nano-USD to settle; `reserved` books the whole reservation because the price or the usage is unknown. */
  readonly settle: bigint | 'reserved';
}

/**
 * Appends the outcome. When it is not durable in time the body must not be released: throws `outcome_unrecorded`; the
 * ledger keeps the item and appends it late, also as this process's `late_outcome` when it was fenced meanwhile. A call
 * that a survivor has closed already gets its one `late_outcome` from here, and releases nothing either.
 */
export async function recordOutcome(ledger: Ledger, record: OutcomeRecord): Promise<Appended> {
  const { tenant, callId: call, subject, keptDays, sections } = record;
  const item = { tenant, call, subject, keptDays, sections, settle: { nusd: record.settle } };
  try {
    return await ledger.append({ ...item, kind: 'outcome', class: 'outcome' });
  } catch (cause) {
    if (cause instanceof LedgerError && cause.code === 'call_closed') {
      // Whether this succeeds changes nothing for the caller; when it fails the `unknown` stands, at the full reservation.
      await ledger.append({ ...item, kind: 'late_outcome', class: 'late_outcome' }).catch(() => undefined);
    }
    const message = 'The answer arrived but its record could not be written; it is withheld.';
    throw new GatewayError('outcome_unrecorded', message, { cause });
  }
}

function unavailable(cause: unknown): GatewayError {
  if (!(cause instanceof LedgerError))
    return cause instanceof GatewayError
      ? cause
      : new GatewayError('internal_error', 'The call could not be recorded; nothing was sent.', { cause });
  if (cause.code === 'budget_exceeded') {
    return new GatewayError(
      'budget_exceeded',
      'The budget for this call is used up. It resets with the next period, or an administrator can raise it.',
      { cause },
    );
  }
  return new GatewayError(
    'ledger_unavailable',
    'The call could not be recorded, so nothing was sent. Try again shortly.',
    { cause },
  );
}
