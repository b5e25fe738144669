import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sql, TransactionSql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyProof } from '../../../ledger/epoch/proof-text.ts';
import { proveEntry } from '../../../ledger/epoch/prove.ts';
import {
  addHold,
  carryOutPrunes,
  eraseKeys,
  enforceRetention,
  exportTenant,
  findPerson,
  findPrunable,
  openKeyRing,
  pruneBodies,
  releaseHold,
  verifyFolder,
  verifyLive,
} from '../../../ledger/index.ts';
import type { Appended, VerifyReport } from '../../../ledger/index.ts';
import { createNoteSigner } from '../../../ledger/note/key.ts';
import { decisionItem, newCall, openTestLedger, outcomeItem, TEST_ROOT_KEY } from '../../support/ledger.ts';
import type { LedgerFixture } from '../../support/ledger.ts';
import { closeEpoch, createTestNotary, TEST_CHECKPOINT_KEY } from '../../support/notary.ts';
import type { TestNotary } from '../../support/notary.ts';
import { createDatabase } from '../../support/postgres.ts';
import type { TestDatabase } from '../../support/postgres.ts';

const DAY_MS = 86_400_000;
const RETENTION = { tenant: 'demo', decisionDays: 30, outcomeDays: 30 };
const KEY = createNoteSigner('countersign.test/ledger/0', 'ed25519', TEST_CHECKPOINT_KEY).key;
const PERSONS = ['user:ada', 'user:bob', 'user:cyd', 'user:dan'];

