import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../ledger/canonical.ts';
import { parseProof, verifyProof } from '../../../ledger/epoch/proof-text.ts';
import { parseReceipt, proveEntry } from '../../../ledger/epoch/prove.ts';
import { readBundle, readConsistency, readInclusion, readTile } from '../../../ledger/epoch/tree-reader.ts';
import type { Appended } from '../../../ledger/index.ts';
import { merkleRoot } from '../../../ledger/merkle.ts';
import { createNoteSigner, createVerifierKey } from '../../../ledger/note/key.ts';
import { verifyConsistency, verifyInclusion } from '../../../ledger/tree/proof.ts';
import { decisionItem, newCall, openTestLedger } from '../../support/ledger.ts';
import type { LedgerFixture } from '../../support/ledger.ts';
import { closeEpoch, createTestNotary, TEST_CHECKPOINT_KEY } from '../../support/notary.ts';
import type { TestNotary } from '../../support/notary.ts';
import { createDatabase } from '../../support/postgres.ts';
import type { TestDatabase } from '../../support/postgres.ts';

let database: TestDatabase;
let fixture: LedgerFixture;
let notary: TestNotary;
const entries: Appended[] = [];
const receipts: string[] = [];
const KEY = createNoteSigner('countersign.test/ledger/0', 'ed25519', TEST_CHECKPOINT_KEY).key;

beforeAll(async () => {
  database = await createDatabase();
  fixture = await openTestLedger(database);
  notary = createTestNotary(database);
  // Epochs over 3, 300 and 900 entries of one log, and a neighbour.
  for (const count of [3, 297, 600]) {
    await fixture.ledger.append(decisionItem(newCall(), { tenant: 'other', open: false }));
    const added = await Promise.all(
      Array.from({ length: count }, () => fixture.ledger.append(decisionItem(newCall(), { open: false }))),
    );
    for (const entry of added) receipts[entry.seq] = await fixture.ledger.signReceipt(entry, 'ef'.repeat(32));
    for (const entry of added) entries[entry.seq] = entry;
    await closeEpoch(fixture, notary);
  }
});
afterAll(async () => {
  await fixture.ledger.close();
  await notary.close();
  await database.drop();
});

const INVALID = expect.objectContaining({ code: expect.stringMatching(/^invalid_(proof|note)$/) as string }) as Error;

describe('a receipt is exchanged for a proof', () => {
  test.each([0, 2, 3, 255, 256, 299, 300, 511, 512, 767, 768, 899])('of entry %i', async (seq) => {
    const place = parseReceipt(receipts[seq] ?? '');
    const entry = entries[seq];
    expect(place).toEqual({ log: entry?.log, seq, hash: entry?.hash });
    if (place === null) return;
    const proof = await proveEntry(fixture.sql, place);
    const proven = verifyProof(proof, [KEY]);
    expect(proven).toMatchObject({ hash: entry?.hash, header: { seq, log: entry?.log } });
    expect(proven.epoch).toBe(seq < 3 ? 0 : seq < 300 ? 1 : 2);
    expect(proven.checkpoint.origin).toBe('countersign.test/ledger/0');
    expect(proof.split('\n')[0]).toBe('c2sp.org/tlog-proof@v1');
  });

  test('after the next epoch, and not before', async () => {
    const late = await fixture.ledger.append(decisionItem(newCall(), { open: false }));
    await expect(proveEntry(fixture.sql, late)).rejects.toMatchObject({ code: 'not_yet' });
    await closeEpoch(fixture, { ...notary, sql: notary.sql, heads: notary.heads });
    expect(verifyProof(await proveEntry(fixture.sql, late), [KEY])).toMatchObject({ epoch: 3, hash: late.hash });
  });

  test('not for an entry that is not there, or is another one', async () => {
    const [entry] = entries;
    if (entry === undefined) throw new TypeError('an entry');
    const forged = { ...entry, hash: 'ab'.repeat(32) };
    await expect(proveEntry(fixture.sql, forged)).rejects.toMatchObject({ code: 'not_found' });
    await expect(proveEntry(fixture.sql, { ...entry, seq: 10_000 })).rejects.toMatchObject({ code: 'not_found' });
    for (const bad of ['', 'a/b/c', `${receipts[0] ?? ''}=`, (receipts[0] ?? '').replace('/0/0/', '/0/-1/')])
      expect(parseReceipt(bad), bad).toBeNull();
  });
});

type Tree = { [name: string]: unknown };

/** Every place in a JSON document where a value could be changed. */
function leavesOf(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value as Tree).flatMap(([name, member]) => leavesOf(member, [...path, name]));
}

function changed(value: unknown, path: readonly (string | number)[]): unknown {
  const [name, ...rest] = path;
  if (name !== undefined) {
    const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as Tree) }) as Tree;
    copy[name] = changed(copy[name], rest);
    return copy;
  }
  if (typeof value === 'number') return value + 1;
  const text = String(value);
  return text.length === 0 ? 'a' : `${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}`;
}

