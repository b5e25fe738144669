import type { AnchorSend } from '../anchor/send.ts';
import { LedgerError } from '../error.ts';
import type { VerifierKey } from '../note/key.ts';
import { formatNote, openNote, parseNote } from '../note/note.ts';
import { formatAddCheckpoint } from './request.ts';

/** What a witness is asked to cosign. */
export interface WitnessQuestion {
  readonly send: AnchorSend;
  readonly witness: { readonly name: string; readonly key: VerifierKey; readonly url: string };
  /** The checkpoint as a signed note, and its size. */
  readonly note: string;
  readonly size: number;
  /** The size this witness cosigned last, as far as is known here; 0 when it is not. It says so itself if that is wrong. */
  readonly lastSize: number;
  /** Proof from a smaller size to `size`, lower hex. Asked for sizes from 1 on. */
  readonly proof: (oldSize: number) => Promise<readonly string[]>;
}

/** A witness's signature under a checkpoint, verified. */
export interface StoredCosignature {
  /** The signature line, with its line feed. */
  readonly line: string;
  /** Unix seconds the witness stated. */
  readonly timeS: number;
}

const MAX_ANSWER_BYTES = 65_536;
const MAX_TRIES = 3;

/**
 * Asks a witness to cosign (c2sp.org/tlog-witness). Signatures of other keys in its answer are ignored.
 *
 * @throws {LedgerError} `forked` when the witness has seen another history than this one, `witness` for every other refusal
 */
export async function askWitness(question: WitnessQuestion): Promise<StoredCosignature> {
  const { witness, size } = question;
  let oldSize = Math.min(question.lastSize, size);
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const { status, body } = await post(question, oldSize);
    if (status === 200) return readCosignatures(question, decode(body));
    if (status !== 409) throw refused(witness.name, status);
    const known = readSize(decode(body));
    if (known === null) throw refused(witness.name, status);
    if (known > size || known === oldSize) throw otherHistory(witness.name, known, size);
    oldSize = known;
  }
  throw new LedgerError(
    'witness',
    `expected ${witness.name} to keep to one size, found that it named another each time`,
  );
}

async function post(
  { send, witness, note, proof }: WitnessQuestion,
  oldSize: number,
): Promise<{ status: number; body: Uint8Array }> {
  const hashes = oldSize === 0 ? [] : await proof(oldSize);
  return send({
    purpose: 'witness',
    method: 'POST',
    url: `${witness.url.replace(/\/+$/, '')}/add-checkpoint`,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: Buffer.from(formatAddCheckpoint({ oldSize, proof: hashes, note }), 'utf8'),
    maxBytes: MAX_ANSWER_BYTES,
  });
}

function readCosignatures({ witness, note }: WitnessQuestion, lines: string): StoredCosignature {
  const { text } = parseNote(note);
  const { verified } = openNote(`${text}\n${lines}`, [witness.key]);
  const { name, id } = witness.key;
  const line = parseNote(`${text}\n${lines}`).signatures.find((each) => each.name === name && each.id === id);
  const timeS = verified[0]?.timeS ?? null;
  if (line === undefined || timeS === null)
    throw new LedgerError('witness', `expected a cosignature of ${witness.name}, found none; check its key`);
  return { line: formatNote({ text: '', signatures: [line] }).trimStart(), timeS };
}

/** `<size>` and a line feed; null for anything else. */
export function readSize(text: string): number | null {
  const size = /^(0|[1-9][0-9]{0,15})\n$/.exec(text)?.[1];
  return size !== undefined && Number.isSafeInteger(Number(size)) ? Number(size) : null;
}

const REFUSALS: Readonly<Record<number, string>> = {
  403: 'that it does not accept the key of this log; have the key in its policy checked',
  404: 'that it does not know this log; have its operator add it',
};

function refused(name: string, status: number): LedgerError {
  if (status === 422)
    return new LedgerError(
      'forked',
      `expected the witness ${name} to find this log continuing the one it cosigned, found that it does not`,
    );
  const found = REFUSALS[status] ?? `status ${String(status)}; it is asked again`;
  return new LedgerError('witness', `expected a cosignature of ${name}, found ${found}`);
}

function otherHistory(name: string, known: number, size: number): LedgerError {
  return new LedgerError(
    'forked',
    `expected the witness ${name} to have cosigned the beginning of this log of ${String(size)} entries, ` +
      `found that it cosigned ${String(known)} entries of another history; was the database restored?`,
  );
}

function decode(body: Uint8Array): string {
  return Buffer.from(body).toString('utf8');
}
