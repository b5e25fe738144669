import fc from 'fast-check';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AppendItem } from '../../ledger/index.ts';
import { decisionItem, expectLedgerIntact, newCall, openTestLedger, outcomeItem } from '../support/ledger.ts';
import type { LedgerFixture } from '../support/ledger.ts';
import { createDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let fixture: LedgerFixture;
let sql: Sql;

beforeAll(async () => {
  database = await createDatabase();
  fixture = await openTestLedger(database);
  sql = fixture.sql;
});
afterAll(async () => {
  await fixture.ledger.close();
  await expectLedgerIntact(sql, fixture.keys);
  await database.drop();
});

function attempt(call: string, number: number): AppendItem {
  return {
    tenant: 'demo',
    kind: 'attempt',
    class: `attempt:${String(number)}`,
    call,
    subject: null,
    sections: { facts: { number } },
  };
}

describe('one entry', () => {
  test('a decision opens its call and the outcome closes it', async () => {
    const { ledger } = fixture;
    const call = newCall();
    const decision = await ledger.append(decisionItem(call));
    const [open] = await sql`select seq, wid, reserved, scopes from ledger.open_calls where call = ${call}`;
    expect(open).toEqual({ seq: String(decision.seq), wid: ledger.wid, reserved: '0', scopes: [] });
    const outcome = await ledger.append(outcomeItem(call, 5n));
    expect(outcome).toMatchObject({ log: decision.log, inc: 0, seq: decision.seq + 1, wseq: decision.wseq + 1 });
    expect(await sql`select 1 from ledger.open_calls where call = ${call}`).toHaveLength(0);
  });

  test('the same class of the same call is refused, and its neighbours are not', async () => {
    const { ledger } = fixture;
    const call = newCall();
    await ledger.append(decisionItem(call, { open: false }));
    const results = await Promise.allSettled([
      ledger.append(attempt(newCall(), 1)),
      ledger.append(decisionItem(call, { open: false })),
      ledger.append(attempt(newCall(), 1)),
    ]);
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: { code: 'duplicate' } });
  });

  test('two equal items in one batch give one entry', async () => {
    const { ledger } = fixture;
    const call = newCall();
    const results = await Promise.allSettled([1, 2].map(() => ledger.append(attempt(call, 1))));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    expect(results.find((result) => result.status === 'rejected')).toMatchObject({ reason: { code: 'duplicate' } });
  });

  test('an outcome without an open call is refused', async () => {
    const { ledger } = fixture;
    const call = newCall();
    await expect(ledger.append(outcomeItem(call, 1n))).rejects.toMatchObject({ code: 'call_closed' });
    await ledger.append(decisionItem(call));
    await ledger.append(outcomeItem(call, 1n));
    await expect(ledger.append(outcomeItem(call, 1n))).rejects.toMatchObject({ code: 'call_closed' });
    const late = { ...outcomeItem(call, 1n), kind: 'late_outcome', class: 'late_outcome' } as const;
    await expect(ledger.append(late)).rejects.toMatchObject({ code: 'call_closed' });
  });

  test('a late outcome follows an unknown, once', async () => {
    const { ledger } = fixture;
    const call = newCall();
    await ledger.append(decisionItem(call));
    await ledger.append(outcomeItem(call, 0n, { sections: { facts: { status: 'unknown', cost_nusd: null } } }));
    const late = { ...outcomeItem(call, 7n), kind: 'late_outcome', class: 'late_outcome' } as const;
    await ledger.append(late);
    await expect(ledger.append(late)).rejects.toMatchObject({ code: 'duplicate' });
  });

  test('a large content is one entry', async () => {
    const call = newCall();
    const content = { text: 'ä'.repeat(3_000_000) };
    const decision = decisionItem(call, { open: false });
    await fixture.ledger.append({ ...decision, sections: { ...decision.sections, content } });
  });

  test('what cannot be recorded is refused before it meets a neighbour', async () => {
    const { ledger } = fixture;
    const cases: readonly (readonly [string, Partial<AppendItem>])[] = [
      ['invalid_entry', { call: 'Not Allowed' }],
      ['invalid_entry', { call: 'x'.repeat(65) }],
      ['invalid_entry', { class: 'outcome' }],
      ['invalid_entry', { sections: { facts: {}, unheard_of: 1 } }],
      ['invalid_entry', { sections: { facts: [] } }],
      ['invalid_entry', { sections: { facts: { ledger: {} } } }],
      ['invalid_value', { sections: { facts: { price: 0.5 } } }],
      ['invalid_value', { sections: { content: 'a\u0000b' } }],
      ['invalid_value', { sections: { content: '\ud800' } }],
      ['unknown_tenant', { tenant: 'No Tenant' }],
      ['invalid_entry', { reserve: { scopes: ['org'], nusd: -1n } }],
      ['invalid_entry', { reserve: { scopes: ['org', 'org'], nusd: 1n } }],
      ['invalid_entry', { reserve: { scopes: ['a"b'], nusd: 1n } }],
      ['invalid_entry', { open: false, reserve: { scopes: [], nusd: 1n } }],
      ['invalid_entry', { settle: { nusd: 1n } }],
    ];
    for (const [code, change] of cases) {
      await expect(
        ledger.append(decisionItem(newCall(), change)),
        JSON.stringify(change, (_, value: unknown) => String(value)),
      ).rejects.toMatchObject({ code });
    }
    await expect(ledger.append(outcomeItem(newCall(), 1n, { settle: { nusd: 'reserved' } }))).rejects.toMatchObject({
      code: 'invalid_entry',
    });
  });
});

