import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRootKey, openKeyRing, readRootKey } from '../../ledger/index.ts';
import { roundKeptDays } from '../../ledger/kept-days.ts';
import type { SealKeys } from '../../ledger/seal.ts';
import { createDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';

const ROOT = Buffer.alloc(32, 9);
const NOVEMBER = Date.UTC(2026, 10, 21);
let database: TestDatabase;
let sql: Sql;
let folder: string;

const cipherKey = (seal: SealKeys): string => seal.cipher.export().toString('hex');

beforeAll(async () => {
  database = await createDatabase();
  sql = database.connectGateway(8);
  folder = mkdtempSync(join(tmpdir(), 'keys-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await database.drop();
});

test('a root key file is made once, for its owner only', async () => {
  const path = join(folder, 'root.key');
  expect(await createRootKey(path)).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const key = await readRootKey({ provider: 'file', path });
  expect(key).toHaveLength(32);
  expect(await createRootKey(path)).toBe(false);
  expect(await readRootKey({ provider: 'file', path })).toEqual(key);
  expect(await readRootKey({ provider: 'env', value: Buffer.from(key).toString('hex') })).toEqual(key);
});

test('a missing or malformed root key is an error that holds no key', async () => {
  const path = join(folder, 'bad.key');
  writeFileSync(path, 'secret-but-not-hex');
  await expect(readRootKey({ provider: 'file', path })).rejects.toMatchObject({ code: 'root_key' });
  await expect(readRootKey({ provider: 'file', path })).rejects.not.toThrow(/secret-but/);
  await expect(readRootKey({ provider: 'file', path: join(folder, 'none') })).rejects.toMatchObject({
    code: 'root_key',
  });
  await expect(readRootKey({ provider: 'env', value: undefined })).rejects.toMatchObject({ code: 'root_key' });
});

test('another root key is noticed at start', async () => {
  await openKeyRing({ sql, rootKey: ROOT });
  await expect(openKeyRing({ sql, rootKey: Buffer.alloc(32, 8) })).rejects.toMatchObject({ code: 'root_key' });
});

test('processes that start together agree on every key', async () => {
  const rings = await Promise.all([1, 2, 3, 4].map(() => openKeyRing({ sql, rootKey: ROOT, tenants: ['race'] })));
  expect(new Set(rings.map((ring) => Buffer.from(ring.derive('race', 'hash')).toString('hex'))).size).toBe(1);
  const seals = await Promise.all(rings.map(async (ring) => ring.sealKeys('race', 'user:ada', NOVEMBER)));
  for (const kind of ['decision', 'outcome'] as const) {
    expect(new Set(seals.map((seal) => seal[kind].ref)).size).toBe(1);
    expect(new Set(seals.map((seal) => cipherKey(seal[kind]))).size).toBe(1);
  }
});

test('keys differ by tenant, subject, month, kind, kept time and purpose, and are synchronous once loaded', async () => {
  const ring = await openKeyRing({ sql, rootKey: ROOT, tenants: ['a', 'b'] });
  const ciphers = new Set<string>();
  for (const [tenant, subject, at, keptDays] of [
    ['a', 'x', NOVEMBER, 0],
    ['a', 'x', NOVEMBER, 90],
    ['a', 'y', NOVEMBER, 0],
    ['b', 'x', NOVEMBER, 0],
    ['a', 'x', Date.UTC(2026, 11, 1), 0],
    ['a', null, NOVEMBER, 0],
  ] as const) {
    const seal = await ring.sealKeys(tenant, subject, at, keptDays);
    for (const key of [seal.decision, seal.outcome]) ciphers.add(cipherKey(key));
    expect(ring.sealKeys(tenant, subject, at, keptDays)).not.toBeInstanceOf(Promise);
  }
  // The tenant's own seals both.
  expect(ciphers.size).toBe(11);
  expect(ring.derive('a', 'one')).not.toEqual(ring.derive('a', 'two'));
  expect(ring.derive('a', 'one')).toHaveLength(32);
  expect(() => ring.derive('nobody', 'one')).toThrow(expect.objectContaining({ code: 'key_missing' }));
});

test('an entry finds its key again by reference, and a destroyed key is gone', async () => {
  const ring = await openKeyRing({ sql, rootKey: ROOT });
  const { decision, outcome } = await ring.sealKeys('a', 'z', NOVEMBER);
  const again = await (await openKeyRing({ sql, rootKey: ROOT })).sealKeysById('a', decision.ref);
  expect(again?.cipher.equals(decision.cipher)).toBe(true);
  // Another tenant's reference opens nothing.
  expect(await ring.sealKeysById('b', decision.ref)).toBeNull();
  await database.connectAdmin(1)`delete from keystore.subject_keys where id = ${decision.ref}`;
  const later = await openKeyRing({ sql, rootKey: ROOT });
  expect(await later.sealKeysById('a', decision.ref)).toBeNull();
  // The other kind's is as it was; what is sealed from now on gets a new one beside it.
  const next = await later.sealKeys('a', 'z', NOVEMBER);
  expect([next.outcome.ref, next.outcome.cipher.equals(outcome.cipher)]).toEqual([outcome.ref, true]);
  expect(next.decision.ref).not.toBe(decision.ref);
});

test('a stored key opens only as what it was made for', async () => {
  const admin = database.connectAdmin(1);
  for (const change of [`seals = 'call'`, `kept_days = 7`, `month = '2026-10'`]) {
    const { decision } = await (await openKeyRing({ sql, rootKey: ROOT })).sealKeys('bound', 'z', NOVEMBER);
    await admin.unsafe(`update keystore.subject_keys set ${change} where id = ${decision.ref ?? ''}`);
    const ring = await openKeyRing({ sql, rootKey: ROOT });
    await expect(ring.sealKeysById('bound', decision.ref)).rejects.toMatchObject({ code: 'root_key' });
  }
});

test('a time is rounded up, never down, to one of a few', () => {
  expect([0, -1, 1, 7, 8, 184, 185, 2192, 4000, 99_999].map((days) => roundKeptDays(days))).toEqual([
    0, 0, 7, 7, 30, 184, 366, 2192, 36_525, 36_525,
  ]);
  expect(roundKeptDays()).toBe(0);
});

test('the stored form holds neither keys nor subjects in clear', async () => {
  const ring = await openKeyRing({ sql, rootKey: ROOT });
  await ring.sealKeys('a', 'user:plain-name', NOVEMBER);
  const rows = await sql<{ row: string }[]>`select s::text as row from keystore.subject_keys s`;
  expect(rows.some(({ row }) => row.includes('plain-name'))).toBe(false);
});
