import { generateKeyPairSync, sign as signBytes, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { Appended } from '../entry.ts';
import type { StoredReceipt } from './batch.ts';

/** What a receipt of an entry without a request digest carries in its place. */
export const NO_DIGEST = '-';

/**
 * The exact text a receipt signs (docs/ledger-format.md): seven lines, each ended by a line feed.
 *
 * @param digest SHA-256 of the enforced request, 64 lower hex digits, or `-`
 */
export function receiptText(
  origin: string,
  entry: { log: string; inc: number; seq: number; hash: string },
  digest: string,
): string {
  return `countersign/receipt/v1\n${origin}\n${entry.log}\n${String(entry.inc)}\n${String(entry.seq)}\n${entry.hash}\n${digest}\n`;
}

/** As sent in `x-countersign-receipt`. */
export function formatReceipt(
  entry: { log: string; inc: number; seq: number; hash: string },
  wid: string,
  signature: string,
): string {
  return `${entry.log}/${String(entry.inc)}/${String(entry.seq)}/${entry.hash}/${wid}/${signature}`;
}

/** Signs with a key that lives as long as the process, and keeps signatures until a batch takes them along. */
export interface ReceiptBook {
  /** Raw Ed25519 public key, base64url. */
  readonly publicKey: string;
  /** Signs on another thread, while the call goes on. Resolves with the signature, base64url. */
  sign(origin: string, entry: Appended, digest: string): Promise<string>;
  /** Remembers an entry whose receipt nobody waits for; it is signed when there is time. */
  signLater(origin: string, entry: Appended): void;
  /** Signs up to `most` of the remembered entries, and waits for the signatures that are being made. */
  signSome(most: number): Promise<void>;
  /** Up to `most` signatures to be stored. */
  take(most: number): StoredReceipt[];
  /** Puts back what could not be stored. */
  giveBack(receipts: readonly StoredReceipt[]): void;
  readonly waiting: number;
  /** Entries that signLater remembers. */
  readonly unsigned: number;
}

/**
 * Most signatures kept while the database is away, and most entries remembered while there is no time to sign; older ones
 * are dropped: a caller has its own copy, and the chain covers the entry all the same.
 */
const MAX_WAITING = 20_000;

const signOnThread = promisify<null, Uint8Array, KeyObject, Buffer>(signBytes);

export function createReceiptBook(): ReceiptBook {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const jwk = publicKey.export({ format: 'jwk' });
  let waiting: StoredReceipt[] = [];
  let unsigned: { readonly origin: string; readonly entry: Appended }[] = [];
  const signing = new Set<Promise<string>>();

  const keep = (entry: Appended, digest: string, signature: string): void => {
    if (waiting.length >= MAX_WAITING) waiting = waiting.slice(MAX_WAITING / 2);
    waiting.push({ log: entry.log, seq: entry.seq, digest, signature });
  };
  const sign = async (origin: string, entry: Appended, digest: string): Promise<string> => {
    const text = Buffer.from(receiptText(origin, entry, digest), 'latin1');
    const signature = (await signOnThread(null, text, privateKey)).toString('base64url');
    keep(entry, digest, signature);
    return signature;
  };
  return {
    publicKey: jwk.x ?? '',
    sign: (origin, entry, digest) => {
      const signature = sign(origin, entry, digest);
      signing.add(signature);
      const done = (): boolean => signing.delete(signature);
      signature.then(done, done);
      return signature;
    },
    signLater: (origin, entry) => {
      if (unsigned.length >= MAX_WAITING) unsigned = unsigned.slice(MAX_WAITING / 2);
      unsigned.push({ origin, entry });
    },
    signSome: async (most) => {
      const later = unsigned.splice(0, most).map(({ origin, entry }) => sign(origin, entry, NO_DIGEST));
      await Promise.all([...later, ...signing]);
    },
    take: (most) => (waiting.length <= most ? waiting.splice(0) : waiting.splice(0, most)),
    giveBack: (receipts) => {
      waiting = [...receipts, ...waiting].slice(0, MAX_WAITING);
    },
    get waiting() {
      return waiting.length;
    },
    get unsigned() {
      return unsigned.length;
    },
  };
}
