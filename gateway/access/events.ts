/**
 * Evidence of administration. A change is recorded before it takes effect: when recording fails it does not happen, and a
 * crash in between leaves evidence of a change without effect, never the opposite.
 */
import type { EntryKind, JsonValue, Ledger } from '../../ledger/index.ts';

export interface GovernanceEvent {
  readonly kind: Extract<
    EntryKind,
    'key' | 'approval' | 'access' | 'budget' | 'refusals' | 'login' | 'export' | 'policy'
  >;
  /** Whose log: a tenant, or `_deployment`. */
  readonly tenant: string;
  /** Stored in clear for ever: ids, counts, roles; no personal data. */
  readonly facts: { readonly [key: string]: JsonValue };
  /** Stored encrypted: who, names, reasons. */
  readonly detail: { readonly [key: string]: JsonValue };
}

/** Resolves when the event is durable. @throws LedgerError when it is not */
export type RecordEvent = (event: GovernanceEvent) => Promise<void>;

/** Records into the ledger. `newId` gives unique entry ids that match `^[a-z0-9._:-]{1,64}$`. */
export function recordInto(ledger: Pick<Ledger, 'append'>, newId: () => string): RecordEvent {
  return async ({ kind, tenant, facts, detail }) => {
    await ledger.append({
      tenant,
      kind,
      class: 'event',
      call: newId(),
      subject: null,
      sections: { facts: { ...facts }, detail: { ...detail } },
    });
  };
}
