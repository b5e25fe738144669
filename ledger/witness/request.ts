/** What a log sends to a witness: c2sp.org/tlog-witness, add-checkpoint. Nothing in it is checked yet. */
export interface AddCheckpoint {
  /** Size of the checkpoint that the proof starts from. */
  readonly oldSize: number;
  /** Lower hex. */
  readonly proof: readonly string[];
  /** The checkpoint as a signed note. */
  readonly note: string;
}

/** Most bytes of a request; a note of ours has 300. */
export const MAX_REQUEST_BYTES = 65_536;
const MAX_PROOF = 63;

export function formatAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  const lines = proof.map((hash) => `${Buffer.from(hash, 'hex').toString('base64')}\n`);
  return `old ${String(oldSize)}\n${lines.join('')}\n${note}`;
}

/** Null when the bytes have another form. */
export function parseAddCheckpoint(body: Uint8Array): AddCheckpoint | null {
  if (body.length > MAX_REQUEST_BYTES) return null;
  const text = decode(body);
  const end = text?.indexOf('\n\n') ?? -1;
  if (text === null || end < 0) return null;
  const [first = '', ...hashes] = text.slice(0, end).split('\n');
  const size = /^old (0|[1-9][0-9]{0,15})$/.exec(first)?.[1];
  const proof = hashes.map(hashOf);
  if (size === undefined || !Number.isSafeInteger(Number(size)) || proof.length > MAX_PROOF) return null;
  const known = proof.filter((hash) => hash !== null);
  return known.length === proof.length ? { oldSize: Number(size), proof: known, note: text.slice(end + 2) } : null;
}

function hashOf(base64: string): string | null {
  const bytes = Buffer.from(base64, 'base64');
  return bytes.length === 32 && bytes.toString('base64') === base64 ? bytes.toString('hex') : null;
}

function decode(body: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return null;
  }
}
