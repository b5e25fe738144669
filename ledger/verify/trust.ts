import type { AnchorTrust } from '../anchor/evidence.ts';
import { readCertificates } from '../anchor/certificate.ts';
import { parseCanonical } from '../canonical.ts';
import { LedgerError } from '../error.ts';
import { parseCheckpoint } from '../note/checkpoint.ts';
import type { Checkpoint } from '../note/checkpoint.ts';
import type { VerifierKey } from '../note/key.ts';
import { openNote } from '../note/note.ts';
import { parsePolicy } from '../witness/policy.ts';
import { asObject } from './call-check.ts';

/** A receipt that a caller kept. */
export interface KeptReceipt {
  readonly log: string;
  readonly seq: number;
  readonly hash: string;
}

/** What the reader brings along. Nothing of it comes from what is checked. */
export interface ReaderTrust extends AnchorTrust {
  /** Checkpoints of trusted keys the reader has kept, by rising size. */
  readonly checkpoints: readonly Checkpoint[];
  readonly receipts: readonly KeptReceipt[];
}

/** A reader who believes nobody. */
export const NO_TRUST: ReaderTrust = { policy: null, certificates: [], checkpoints: [], receipts: [] };

/** The reader's files as texts. */
export interface TrustTexts {
  /** c2sp.org/tlog-policy: keys of logs, witnesses, a quorum. */
  readonly policy?: string | null;
  /** Certificates of timestamp authorities, or of those that issued theirs, PEM. */
  readonly certificates?: string | null;
  /** A signed checkpoint, or lines of JSON with a member `note` (as the head store and exports have). */
  readonly checkpoints?: string | null;
  /** Values of `x-countersign-receipt`, one a line. */
  readonly receipts?: string | null;
}

const MAX_KEPT = 100_000;
const RECEIPT = /^([0-9a-f]{64})\/[0-9]{1,9}\/([0-9]{1,15})\/([0-9a-f]{64})\/[a-z0-9._:-]{1,64}\/[A-Za-z0-9_-]{86}$/;

/** Keys whose checkpoints the reader believes. */
export function logKeys({ policy }: AnchorTrust): readonly VerifierKey[] {
  return policy?.logs.map(({ key }) => key) ?? [];
}

/** @throws {LedgerError} `trust_policy` for a file that is not what it should be */
export function readTrust({ policy, certificates, checkpoints, receipts }: TrustTexts): ReaderTrust {
  const trust = {
    policy: isGiven(policy) ? parsePolicy(policy) : null,
    certificates: isGiven(certificates) ? readCertificates(certificates) : [],
  };
  if (trust.certificates === null) throw refuse('certificates in PEM form', 'another text');
  const anchors = { policy: trust.policy, certificates: trust.certificates };
  return {
    ...anchors,
    checkpoints: isGiven(checkpoints) ? readKept(checkpoints, logKeys(anchors)) : [],
    receipts: isGiven(receipts) ? readReceipts(receipts) : [],
  };
}

function isGiven(text: string | null | undefined): text is string {
  return text !== null && text !== undefined;
}

function readKept(text: string, keys: readonly VerifierKey[]): Checkpoint[] {
  const notes = text.startsWith('{') ? linesOf(text).map(noteIn) : [text];
  const kept = notes.map((note) => {
    const { text: signed, verified } = openNote(note, keys);
    const checkpoint = parseCheckpoint(signed);
    if (verified.some(({ key }) => key.name === checkpoint.origin)) return checkpoint;
    throw refuse('a checkpoint signed by a key of its own log', 'one of another');
  });
  return kept.toSorted((a, b) => a.size - b.size);
}

function noteIn(line: string): string {
  const { note } = asObject(parseCanonical(line));
  if (typeof note === 'string') return note;
  throw refuse('lines with a member note', 'another one');
}

function readReceipts(text: string): KeptReceipt[] {
  return linesOf(text).map((line) => {
    const [, log = '', seq, hash = ''] = RECEIPT.exec(line) ?? [];
    if (seq === undefined) throw refuse('a value of x-countersign-receipt in every line', 'another text');
    return { log, seq: Number(seq), hash };
  });
}

function linesOf(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim()).filter((line) => line !== ''); // prettier-ignore
  if (lines.length > MAX_KEPT) throw refuse(`at most ${String(MAX_KEPT)} lines`, String(lines.length));
  return lines;
}

function refuse(expected: string, found: string): LedgerError {
  return new LedgerError('trust_policy', `expected ${expected}, found ${found}`);
}