let database: TestDatabase;
let fixture: LedgerFixture;
let notary: TestNotary;
let admin: Sql;
let folder: string;
/** The clock of the process that writes; all but the last call is of a hundred days ago. */
let nowMs = Date.now() - 100 * DAY_MS;
/** Of ada's call: sequences 0 and 1; bob's 2 and 3, cyd's 4 and 5, dan's 6 and 7. */
const entries: Appended[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'prune-'));
  database = await createDatabase();
  admin = database.connectAdmin(2);
  fixture = await openTestLedger(database, { now: () => nowMs });
  await fixture.keys.tenantKey('demo');
  notary = createTestNotary(database);
  for (const subject of PERSONS) await call(subject);
  await closeEpoch(fixture, notary);
  nowMs += 100 * DAY_MS;
  await call('user:new');
});
afterAll(async () => {
  await fixture.ledger.close();
  await notary.close();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

async function call(subject: string): Promise<void> {
  const id = newCall();
  for (const item of [decisionItem(id, { subject }), outcomeItem(id, 0n, { subject })])
    entries.push(await fixture.ledger.append(item));
}

async function erase(subject: string): Promise<void> {
  const { keys } = await findPerson(fixture.sql, fixture.keys, 'demo', { subject });
  const order = { tenant: 'demo', scope: 'subject', basis: 'gdpr-17-1-b', facts: {}, detail: {} } as const;
  await fixture.sql.begin((tx) => eraseKeys(tx, fixture, { ...order, keys: keys.map(({ key }) => key) }));
  await fixture.keys.refresh();
}

const options = (): Parameters<typeof pruneBodies>[0] => ({ ...fixture, now: () => nowMs });
const hold = (subject: string): Promise<string> =>
  fixture.sql.begin((tx) => addHold(tx, fixture, { tenant: 'demo', subject, by: 'a', reason: 'case 1' }));
const release = (id: string): Promise<unknown> =>
  fixture.sql.begin((tx) =>
    releaseHold(tx, fixture, { tenant: 'demo', hold: id, by: 'a', approvedBy: 'b', approval: 'ap', reason: 'over' }),
  );
const findBodies = async (): Promise<number> =>
  (await findPrunable(options(), RETENTION)).reduce((sum, { bodies }) => sum + bodies, 0);
const prune = async (): Promise<number> => pruneBodies(options(), RETENTION, await findPrunable(options(), RETENTION));

/** Sequences of the tenant's calls whose encrypted sections are not stored. */
async function emptied(sql: Sql | TransactionSql = admin): Promise<number[]> {
  const rows = await sql<{ seq: string }[]>`
    select e.seq from ledger.entries e join ledger.logs l on l.log = e.log
    where l.tenant = 'demo' and e.kind in ('decision', 'outcome') and e.sealed is null and e.content is null order by e.seq`;
  return rows.map(({ seq }) => Number(seq));
}

/** Everything but the bodies of what was there before any pruning. */
async function commitments(): Promise<string> {
  const [row] = await admin<{ text: string }[]>`
    select string_agg(concat_ws('|', seq, kind, class, call, header, hash, t, dbt, wid, wseq, leaves, facts, facts_salt, key, booked), e'\\n' order by seq)
      as text from ledger.entries where log = ${entries[0]?.log ?? ''} and seq < 12`;
  return row?.text ?? '';
}

async function verify(): Promise<VerifyReport> {
  return verifyLive(admin, await openKeyRing({ sql: fixture.sql, rootKey: TEST_ROOT_KEY }));
}

/** As whoever owns the database: triggers off, then one statement on the tenant's log. */
async function tamper(statement: (tx: TransactionSql) => Promise<unknown>): Promise<void> {
  await admin.begin(async (tx) => {
    const tables = await tx<{ name: string }[]>`
      select tgrelid::regclass::text as name from pg_trigger where tgname = 'refuse_change'`;
    for (const { name } of tables) await tx.unsafe(`alter table ${name} disable trigger refuse_change`);
    await statement(tx);
    for (const { name } of tables) await tx.unsafe(`alter table ${name} enable always trigger refuse_change`);
  });
}

describe('pruning', () => {
  test('finds nothing while keys are there, and nothing that is younger than the retention', async () => {
    expect(await findBodies()).toBe(0);
    await erase('user:new');
    expect(await findBodies()).toBe(0);
  });

  test('removes what is sealed with destroyed keys, by an entry; proofs and exports stay valid', async () => {
    const [first] = entries;
    if (first === undefined) throw new TypeError('an entry');
    const before = await proveEntry(fixture.sql, first);
    await erase('user:ada');
    const committed = await commitments();
    const [found] = await findPrunable(options(), RETENTION);
    // A decision has two blobs, an outcome one.
    expect(found).toMatchObject({ log: first.log, before: 8, bodies: 2 });
    expect(await prune()).toBe(2);
    expect(await emptied()).toEqual([0, 1]);
    expect(await commitments()).toBe(committed);
    const [row] = await admin<{ facts: string }[]>`select facts from ledger.entries where kind = 'prune'`;
    expect(JSON.parse(row?.facts ?? '')).toMatchObject({
      log: first.log,
      before: 8,
      bodies: 2,
      bytes: found?.bytes,
      basis: 'retention',
      content_days: 30,
    });

    expect(await verify()).toMatchObject({ verdict: 'UNANCHORED', firstBad: null, erased: 4, pruned: 2 });
    expect(verifyProof(before, [KEY]).hash).toBe(first.hash);
    expect(verifyProof(await proveEntry(fixture.sql, first), [KEY]).hash).toBe(first.hash);
    await closeEpoch(fixture, notary);
    const dir = join(folder, 'out');
    await exportTenant(fixture.sql, await openKeyRing({ sql: fixture.sql, rootKey: TEST_ROOT_KEY }), {
      tenant: 'demo',
      dir,
    });
    const report = await verifyFolder(dir);
    expect(report).toMatchObject({ verdict: 'UNANCHORED', firstBad: null, erased: 4, pruned: 2 });
    expect(report.notProven.join('\n')).toContain('2 of the erased entries were pruned');
    expect(await findBodies()).toBe(0);
  });

  test('a part of the log around pruned entries verifies too', async () => {
    const dir = join(folder, 'part');
    const keys = await openKeyRing({ sql: fixture.sql, rootKey: TEST_ROOT_KEY });
    await exportTenant(fixture.sql, keys, { tenant: 'demo', dir, range: { fromSeq: 1, toSeq: 3 } });
    expect(await verifyFolder(dir)).toMatchObject({ verdict: 'UNANCHORED', firstBad: null, erased: 1, pruned: 1 });
  });

  test('is blocked by a hold that was placed after the erasure, whoever it is about, until it is released', async () => {
    const early = await hold('user:dan');
    await erase('user:bob');
    const late = await hold('user:bob');
    expect(await findBodies()).toBe(0);
    // An entry of somebody who does not ask: the database looks at holds itself.
    const log = entries[0]?.log ?? '';
    await pruneBodies(options(), RETENTION, [{ log, before: 8, bodies: 2, bytes: 1 }]);
    expect(await emptied()).toEqual([0, 1]);
    await release(late);
    expect(await findBodies()).toBe(2);
    // The earlier one is still in force: what was destroyed under it is not what it holds.
    expect(await prune()).toBe(2);
    expect(await emptied()).toEqual([0, 1, 2, 3]);
    await release(early);
    expect(await verify()).toMatchObject({ verdict: 'UNANCHORED', firstBad: null, pruned: 4 });
  });

  test('whoever dies after the entry leaves it to the next run, which waits for the keys', async () => {
    await enforceRetention(options(), RETENTION);
    const [found] = await findPrunable(options(), RETENTION);
    const restored = { tenant: 'demo', subject: 'x', month: '2000-01', wrapped: Buffer.alloc(1) };
    const [{ key } = { key: '0' }] = await admin<{ key: string }[]>`
      select key::text as key from ledger.entries where log = ${found?.log ?? ''} and seq = 4`;
    await admin`insert into keystore.subject_keys ${admin({ id: key, ...restored })}`;
    const facts = { log: found?.log ?? '', before: 8, bodies: 4, bytes: 1, basis: 'retention', content_days: 30 };
    await fixture.ledger.append({
      tenant: 'demo',
      kind: 'prune',
      class: 'event',
      call: 'pr-1',
      subject: null,
      sections: { facts },
    });
    expect(await carryOutPrunes(fixture.sql)).toBe(0);
    // A restore of the keystore is undone first.
    await admin`delete from keystore.subject_keys where id = ${key}`;
    expect(await verify()).toMatchObject({ firstBad: null, pruned: 4 });
    expect(await carryOutPrunes(fixture.sql)).toBe(4);
    expect(await emptied()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(await verify()).toMatchObject({ verdict: 'UNANCHORED', firstBad: null, erased: 10, pruned: 8 });
  });
});

describe('nothing else takes a body away', () => {
  const DENIED = { code: '42501' };
  const empty = (seq: number) => (tx: TransactionSql) =>
    tx`update ledger.entries set sealed = null, content = null where log = ${entries[0]?.log ?? ''} and seq = ${seq}`;
  /** As cs_pruner, with everything undone. */
  const asPruner = (work: (tx: TransactionSql) => Promise<unknown>): Promise<unknown> =>
    admin.begin(async (tx) => {
      await tx`set local role cs_pruner`;
      await work(tx);
    });

  test('not the pruner without an entry, not for what is sealed with a key that is there, and no other column or row', async () => {
    await call('user:eve');
    const eve = entries.length - 2;
    // Erased, and too young for any entry; then one whose key is there.
    for (const seq of [8, entries[eve]?.seq ?? 0])
      await expect(asPruner(empty(seq)), String(seq)).rejects.toMatchObject({ code: 'CS054' });
    for (const statement of ['header = header', 'facts = facts', 'key = 1', 'seq = seq'])
      await expect(asPruner((tx) => tx.unsafe(`update ledger.entries set ${statement}`))).rejects.toMatchObject(DENIED);
    for (const table of ['entries', 'entries_00', 'logs', 'heads', 'receipts', 'tiles', 'checkpoints', 'prunes']) {
      await expect(
        asPruner((tx) => tx.unsafe(`delete from ledger.${table}`)),
        table,
      ).rejects.toMatchObject(DENIED);
      await expect(
        asPruner((tx) => tx.unsafe(`truncate ledger.${table}`)),
        table,
      ).rejects.toMatchObject(DENIED);
    }
    await expect(asPruner((tx) => tx`update ledger.entries_00 set sealed = null`)).rejects.toMatchObject(DENIED);
    await expect(asPruner((tx) => tx`delete from keystore.subject_keys`)).rejects.toMatchObject(DENIED);
    await expect(asPruner((tx) => tx`select wrapped from keystore.subject_keys`)).rejects.toMatchObject(DENIED);
  });

  test('not the gateway, not the owner, and nobody in the name of the pruner', async () => {
    await expect(fixture.sql`update ledger.entries set sealed = null`).rejects.toMatchObject(DENIED);
    await expect(fixture.sql`set role cs_pruner`).rejects.toMatchObject(DENIED);
    await expect(fixture.sql`insert into ledger.prunes values ('a', 1, 'a', 1, 0)`).rejects.toMatchObject(DENIED);
    await expect(empty(8)(admin as unknown as TransactionSql)).rejects.toMatchObject({ code: 'CS050' });
    // An order that no entry gives, in the book of what is done.
    const log = entries[0]?.log ?? '';
    await expect(
      asPruner(async (tx) => {
        await tx`insert into ledger.prunes (log, seq, target, before, reached) values (${log}, 0, ${log}, 100, 0)`;
        await empty(8)(tx);
      }),
    ).rejects.toMatchObject({ code: 'CS054' });
  });

  test('a body that a prune entry says is gone, and that a restore has brought back, is found', async () => {
    const put = (sealed: Buffer | null) => (tx: TransactionSql) =>
      tx`update ledger.entries set sealed = ${sealed} where log = ${entries[0]?.log ?? ''} and seq = 1`;
    await tamper(put(Buffer.alloc(40, 2)));
    expect(await verify()).toMatchObject({
      firstBad: { seq: 1, problem: expect.stringContaining('undone by a restore') as string },
    });
    await tamper(put(null));
    expect(await verify()).toMatchObject({ firstBad: null, pruned: 8 });
  });

  test('an owner who empties an erased entry that no prune entry covers is found, in the database and in an export', async () => {
    await tamper(empty(8));
    const found = {
      verdict: 'TAMPERED',
      firstBad: { seq: 8, problem: expect.stringContaining('no prune entry covers it') as string },
    };
    expect(await verify()).toMatchObject(found);
    const dir = join(folder, 'emptied');
    const keys = await openKeyRing({ sql: fixture.sql, rootKey: TEST_ROOT_KEY });
    await exportTenant(fixture.sql, keys, { tenant: 'demo', dir });
    expect(await verifyFolder(dir)).toMatchObject(found);
  });

  test('and who empties what its key or the tenant\u2019s still opens, with keys at hand and without', async () => {
    const eve = entries.at(-2)?.seq ?? 0;
    await tamper(empty(eve));
    const [{ seq } = { seq: '0' }] = await admin<{ seq: string }[]>`
      select seq from ledger.entries where log = ${entries[0]?.log ?? ''} and kind = 'hold' order by seq limit 1`;
    expect(await verifyLive(admin, null)).toMatchObject({ verdict: 'TAMPERED', firstBad: { seq: 8 } });
    await tamper(empty(Number(seq)));
    const keys = await openKeyRing({ sql: fixture.sql, rootKey: TEST_ROOT_KEY });
    expect(await verifyLive(admin, keys)).toMatchObject({ firstBad: { seq: Number(seq), section: 'detail' } });
    expect(await verifyLive(admin, null)).toMatchObject({
      firstBad: { seq: Number(seq), problem: 'its encrypted sections are missing' },
    });
  });
});
