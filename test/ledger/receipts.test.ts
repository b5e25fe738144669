import { createPublicKey, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { createReceiptBook, NO_DIGEST } from '../../ledger/append/receipts.ts';
import type { StoredReceipt } from '../../ledger/append/batch.ts';
import type { Appended } from '../../ledger/entry.ts';
import { receiptText } from '../../ledger/receipt-text.ts';

const ORIGIN = 'test.example/ledger';
const CALLS = 1000;

function entry(seq: number): Appended {
  return { log: 'ab'.repeat(32), inc: 0, seq, hash: 'cd'.repeat(32), timeMs: 0, wid: 'w-1', wseq: seq + 1 };
}

test('a process that is never idle signs outcomes too, a few hundred behind', async () => {
  const book = createReceiptBook();
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: book.publicKey }, format: 'jwk' });
  const signed: StoredReceipt[] = [];
  for (let call = 0; call < CALLS; call += 1) {
    await book.sign(ORIGIN, entry(2 * call), 'ef'.repeat(32));
    book.signLater(ORIGIN, entry(2 * call + 1));
    signed.push(...book.take(256));
  }
  expect(book.unsigned).toBeGreaterThan(0);
  expect(book.unsigned).toBeLessThan(300);
  const outcomes = signed.filter(({ digest }) => digest === NO_DIGEST);
  expect([signed.length - outcomes.length, outcomes.length + book.unsigned]).toEqual([CALLS, CALLS]);
  expect(new Set(outcomes.map(({ seq }) => seq)).size).toBe(outcomes.length);

  book.signSome(Infinity);
  expect(book.unsigned).toBe(0);
  const last = book.take(Infinity).at(-1);
  const text = Buffer.from(receiptText(ORIGIN, entry(last?.seq ?? -1), NO_DIGEST), 'latin1');
  expect(verify(null, text, key, Buffer.from(last?.signature ?? '', 'base64url'))).toBe(true);
});
