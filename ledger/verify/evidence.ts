import type { OpenedSection, StoredBody } from '../seal.ts';
import type { StoredSignature } from '../stored.ts';

/** One log as its evidence names it. */
export interface EvidenceLog {
  readonly log: string;
  readonly tenant: string | null;
  readonly inc: number;
  readonly slot: number;
  readonly nonce: string;
  readonly origin: string;
}

/** One entry as a verifier gets it, from the database or from a file. */
export interface EvidenceEntry {
  readonly header: string;
  /** The leaf hash stored beside it. */
  readonly hash: string;
  readonly leaves: readonly string[];
  /** What was disclosed or could be opened, by section name. */
  readonly sections: ReadonlyMap<string, OpenedSection>;
  readonly receipt: StoredSignature | null;
  /** The destroyed key that sealed it, as a folder says; absent when it is not erased. */
  readonly erasedKey?: string;
  /** What was encrypted is not stored any more, as a folder says of an erased entry. */
  readonly isPruned?: boolean;
  /** The texts of its sections were written in canonical form by whoever read it. */
  readonly areCanonical?: boolean;
  /** What only the database knows. */
  readonly row?: EvidenceRow;
}

/** Columns that repeat the header or stand outside the hash. */
export interface EvidenceRow {
  readonly seq: number;
  readonly kind: string;
  readonly class: string;
  readonly call: string;
  readonly wid: string;
  readonly wseq: number;
  readonly timeMs: number;
  readonly dbTimeMs: number;
  readonly booked: bigint | null;
  /** The key that seals it; null = the tenant's own. */
  readonly keyRef: string | null;
  readonly damaged: readonly string[];
  /** Is what its encrypted sections were sealed into still stored? `none`: it has no such sections. */
  readonly body: StoredBody;
}
