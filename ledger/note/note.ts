import { LedgerError } from '../error.ts';
import { cosignedMessage, readCosignature } from './cosignature.ts';
import { isKeyName, isSignedBy } from './key.ts';
import type { NoteSigner, VerifierKey } from './key.ts';

/** One signature line; nothing is known of it until a key was tried. */
export interface NoteSignature {
  readonly name: string;
  readonly id: number;
  /** What follows the key id. */
  readonly signature: Uint8Array;
}

/** A signed note (c2sp.org/signed-note) as it is written. The text ends with a line feed and means nothing until opened. */
export interface Note {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A signature by a known key. */
export interface VerifiedSignature {
  readonly key: VerifierKey;
  /** Unix seconds a witness stated; null for plain signatures. */
  readonly timeS: number | null;
}

/** A note with at least one verified signature. */
export interface OpenedNote {
  readonly text: string;
  /** One for each key, in the order of the note. */
  readonly verified: readonly VerifiedSignature[];
  /** Lines of keys that are not known. */
  readonly unknown: readonly NoteSignature[];
}

/** As in golang.org/x/mod/sumdb/note. */
const MAX_NOTE_CHARS = 1_000_000;
const MAX_SIGNATURES = 100;
/** The only ASCII control character is the line feed (U+007F to U+009F are allowed); a lone surrogate is no UTF-8. */
const FORBIDDEN = /(?![\n\u007f-\u009f])[\p{Cc}\p{Cs}]/u;

/** @throws {LedgerError} `invalid_note` */
export function parseNote(note: string): Note {
  if (note.length > MAX_NOTE_CHARS || FORBIDDEN.test(note)) throw badNote();
  const end = note.lastIndexOf('\n\n');
  const lines = note.slice(end + 2).split('\n');
  if (end < 0 || lines.pop() !== '' || lines.length === 0 || lines.length > MAX_SIGNATURES) throw badNote();
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): NoteSignature {
  const [dash, name = '', material = '', ...rest] = line.split(' ');
  const bytes = Buffer.from(material, 'base64');
  const strict = bytes.toString('base64') === material;
  if (dash !== '\u2014' || !isKeyName(name) || !strict || bytes.length < 5 || rest.length > 0) throw badNote();
  return { name, id: bytes.readUInt32BE(0), signature: bytes.subarray(4) };
}

export function formatNote({ text, signatures }: Note): string {
  const lines = signatures.map(({ name, id, signature }) => {
    const keyId = Buffer.alloc(4);
    keyId.writeUInt32BE(id);
    return `\u2014 ${name} ${Buffer.concat([keyId, signature]).toString('base64')}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

/** Signs a text (it ends with a line feed, and has no other control character). @throws {LedgerError} `invalid_note` */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!text.endsWith('\n')) throw badNote();
  const message = Buffer.from(text, 'utf8');
  const note = formatNote({
    text,
    signatures: signers.map(({ key, sign }) => ({ name: key.name, id: key.id, signature: sign(message) })),
  });
  parseNote(note);
  return note;
}

/**
 * Checks a note against the keys the reader trusts. Lines of other keys are ignored; a line of a known key that does not
 * verify refuses the note, and so does a note that none of the keys signed. A second line of one key is ignored.
 *
 * @throws {LedgerError} `invalid_note`
 */
export function openNote(note: string, keys: readonly VerifierKey[]): OpenedNote {
  const { text, signatures } = parseNote(note);
  const message = Buffer.from(text, 'utf8');
  const verified: VerifiedSignature[] = [];
  const unknown: NoteSignature[] = [];
  for (const line of signatures) {
    const key = keys.find(({ name, id }) => name === line.name && id === line.id);
    if (key === undefined) unknown.push(line);
    else if (verified.every((each) => each.key !== key)) verified.push({ key, timeS: check(key, message, line) });
  }
  if (verified.length > 0) return { text, verified, unknown };
  throw new LedgerError('invalid_note', 'expected a signature of a trusted key, found none; check whose note this is');
}

function check(key: VerifierKey, message: Buffer, { signature }: NoteSignature): number | null {
  if (key.algorithm === 'ed25519') {
    if (isSignedBy(key, message, signature)) return null;
  } else {
    const cosignature = readCosignature(signature);
    if (cosignature !== null && isSignedBy(key, cosignedMessage(message, cosignature.timeS), cosignature.signature))
      return cosignature.timeS;
  }
  throw new LedgerError('invalid_note', `expected a signature of ${key.name} over this text, found one over another`);
}

function badNote(): LedgerError {
  return new LedgerError(
    'invalid_note',
    'expected a signed note (text, empty line, signature lines), found another form',
  );
}
