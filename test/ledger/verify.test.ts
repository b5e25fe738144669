import type { Sql, TransactionSql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setBudgetScope, verifyLive } from '../../ledger/index.ts';
import type { Problem, VerifyReport } from '../../ledger/index.ts';
import { decisionItem, expectLedgerIntact, newCall, openTestLedger, outcomeItem } from '../support/ledger.ts';
import type { LedgerFixture } from '../support/ledger.ts';
import { createDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let admin: Sql;
let fixture: LedgerFixture;
let log: string;
let otherLog: string;
let openCall: string;

beforeAll(async () => {
  database = await createDatabase();
  admin = database.connectAdmin(2);
  fixture = await openTestLedger(database);
  const { ledger } = fixture;
  await setBudgetScope(fixture.sql, { scope: 'tenant:demo', month: 10n ** 9n });
  // demo: 0..9 are five calls, 10 is open; other: 0..3.
  for (let index = 0; index < 5; index += 1) {
    const call = newCall();
    const decision = await ledger.append(decisionItem(call, { reserve: { scopes: ['tenant:demo'], nusd: 50n } }));
    await ledger.signReceipt(decision, 'ef'.repeat(32));
    await ledger.append(outcomeItem(call, 20n));
    log = decision.log;
  }
  openCall = newCall();
  await ledger.append(decisionItem(openCall, { reserve: { scopes: ['tenant:demo'], nusd: 50n } }));
  for (let index = 0; index < 4; index += 1) {
    otherLog = (await ledger.append(decisionItem(newCall(), { tenant: 'other', open: false }))).log;
  }
  await ledger.close();
});
afterAll(() => database.drop());

/** Lets an owner do what the roles and triggers forbid, looks at the verdict, and undoes it. */
async function afterTampering(statement: (tx: TransactionSql) => Promise<unknown>, keys = true): Promise<VerifyReport> {
  let report: VerifyReport | undefined;
  await admin
    .begin(async (tx) => {
      for (const name of await tx<
        { name: string }[]
      >`select tgrelid::regclass::text as name from pg_trigger where tgname = 'refuse_change'`) {
        await tx.unsafe(`alter table ${name.name} disable trigger all`);
      }
      await statement(tx);
      // The verifier reads inside this transaction: nothing has to be put back.
      report = await verifyLive(readerOf(tx), keys ? fixture.keys : null);
      throw new Undo();
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undo)) throw error;
    });
  if (report === undefined) throw new TypeError('no report');
  return report;
}

class Undo extends Error {}

/** The same transaction as a connection: `begin` becomes a savepoint. */
function readerOf(tx: TransactionSql): Sql {
  const begin = async (_: string, work: (point: TransactionSql) => Promise<unknown>): Promise<unknown> =>
    tx.savepoint(work);
  return Object.assign(tx, { begin }) as unknown as Sql;
}

describe('an untouched ledger', () => {
  test('is consistent, unanchored, and says what that does not prove', async () => {
    const report = await verifyLive(fixture.sql, fixture.keys);
    expect(report).toMatchObject({ verdict: 'UNANCHORED', anchored: false, firstBad: null, openCalls: 1 });
    expect(report.logs.map(({ tenant, entries }) => ({ tenant, entries }))).toEqual([
      { tenant: '_deployment', entries: 4 },
      { tenant: 'demo', entries: 11 },
      { tenant: 'other', entries: 4 },
    ]);
    expect(report.logs.find((each) => each.tenant === 'demo')?.receipts).toBeGreaterThanOrEqual(10);
    expect(report.notProven.join(' ')).toMatch(/anchor/);
  });

  test('is consistent without keys too, with its sealed sections unread', async () => {
    const report = await verifyLive(fixture.sql, null);
    expect(report.verdict).toBe('UNANCHORED');
    expect(report.notProven.join(' ')).toMatch(/sections were not read/);
  });

  test('a subject\u2019s key that is gone without an erasure entry is a problem, not an erasure', async () => {
    const report = await afterTampering((tx) => tx`delete from keystore.subject_keys`);
    expect(report).toMatchObject({ verdict: 'TAMPERED', erased: 0 });
    expect(report.firstBad?.problem).toContain('no erasure entry names it');
    await expectLedgerIntact(fixture.sql, fixture.keys);
  });
});

/** Rewrites the time in entry 4's header, its column and its hash. */
function forge(tx: TransactionSql): Promise<unknown> {
  const header = tx`replace(header, '"t":' || t, '"t":' || t + 1)`;
  return tx`update ledger.entries set header = ${header}, t = t + 1, hash = sha256('\\x00'::bytea || convert_to(${header}, 'UTF8'))
    where log = ${log} and seq = 4`;
}

/** Of the demo tenant's log. */
async function partitionOf(tx: TransactionSql): Promise<string> {
  const [row] = await tx<{ name: string }[]>`
    select tableoid::regclass::text as name from ledger.entries where log = ${log} limit 1`;
  return row?.name ?? '';
}

