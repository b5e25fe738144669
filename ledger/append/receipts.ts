import { generateKeyPairSync, sign } from 'node:crypto';
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
  /** Signs now; 30 microseconds. Returns the signature, base64url. */
  sign(origin: string, entry: Appended, digest: string): string;
  /** Signs on another thread and keeps the signature; for entries whose receipt nobody waits for. */
  signLater(origin: string, entry: Appended): void;
  /** Up to `most` signatures to be stored. */
  take(most: number): StoredReceipt[];
  /** Puts back what could not be stored. */
  giveBack(receipts: readonly StoredReceipt[]): void;
  readonly waiting: number;
  /** Resolves when signLater has nothing more to do. */
  settled(): Promise<void>;
}

/** Most signatures kept while the database is away; older ones are dropped: the caller has its own copy. */
const MAX_WAITING = 20_000;

export function createReceiptBook(): ReceiptBook {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const jwk = publicKey.export({ format: 'jwk' });
  let waiting: StoredReceipt[] = [];
  let signing = 0;
  let idle: (() => void)[] = [];

  const keep = (entry: Appended, digest: string, signature: string): void => {
    if (waiting.length >= MAX_WAITING) waiting = waiting.slice(MAX_WAITING / 2);
    waiting.push({ log: entry.log, seq: entry.seq, digest, signature });
  };
  return {
    publicKey: jwk.x ?? '',
    sign: (origin, entry, digest) => {
      const signature = sign(null, Buffer.from(receiptText(origin, entry, digest), 'latin1'), privateKey).toString(
        'base64url',
      );
      keep(entry, digest, signature);
      return signature;
    },
    signLater: (origin, entry) => {
      signing += 1;
      sign(null, Buffer.from(receiptText(origin, entry, NO_DIGEST), 'latin1'), privateKey, (error, signature) => {
        signing -= 1;
        if (error === null) keep(entry, NO_DIGEST, signature.toString('base64url'));
        if (signing === 0) {
          for (const resolve of idle) resolve();
          idle = [];
        }
      });
    },
    take: (most) => (waiting.length <= most ? waiting.splice(0) : waiting.splice(0, most)),
    giveBack: (receipts) => {
      waiting = [...receipts, ...waiting].slice(0, MAX_WAITING);
    },
    get waiting() {
      return waiting.length;
    },
    settled: () => (signing === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))),
  };
}
