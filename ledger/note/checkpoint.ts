import { LedgerError } from '../error.ts';

/** The text of a checkpoint: c2sp.org/tlog-checkpoint. */
export interface Checkpoint {
  /** First line: which log, and which of its incarnations. */
  readonly origin: string;
  /** Number of leaves. */
  readonly size: number;
  /** RFC 6962 tree head over them, lower hex. */
  readonly root: string;
  /** Further lines; ours have none. */
  readonly extensions: readonly string[];
}

/** The origin line of a log: its name and its incarnation. */
export function originLine(origin: string, inc: number): string {
  return `${origin}/${String(inc)}`;
}

export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  const lines = [origin, String(size), Buffer.from(root, 'hex').toString('base64'), ...extensions];
  return lines.map((line) => `${line}\n`).join('');
}

/** Reads the text of a note as a checkpoint. @throws {LedgerError} `invalid_note` */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n');
  const [origin = '', size = '', root = '', ...extensions] = lines.slice(0, -1);
  const hash = Buffer.from(root, 'base64');
  const sound =
    lines.length > 3 &&
    lines.at(-1) === '' &&
    !lines.slice(0, -1).includes('') &&
    /^(0|[1-9][0-9]{0,15})$/.test(size) &&
    Number.isSafeInteger(Number(size)) &&
    hash.length === 32 &&
    hash.toString('base64') === root;
  if (sound) return { origin, size: Number(size), root: hash.toString('hex'), extensions };
  throw new LedgerError('invalid_note', 'expected a checkpoint (origin, size, root hash), found another text');
}