const sentence = expect.any(String) as string;
type Attack = readonly [name: string, (tx: TransactionSql) => Promise<unknown>, bad: () => Partial<Problem>];

const ATTACKS: readonly Attack[] = [
  [
    'a header is edited',
    (tx) =>
      tx`update ledger.entries set header = replace(header, '"kind":"decision"', '"kind":"outcome"') where log = ${log} and seq = 4`,
    () => ({ log, seq: 4, problem: expect.stringContaining('header was changed') as string }),
  ],
  [
    'a header is edited and hashed again, as long as its receipt is there',
    (tx) => forge(tx),
    () => ({ log, seq: 4, problem: expect.stringContaining('not signed') as string }),
  ],
  [
    'a header is edited and hashed again, without its receipt, by its successor',
    async (tx) => {
      await forge(tx);
      await tx`delete from ledger.receipts where log = ${log} and seq = 4`;
    },
    () => ({ log, seq: 5, problem: expect.stringContaining('link') as string }),
  ],
  [
    'a header is written with a space',
    (tx) => tx`update ledger.entries set header = replace(header, ',"inc"', ', "inc"') where log = ${log} and seq = 4`,
    () => ({ log, seq: 4, problem: expect.stringContaining('canonical') as string }),
  ],
  [
    'the facts are edited',
    (tx) => tx`update ledger.entries set facts = replace(facts, '"20"', '"10"') where log = ${log} and seq = 3`,
    () => ({ log, seq: 3, section: 'facts', problem: sentence }),
  ],
  [
    'one byte of the encrypted input is flipped',
    (tx) =>
      tx`update ledger.entries set sealed = set_byte(sealed, octet_length(sealed) - 90, get_byte(sealed, octet_length(sealed) - 90) # 1) where log = ${log} and seq = 2`,
    () => ({ log, seq: 2, section: 'input', problem: sentence }),
  ],
  [
    'one byte of the encrypted findings is flipped',
    (tx) =>
      tx`update ledger.entries set sealed = set_byte(sealed, octet_length(sealed) - 5, get_byte(sealed, octet_length(sealed) - 5) # 1) where log = ${log} and seq = 2`,
    () => ({ log, seq: 2, section: 'findings', problem: sentence }),
  ],
  [
    'one byte of the content is flipped',
    (tx) =>
      tx`update ledger.entries set content = set_byte(content, 40, get_byte(content, 40) # 1) where log = ${log} and seq = 2`,
    () => ({ log, seq: 2, section: 'content', problem: sentence }),
  ],
  [
    'only the authentication tag is flipped',
    (tx) =>
      tx`update ledger.entries set content = set_byte(content, 14, get_byte(content, 14) # 1) where log = ${log} and seq = 2`,
    () => ({ log, seq: 2, section: 'content', problem: expect.stringContaining('tag') as string }),
  ],
  [
    'the content is removed',
    (tx) => tx`update ledger.entries set content = null where log = ${log} and seq = 2`,
    () => ({ log, seq: 2, section: 'content', problem: sentence }),
  ],
  [
    'the leaves are replaced',
    (tx) =>
      tx`update ledger.entries set leaves = decode(repeat('ab', octet_length(leaves)), 'hex') where log = ${log} and seq = 2`,
    () => ({ log, seq: 2, problem: sentence }),
  ],
  [
    'a leaf is taken away',
    (tx) => tx`update ledger.entries set leaves = substring(leaves from 1 for 160) where log = ${log} and seq = 2`,
    () => ({ log, seq: 2, problem: expect.stringContaining('section hashes') as string }),
  ],
  [
    'a row is deleted',
    (tx) => tx`delete from ledger.entries where log = ${log} and seq = 6`,
    () => ({ log, seq: 6, problem: expect.stringContaining('missing') as string }),
  ],
  [
    'the first row is deleted',
    (tx) => tx`delete from ledger.entries where log = ${log} and seq = 0`,
    () => ({ log, seq: 0, problem: expect.stringContaining('missing') as string }),
  ],
  [
    'two rows are swapped',
    async (tx) => {
      await tx`update ledger.entries set seq = -1 where log = ${log} and seq = 4`;
      await tx`update ledger.entries set seq = 4 where log = ${log} and seq = 6`;
      await tx`update ledger.entries set seq = 6 where log = ${log} and seq = -1`;
    },
    () => ({ log, seq: 4, problem: expect.stringContaining('another order') as string }),
  ],
  [
    'a row is moved to another log',
    (tx) => tx`update ledger.entries set log = ${otherLog}, seq = 4 where log = ${log} and seq = 10`,
    () => ({ problem: sentence }),
  ],
  [
    'a row of another log is copied in',
    (tx) => tx`insert into ledger.entries
      select ${otherLog}, 4, kind, class, call, header, hash, t, dbt, wid, wseq, leaves, facts, facts_salt, sealed, content, key, booked
      from ledger.entries where log = ${log} and seq = 9`,
    () => ({ log: otherLog, seq: 4, problem: expect.stringContaining('another log') as string }),
  ],
  [
    'a tail with a receipt is cut',
    (tx) => tx`delete from ledger.entries where log = ${log} and seq >= 8`,
    () => ({
      log,
      shows: 'INCOMPLETE',
      seq: 8,
      problem: expect.stringContaining('end of the log is missing') as string,
    }),
  ],
  [
    'a tail and its receipts are cut',
    async (tx) => {
      await tx`delete from ledger.entries where log = ${log} and seq >= 9`;
      await tx`delete from ledger.receipts where log = ${log} and seq >= 9`;
      await tx`delete from ledger.open_calls where log = ${log}`;
    },
    () => ({
      log,
      shows: 'INCOMPLETE',
      seq: 9,
      problem: expect.stringContaining('outcome is not in the log') as string,
    }),
  ],
  [
    'a tail, its receipts and its open calls are cut',
    async (tx) => {
      await tx`delete from ledger.entries where log = ${log} and seq >= 10`;
      await tx`delete from ledger.receipts where log = ${log} and seq >= 10`;
      await tx`delete from ledger.open_calls`;
    },
    () => ({ shows: 'INCOMPLETE', log: null, problem: expect.stringContaining('is in no log') as string }),
  ],
  [
    'an end is cut behind which the writer wrote nothing',
    async (tx) => {
      await tx`delete from ledger.entries where log = ${otherLog} and seq >= 3`;
      await tx`delete from ledger.receipts where log = ${otherLog} and seq >= 3`;
    },
    () => ({ shows: 'INCOMPLETE', log: null, problem: expect.stringContaining('confirmed') as string }),
  ],
  [
    'the partition of a log is emptied',
    async (tx) => tx.unsafe(`truncate ${await partitionOf(tx)}`),
    () => ({
      shows: 'INCOMPLETE',
      log,
      seq: 0,
      problem: expect.stringContaining('end of the log is missing') as string,
    }),
  ],
  [
    'the partition of a log is detached',
    async (tx) => tx.unsafe(`alter table ledger.entries detach partition ${await partitionOf(tx)}`),
    () => ({
      shows: 'INCOMPLETE',
      log,
      seq: 0,
      problem: expect.stringContaining('end of the log is missing') as string,
    }),
  ],
  [
    'an open call is forgotten',
    (tx) => tx`delete from ledger.open_calls where call = ${openCall}`,
    () => ({ shows: 'INCOMPLETE', log, seq: 11, problem: sentence }),
  ],
  [
    'a column beside the header is changed',
    (tx) => tx`update ledger.entries set t = t - 1 where log = ${log} and seq = 4`,
    () => ({ log, seq: 4, problem: expect.stringContaining('column') as string }),
  ],
  [
    'a booked amount is changed',
    (tx) => tx`update ledger.entries set booked = 1 where log = ${log} and seq = 3`,
    () => ({ log, seq: 3, problem: expect.stringContaining('booked') as string }),
  ],
  [
    'a receipt is forged',
    (tx) => tx`update ledger.receipts set digest = repeat('00', 32) where log = ${log} and seq = 2`,
    () => ({ log, seq: 2, problem: expect.stringContaining('not signed') as string }),
  ],
  [
    'a writer\u2019s key is replaced',
    (tx) => tx`update ledger.writers set key = repeat('A', 43)`,
    () => ({ log: null, problem: expect.stringContaining('key stored for writer') as string }),
  ],
  [
    'a budget\u2019s total is changed',
    (tx) => tx`update ledger.budget_totals set spent_month = spent_month - 20`,
    () => ({ log: null, problem: expect.stringContaining('add up to 100') as string }),
  ],
  [
    'a reservation is forgotten',
    (tx) => tx`update ledger.budget_totals set reserved = 0`,
    () => ({ log: null, problem: expect.stringContaining('reserved') as string }),
  ],
  [
    'a log is renamed',
    (tx) => tx`update ledger.logs set nonce = repeat('0', 32) where log = ${log}`,
    () => ({ log, problem: expect.stringContaining('log id') as string }),
  ],
  [
    'a tenant\u2019s log row is gone',
    async (tx) => {
      await tx`delete from ledger.heads where log = ${otherLog}`;
      await tx`delete from ledger.logs where log = ${otherLog}`;
    },
    () => ({ log: otherLog, problem: expect.stringContaining('not a log of this ledger') as string }),
  ],
];

describe('an owner with the triggers disabled is found out when', () => {
  test.each(ATTACKS)('%s', async (_, attack, bad) => {
    const report = await afterTampering(attack);
    expect(report.verdict).toBe(bad().shows ?? 'TAMPERED');
    expect(report.firstBad).toMatchObject(bad());
  });

  test('nothing of it stays', () => expectLedgerIntact(fixture.sql, fixture.keys));
});