describe('many writers', () => {
  test('any interleaving of appends of two processes over several logs is dense and linked', async () => {
    const other = await openTestLedger(database);
    const ledgers = [fixture.ledger, other.ledger];
    const step = fc.record({
      by: fc.nat(1),
      tenant: fc.constantFrom('demo', 'one', 'two', 'three'),
      outcome: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
        await Promise.all(
          steps.map(async ({ by, tenant, outcome }) => {
            const ledger = ledgers[by] ?? fixture.ledger;
            const call = newCall();
            await ledger.append(decisionItem(call, { tenant, subject: `user:${String(by)}` }));
            if (outcome) await ledger.append(outcomeItem(call, 1n, { tenant }));
          }),
        );
      }),
      { numRuns: 12 },
    );
    await other.ledger.close();
    const logs = await sql<{ length: string; last: string }[]>`
      select count(*) as length, max(seq) + 1 as last from ledger.entries group by log`;
    for (const { length, last } of logs) expect(length).toBe(last);
    const writers = await sql<{ count: string; last: string; first: string }[]>`
      select count(*) as count, max(wseq) as last, min(wseq) as first from ledger.entries group by wid`;
    for (const { count, last, first } of writers) expect([first, count]).toEqual(['1', last]);
    await expectLedgerIntact(sql, fixture.keys);
  });

  test('batches form by themselves, and order within a log is the order of the calls to append', async () => {
    const before = fixture.ledger.status();
    const results = await Promise.all(
      Array.from({ length: 1000 }, (_, index) => fixture.ledger.append(attempt(newCall(), index))),
    );
    const after = fixture.ledger.status();
    expect(after.appended - before.appended).toBe(1000);
    expect(after.batches - before.batches).toBeLessThan(20);
    expect(results.map((entry) => entry.seq)).toEqual(results.map((_, index) => (results[0]?.seq ?? 0) + index));
  });
});

test('a tenant\u2019s log is announced in the deployment log before its first entry', async () => {
  await fixture.ledger.append(attempt(newCall(), 1));
  const rows = await sql<{ slot: string; facts: string }[]>`
    select l.slot, e.facts from ledger.logs l left join ledger.entries e on e.call = 'log.' || l.slot and e.kind = 'log' order by l.slot`;
  expect(rows.map((row) => row.slot)).toEqual(rows.map((_, index) => String(index)));
  for (const row of rows) expect(JSON.parse(row.facts)).toMatchObject({ slot: Number(row.slot) });
});

test('a receipt can be checked with the key in the deployment log, and is stored beside its entry', async () => {
  const { ledger } = fixture;
  const entry = await ledger.append(attempt(newCall(), 1));
  const receipt = await ledger.signReceipt(entry, 'cd'.repeat(32));
  expect(receipt).toMatch(
    new RegExp(`^${entry.log}/0/${String(entry.seq)}/${entry.hash}/${ledger.wid}/[A-Za-z0-9_-]{86}$`),
  );
  await ledger.append(attempt(newCall(), 1));
  const [stored] = await sql<
    { sig: string }[]
  >`select sig from ledger.receipts where log = ${entry.log} and seq = ${entry.seq}`;
  expect(receipt.endsWith(`/${stored?.sig ?? ''}`)).toBe(true);
});

test('a closed ledger refuses and gives its lease back', async () => {
  const { ledger } = await openTestLedger(database);
  await ledger.close();
  await expect(ledger.append(attempt(newCall(), 1))).rejects.toMatchObject({ code: 'closed' });
  const [writer] = await sql<
    { over: boolean }[]
  >`select lease_until < now() as over from ledger.writers where wid = ${ledger.wid}`;
  expect(writer?.over).toBe(true);
});