describe('a proof that was changed is refused', () => {
  test('wherever it was', async () => {
    const proof = await proveEntry(fixture.sql, entries[700] as Appended);
    const [first = '', extra = '', ...rest] = proof.split('\n');
    const inner = JSON.parse(Buffer.from(extra.slice(6), 'base64').toString('utf8')) as Tree;
    const places = leavesOf(inner);
    expect(places.length).toBeGreaterThan(20);
    for (const place of places) {
      const bad = canonicalJson(changed(inner, place) as Parameters<typeof canonicalJson>[0]);
      const text = [first, `extra ${Buffer.from(bad).toString('base64')}`, ...rest].join('\n');
      expect(() => verifyProof(text, [KEY]), place.join('.')).toThrow(INVALID);
    }
    for (const [index, line] of rest.entries()) {
      if (line === '') continue;
      const bad = rest.with(index, `${line.slice(0, 12)}${line[12] === 'A' ? 'B' : 'A'}${line.slice(13)}`);
      expect(() => verifyProof([first, extra, ...bad].join('\n'), [KEY]), line).toThrow(INVALID);
      expect(() => verifyProof([first, extra, ...rest.toSpliced(index, 1)].join('\n'), [KEY]), line).toThrow(INVALID);
    }
    for (const text of [
      '',
      first,
      `${first}\n\n`,
      proof.replace('@v1', '@v2'),
      proof.replace('\nextra ', '\nother '),
      'x'.repeat(1_000_001),
    ])
      expect(() => verifyProof(text, [KEY])).toThrow(INVALID);
  });

  test('when it proves another entry, or another key signed', async () => {
    const one = await proveEntry(fixture.sql, entries[10] as Appended);
    const two = await proveEntry(fixture.sql, entries[11] as Appended);
    const [a = '', b = ''] = [one, two].map((text) => text.split('\n')[1]);
    expect(verifyProof(one.replace(a, b), [KEY]).header.seq).toBe(11);
    const other = await proveEntry(fixture.sql, entries[500] as Appended);
    const checkpoint = parseProof(other).checkpoint;
    expect(() => verifyProof(one.slice(0, one.indexOf('\n\n') + 2) + checkpoint, [KEY])).toThrow(INVALID);
    expect(() => verifyProof(one, [createVerifierKey(KEY.name, 'ed25519', Buffer.alloc(32, 1))])).toThrow(INVALID);
    expect(() => verifyProof(one, [])).toThrow(INVALID);
  });
});

describe('tiles, bundles and proofs of a log', () => {
  test('between any two checkpoints, of the deployment and of a tenant', async () => {
    const { sql } = fixture;
    const checkpoints = await sql<{ log: string; size: number; root: string }[]>`
      select log, size::int, encode(root, 'hex') as root from ledger.checkpoints order by size`;
    const heads = await sql<{ log: string; size: number; root: string }[]>`
      select log, size::int, encode(root, 'hex') as root from ledger.epoch_heads where log = ${entries[0]?.log ?? ''} order by size`;
    for (const list of [checkpoints, heads]) {
      for (const older of list) {
        for (const newer of list.filter(({ size }) => size >= older.size)) {
          const proof = await readConsistency(sql, older.log, older.size, newer.size);
          const claim = { oldSize: older.size, oldRoot: older.root, size: newer.size, root: newer.root, proof };
          expect(verifyConsistency(claim)).toBe(true);
        }
      }
    }
  });

  test('are those of the entries', async () => {
    const { sql } = fixture;
    const log = entries[0]?.log ?? '';
    const hashes = entries.map(({ hash }) => hash);
    expect(await readTile(sql, log, { level: 0, n: 2, width: 256 })).toEqual(hashes.slice(512, 768));
    expect(await readTile(sql, log, { level: 0, n: 3, width: 100 })).toEqual(hashes.slice(768, 868));
    expect(await readTile(sql, log, { level: 0, n: 1, width: 7 })).toEqual(hashes.slice(256, 263));
    expect(await readTile(sql, log, { level: 1, n: 0, width: 3 })).toEqual(
      [0, 1, 2].map((n) => merkleRoot(hashes.slice(n * 256, (n + 1) * 256))),
    );
    for (const tile of [
      { level: 0, n: 4, width: 1 },
      { level: 1, n: 0, width: 4 },
      { level: 2, n: 0, width: 1 },
    ])
      // prettier-ignore
      await expect(readTile(sql, log, tile)).rejects.toMatchObject({ code: 'not_found' });
    const bundle = await readBundle(sql, log, { n: 0, width: 2 });
    const length = bundle.readUInt16BE(0);
    expect(JSON.parse(bundle.subarray(2, 2 + length).toString('utf8'))).toMatchObject({ seq: 0, log });
    await expect(readBundle(sql, log, { n: 5, width: 256 })).rejects.toMatchObject({ code: 'not_found' });
    const proof = await readInclusion(sql, log, 5, 6);
    const leaf = hashes[5] ?? '';
    expect(verifyInclusion({ leaf, index: 5, size: 6, proof, root: merkleRoot(hashes.slice(0, 6)) })).toBe(true);
    await expect(readInclusion(sql, log, 6, 6)).rejects.toMatchObject({ code: 'not_found' });
    await expect(readConsistency(sql, log, 0, 6)).rejects.toMatchObject({ code: 'not_found' });
  });
});
