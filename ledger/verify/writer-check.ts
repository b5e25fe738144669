import { verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { JsonValue } from '../canonical.ts';
import { receiptText } from '../receipt-text.ts';
import { isSignedStatement, writerKey } from '../statement.ts';
import type { SignedStatement, StatementKind } from '../statement.ts';
import { parseHeader } from '../header.ts';
import type { EntryHeader } from '../entry.ts';
import type { StoredSignature } from '../stored.ts';
import { asObject } from './call-check.ts';
import type { EvidenceEntry } from './evidence.ts';
import type { Finding } from './report.ts';

/** What all writers together may take: one bit for each sequence number up to a writer's highest. */
const MAX_BYTES = 256 * 1024 * 1024;
const FIRST_BYTES = 8;
/** About what a writer takes besides. */
const WRITER_BYTES = 256;

/** Memory that is left for the bits of all writers. */
interface Room {
  bytes: number;
}

/** One bit per writer sequence number. */
class Bits {
  readonly #room: Room;
  #words = new Uint8Array(FIRST_BYTES);
  highest = 0;
  count = 0;

  constructor(room: Room) {
    this.#room = room;
    room.bytes -= WRITER_BYTES;
  }

  /** False when there is no room for it. */
  fits(index: number): boolean {
    const byte = index >> 3;
    if (byte < this.#words.length) return this.#room.bytes >= 0;
    const length = Math.max(byte + 1, this.#words.length * 2);
    this.#room.bytes -= length - this.#words.length;
    if (this.#room.bytes < 0) return false;
    const wider = new Uint8Array(length);
    wider.set(this.#words);
    this.#words = wider;
    return true;
  }

  /** False when it was set already. */
  set(index: number): boolean {
    const byte = index >> 3;
    const mask = 1 << (index & 7);
    const old = this.#words[byte] ?? 0;
    if ((old & mask) !== 0) return false;
    this.#words[byte] = old | mask;
    this.highest = Math.max(this.highest, index);
    this.count += 1;
    return true;
  }

  firstMissing(): number | null {
    if (this.count === this.highest) return null;
    for (let index = 1; index <= this.highest; index += 1) {
      if (((this.#words[index >> 3] ?? 0) & (1 << (index & 7))) === 0) return index;
    }
    return null;
  }
}

/** Far more entries than one process start can write. */
const MAX_WSEQ = 2 ** 31 - 2;

/** A signature to look at. */
export interface SignatureToCheck {
  /** Raw Ed25519 public key, base64url. */
  readonly key: string;
  readonly text: string;
  /** Base64url. */
  readonly signature: string;
}

/** Ed25519 for many at once, where one at a time is slow. False where it does not know. */
export type VerifyMany = (checks: readonly SignatureToCheck[]) => Promise<readonly boolean[]>;

/** Writers over all logs: their keys from the deployment log, their own sequence numbers, their signatures. */
export class WriterCheck {
  readonly #room: Room = { bytes: MAX_BYTES };
  readonly #seen = new Map<string, Bits>();
  readonly #keys = new Map<string, KeyObject>();
  readonly #keyTexts = new Map<string, string>();
  /** Receipts that were found good ahead. */
  readonly #prepared = new Set<string>();

  /** Public keys as the deployment log's `writer` entries give them, base64url. */
  get keys(): ReadonlyMap<string, string> {
    return this.#keyTexts;
  }

  add(header: EntryHeader, facts: JsonValue): Finding | null {
    if (header.kind === 'writer') this.#register(header, asObject(facts));
    const seen = this.#seen.get(header.wid) ?? new Bits(this.#room);
    this.#seen.set(header.wid, seen);
    if (header.wseq < 1 || header.wseq > MAX_WSEQ)
      return { problem: `writer sequence ${String(header.wseq)} is outside its range` };
    // Nobody writes numbers without writing the entries: this much is no ledger, and is not followed.
    if (!seen.fits(header.wseq))
      return { problem: `writer sequence ${String(header.wseq)} of ${header.wid} is beyond what can be followed` };
    if (!seen.set(header.wseq))
      return { problem: `writer ${header.wid} used its sequence number ${String(header.wseq)} twice` };
    return null;
  }

  /**
   * Looks at the receipts of entries that will be asked about next, all at once. Only what is good is kept, until the next time; whatever
   * is not good, or not known yet, is looked at when it is asked about.
   */
  async prepare(origin: string, entries: readonly EvidenceEntry[], verifyMany: VerifyMany): Promise<void> {
    this.#prepared.clear();
    const checks = entries.flatMap(({ header, hash, receipt }) => {
      const [place, key] = [parseHeader(header), this.#keyTexts.get(receipt?.wid ?? '')];
      if (receipt === null || place === null || key === undefined) return [];
      const text = receiptText(origin, { ...place, hash }, receipt.digest);
      return [{ key, text, signature: receipt.signature, name: `${receipt.wid}\n${receipt.signature}\n${text}` }];
    });
    const found = checks.length === 0 ? [] : await verifyMany(checks);
    for (const [index, { name }] of checks.entries()) if (found[index] === true) this.#prepared.add(name);
  }

  /** Null when the writer's key is not known, so that nothing can be said. */
  isSigned(
    origin: string,
    entry: { log: string; inc: number; seq: number; hash: string },
    { wid, digest, signature }: StoredSignature,
  ): boolean | null {
    const key = this.#keys.get(wid);
    if (key === undefined) return null;
    const text = receiptText(origin, entry, digest);
    if (this.#prepared.has(`${wid}\n${signature}\n${text}`)) return true;
    return verify(null, Buffer.from(text, 'utf8'), key, Buffer.from(signature, 'base64url'));
  }

  /** False too for a writer that the deployment log does not name. */
  hasSigned(wid: string, kind: StatementKind, signed: SignedStatement): boolean {
    const key = this.#keys.get(wid);
    return key !== undefined && isSignedStatement(key, kind, signed);
  }

  /** The first number a writer skipped, when all logs were read. */
  firstGap(): { wid: string; wseq: number } | null {
    for (const [wid, seen] of this.#seen) {
      const wseq = seen.firstMissing();
      if (wseq !== null) return { wid, wseq };
    }
    return null;
  }

  /** Writers of entries of whom no deployment log tells; when all logs were read. */
  strangers(): string[] {
    return [...this.#seen.keys()].filter((wid) => !this.#keyTexts.has(wid));
  }

  highest(wid: string): number {
    return this.#seen.get(wid)?.highest ?? 0;
  }

  #register({ wid }: EntryHeader, facts: { [key: string]: JsonValue }): void {
    const { key, wid: named } = facts;
    if (typeof key !== 'string' || named !== wid || this.#keys.has(wid)) return;
    const known = writerKey(key);
    // Not a key: receipts of this writer stay unchecked and are counted as such.
    if (known === null) return;
    this.#keys.set(wid, known);
    this.#keyTexts.set(wid, key);
  }
}
