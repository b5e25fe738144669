import { LedgerError } from '../error.ts';
import { openNote } from '../note/note.ts';
import type { VerifierKey } from '../note/key.ts';
import { meetsQuorum } from '../witness/policy.ts';
import type { TrustPolicy } from '../witness/policy.ts';
import type { TokenCertificate } from './certificate.ts';
import type { StoredAnchors } from './stored.ts';
import { verifyTimestamp } from './timestamp.ts';

/** Whom a reader believes, from files of their own; nothing of it comes from what is checked. */
export interface AnchorTrust {
  /** Null: no witness is believed. */
  readonly policy: TrustPolicy | null;
  /** Of timestamp authorities, or of those that issued their certificates. */
  readonly certificates: readonly TokenCertificate[];
}

/** A checkpoint that somebody the reader believes has seen. */
export interface AnchorEvidence {
  /** Entries of the deployment's log. */
  readonly size: number;
  /** Names of the witnesses' keys; empty when they are too few for the policy. */
  readonly witnesses: readonly string[];
  /** Unix ms of the earliest time that is attested; null for a checkpoint that the reader has kept. */
  readonly timeMs: number | null;
  /** Timestamps that verified. */
  readonly timestamps: number;
}

/**
 * What anchors show of a checkpoint. Null without a quorum of witnesses or a timestamp that leads to a trusted certificate: a
 * signature that does not verify counts for nothing, and hurts nothing.
 *
 * @param note the note as the log signed it; timestamps are over exactly these bytes
 * @param text the part of it that is cosigned
 */
export function weighAnchors(
  { size, cosignatures, timestamps }: StoredAnchors,
  { note, text }: { readonly note: string; readonly text: string },
  { policy, certificates }: AnchorTrust,
): AnchorEvidence | null {
  const signed = new Map<VerifierKey, number>();
  for (const { key } of policy?.witnesses ?? []) {
    for (const line of cosignatures) {
      const timeS = cosignedAt(text, line, key);
      if (timeS !== null) signed.set(key, timeS);
    }
  }
  const isMet = policy !== null && meetsQuorum(policy, (key) => signed.has(key));
  const stamps = timestamps.flatMap((token) => stampedAt(note, token, certificates) ?? []);
  if (!isMet && stamps.length === 0) return null;
  const witnessed = isMet ? [...signed] : [];
  return {
    size,
    witnesses: witnessed.map(([{ name }]) => name),
    timeMs: Math.min(...stamps, ...witnessed.map(([, timeS]) => timeS * 1000)),
    timestamps: stamps.length,
  };
}

function cosignedAt(text: string, line: string, key: VerifierKey): number | null {
  return attempt(() => openNote(`${text}\n${line}\n`, [key]).verified[0]?.timeS ?? null);
}

function stampedAt(note: string, token: string, certificates: readonly TokenCertificate[]): number | null {
  const bytes = Buffer.from(token, 'base64');
  return attempt(() => verifyTimestamp(bytes, Buffer.from(note, 'utf8'), certificates).timeMs);
}

function attempt(check: () => number | null): number | null {
  try {
    return check();
  } catch (error) {
    if (error instanceof LedgerError) return null;
    throw error;
  }
}
