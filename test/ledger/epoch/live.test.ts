import type { Sql, TransactionSql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyLive } from '../../../ledger/index.ts';
import type { VerifyReport } from '../../../ledger/index.ts';
import { decisionItem, newCall, openTestLedger } from '../../support/ledger.ts';
import type { LedgerFixture } from '../../support/ledger.ts';
import { closeEpoch, createTestNotary } from '../../support/notary.ts';
import type { TestNotary } from '../../support/notary.ts';
import { createDatabase } from '../../support/postgres.ts';
import type { TestDatabase } from '../../support/postgres.ts';

let database: TestDatabase;
let admin: Sql;
let fixture: LedgerFixture;
let notary: TestNotary;
let log: string;
let deployment: string;

const append = (tenant: string): Promise<unknown> =>
  fixture.ledger.append(decisionItem(newCall(), { tenant, open: false }));

beforeAll(async () => {
  database = await createDatabase();
  admin = database.connectAdmin(2);
  fixture = await openTestLedger(database);
  notary = createTestNotary(database);
  // demo: epochs over 2, 4 and 6 entries, one younger; other: one entry, bound unchanged ever since.
  await append('other');
  for (let epoch = 0; epoch < 3; epoch += 1) {
    await append('demo');
    await append('demo');
    await closeEpoch(fixture, notary);
  }
  await append('demo');
  const rows = await admin<{ log: string; tenant: string }[]>`select log, tenant from ledger.logs`;
  log = rows.find(({ tenant }) => tenant === 'demo')?.log ?? '';
  deployment = rows.find(({ tenant }) => tenant === '_deployment')?.log ?? '';
  await fixture.ledger.close();
});
afterAll(async () => {
  await notary.close();
  await database.drop();
});

class Undo extends Error {}

/** What an owner does after turning the triggers off, looked at and undone. */
async function afterTampering(work: (tx: TransactionSql) => Promise<unknown>): Promise<VerifyReport> {
  let report: VerifyReport | undefined;
  await admin
    .begin(async (tx) => {
      for (const { name } of await tx<{ name: string }[]>`
        select tgrelid::regclass::text as name from pg_trigger where tgname = 'refuse_change'`)
        await tx.unsafe(`alter table ${name} disable trigger refuse_change`);
      await work(tx);
      const begin = async (_: string, inner: (point: TransactionSql) => Promise<unknown>): Promise<unknown> =>
        tx.savepoint(inner);
      report = await verifyLive(Object.assign(tx, { begin }) as unknown as Sql, fixture.keys);
      throw new Undo();
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undo)) throw error;
    });
  if (report === undefined) throw new TypeError('no report');
  return report;
}

/** Changes the time of an entry and chains everything after it again; receipts that would show it go. */
async function rechain(tx: TransactionSql, target: string, seq: number): Promise<void> {
  await tx`delete from ledger.receipts where log = ${target}`;
  await tx`update ledger.entries set header = replace(header, '"t":' || t, '"t":' || t + 1), t = t + 1 where log = ${target} and seq >= ${seq}`;
  await tx`do $$
    declare r record; last bytea;
    begin
      for r in select * from ledger.entries where log = ${tx.unsafe(`'${target}'`)} and seq >= ${tx.unsafe(String(seq))} order by seq loop
        select hash into last from ledger.entries where log = r.log and seq = r.seq - 1;
        update ledger.entries set header = regexp_replace(r.header, '"prev":"[0-9a-f]*"', '"prev":"' || encode(last, 'hex') || '"')
          where log = r.log and seq = r.seq;
        update ledger.entries set hash = sha256('\\x00'::bytea || convert_to(header, 'UTF8')) where log = r.log and seq = r.seq;
      end loop;
    end $$`;
}

describe('the database as it is', () => {
  test('is consistent, and says how far checkpoints cover it', async () => {
    const report = await verifyLive(fixture.sql, fixture.keys);
    expect(report).toMatchObject({ verdict: 'UNANCHORED', firstBad: null });
    expect(report.logs.map(({ tenant, entries, covered }) => [tenant, entries - covered])).toEqual([
      ['_deployment', 0],
      ['other', 0],
      ['demo', 1],
    ]);
  });
});

type Attack = readonly [
  name: string,
  work: (tx: TransactionSql) => Promise<unknown>,
  bad: () => Readonly<Record<string, unknown>>,
];
const saying = (text: string): unknown => expect.stringContaining(text);

const ATTACKS: readonly Attack[] = [
  [
    'a tenant\u2019s log is chained again from an entry on',
    (tx) => rechain(tx, log, 3),
    () => ({ log, seq: 2, problem: saying('epoch 1') }),
  ],
  [
    'the deployment\u2019s log is chained again from an entry on',
    (tx) => rechain(tx, deployment, 2),
    () => ({ log: deployment, problem: saying('checkpoint of size') }),
  ],
  [
    'the end of a log is cut that an epoch bound',
    (tx) => tx`delete from ledger.entries where log = ${log} and seq >= 5`,
    () => ({ shows: 'INCOMPLETE', log, seq: 5, problem: saying('epoch 2 bound it with 6') }),
  ],
  [
    'the end of the deployment\u2019s log is cut that a checkpoint signed',
    (tx) => tx`delete from ledger.entries where log = ${deployment} and kind = 'epoch' and call = 'epoch.2'`,
    () => ({ shows: 'INCOMPLETE', log: deployment, problem: saying('the end of the log is missing') }),
  ],
  [
    'a head stored for an epoch is edited',
    (tx) => tx`update ledger.epoch_heads set root = sha256('') where log = ${log} and epoch = 1`,
    () => ({ log, seq: 2, problem: saying('does not bind this head') }),
  ],
  [
    'the secret of an epoch is edited',
    (tx) => tx`update ledger.epochs set secret = sha256('') where epoch = 1`,
    () => ({ log, problem: saying('does not bind this head') }),
  ],
  [
    'a head is moved into another epoch',
    (tx) => tx`update ledger.epoch_heads set epoch = 2 where epoch = 0 and log <> ${log}`,
    () => ({ problem: saying('epoch 2 does not bind this head') }),
  ],
  [
    'the head of a log that did not change is taken out',
    (tx) => tx`delete from ledger.epoch_heads where log <> ${log}`,
    () => ({ log: null, problem: saying('epoch 2 was changed') }),
  ],
  [
    'epochs are taken out of the deployment\u2019s log with their checkpoints',
    async (tx) => {
      await tx`delete from ledger.checkpoints where size > 6`;
      await tx`delete from ledger.entries where log = ${deployment} and seq >= 6`;
    },
    () => ({ shows: 'INCOMPLETE', problem: saying('') }),
  ],
  [
    'a checkpoint is edited',
    (tx) => tx`update ledger.checkpoints set note = replace(note, e'\\n\\n', e'\\nextension\\n\\n')`,
    () => ({ log: deployment, problem: saying('a checkpoint was changed') }),
  ],
];

describe('an owner is found out when', () => {
  test.each(ATTACKS)('%s', async (_, work, bad) => {
    const report = await afterTampering(work);
    expect(report.verdict).toBe(bad()['shows'] ?? 'TAMPERED');
    expect(report.firstBad).toMatchObject(bad());
  });
});

test('an epoch in the making is no problem', async () => {
  const report = await afterTampering(
    (tx) => tx`insert into ledger.epochs (epoch, slots, used, root, secret) values (3, 16, 3, sha256(''), sha256(''))`,
  );
  expect(report.verdict).toBe('UNANCHORED');
});
