import { generateKeyPairSync, sign as signBytes } from 'node:crypto';
import type { Appended } from '../entry.ts';
import { receiptText } from '../receipt-text.ts';
import type { StoredReceipt } from './batch.ts';

/** What a receipt of an entry without a request digest carries in its place. */
export const NO_DIGEST = '-';

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
  /** Signs in a later turn of the event loop, while the upstream works. Resolves with the signature, base64url. */
  sign(origin: string, entry: Appended, digest: string): Promise<string>;
  /** Signs a text that is no receipt, base64url. */
  signText(text: Uint8Array): string;
  /** Remembers an entry whose receipt nobody waits for; it is signed when there is time. */
  signLater(origin: string, entry: Appended): void;
  /** Signs what waits for its turn and up to `most` of the remembered entries. */
  signSome(most: number): void;
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
/** Entries that may wait for a quiet moment. Beyond, two are signed with every receipt that somebody waits for, so that a busy day leaves none unsigned. */
const MAX_BEHIND = 256;

interface Unsigned {
  readonly origin: string;
  readonly entry: Appended;
}

interface Turn extends Unsigned {
  readonly digest: string;
  readonly resolve: (signature: string) => void;
  readonly reject: (error: unknown) => void;
}

export function createReceiptBook(): ReceiptBook {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const jwk = publicKey.export({ format: 'jwk' });
  let waiting: StoredReceipt[] = [];
  let unsigned: Unsigned[] = [];
  let turns: Turn[] = [];

  // On this thread: handing a signature to another one costs it as much as making it (25 µs either way).
  const sign = ({ origin, entry }: Unsigned, digest: string): string => {
    const text = Buffer.from(receiptText(origin, entry, digest), 'latin1');
    const signature = signBytes(null, text, privateKey).toString('base64url');
    if (waiting.length >= MAX_WAITING) waiting = waiting.slice(MAX_WAITING / 2);
    waiting.push({ log: entry.log, seq: entry.seq, digest, signature });
    return signature;
  };
  const takeTurns = (): void => {
    const now = turns;
    turns = [];
    for (const turn of now) {
      try {
        turn.resolve(sign(turn, turn.digest));
      } catch (error) {
        turn.reject(error);
      }
    }
    if (unsigned.length > MAX_BEHIND) signRemembered(2 * now.length);
  };
  const signRemembered = (most: number): void => {
    for (const each of unsigned.splice(0, most)) sign(each, NO_DIGEST);
  };
  return {
    publicKey: jwk.x ?? '',
    sign: (origin, entry, digest) =>
      new Promise((resolve, reject) => {
        // The second turn: in the first one the request leaves for its upstream.
        if (turns.length === 0) setImmediate(() => setImmediate(takeTurns));
        turns.push({ origin, entry, digest, resolve, reject });
      }),
    signText: (text) => signBytes(null, text, privateKey).toString('base64url'),
    signLater: (origin, entry) => {
      if (unsigned.length >= MAX_WAITING) unsigned = unsigned.slice(MAX_WAITING / 2);
      unsigned.push({ origin, entry });
    },
    signSome: (most) => {
      takeTurns();
      signRemembered(most);
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
