import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  accessReview,
  clockReport,
  dutiesReport,
  reconcileReport,
  reportCsv,
  reportTable,
  reviewedRange,
  reviewFacts,
  reviewsReport,
} from '../../ledger/index.ts';
import { answeredCall, eventItem, refusedCall } from '../support/evidence.ts';
import { openTestLedger, type LedgerFixture } from '../support/ledger.ts';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let fixture: LedgerFixture;
let folder: string;

beforeAll(async () => {
  database = await createDatabase();
  fixture = await openTestLedger(database);
  folder = mkdtempSync(join(tmpdir(), 'report-'));
  const grant = (key: string, name: string, roles: string[], more: object = {}): Promise<unknown> =>
    fixture.ledger.append({
      ...eventItem('key', { action: 'create', key, tenant: 'demo', roles, approval: 'ap-1', exemption: null, expires_ms: null, ...more }),
      sections: {
        facts: { action: 'create', key, tenant: 'demo', roles, approval: 'ap-1', exemption: null, expires_ms: null, ...more },
        detail: { by: 'cli:root', name },
      },
    }); // prettier-ignore
  await grant('k1', 'ada', ['auditor']);
  await grant('k2', 'ada', ['key-admin']);
  await grant('k3', 'bob', ['policy-author', 'policy-approver']);
  await grant('k4', 'eve', ['tenant-admin'], { approval: null, exemption: 'first-approver' });
  await grant('k5', 'ann', ['caller'], { approval: null });
  await grant('k6', 'dan', ['auditor']);
  await fixture.ledger.append(eventItem('key', { action: 'revoke', key: 'k6', tenant: 'demo' }));
  for (const [requester, decided] of [['cli:a', 'key:b'], ['key:c', 'key:c']] as const)
    await fixture.ledger.append({
      ...eventItem('approval', {}),
      sections: {
        facts: { event: 'approved', approval: `ap-${requester}` },
        detail: { requester, decided_by: decided },
      },
    }); // prettier-ignore
});
afterAll(async () => {
  await fixture.ledger.close();
  rmSync(folder, { recursive: true });
  await database.drop();
});

const NOW = Date.now();

describe('access', () => {
  const key = (id: string, roles: string[], change: object = {}) =>
    ({ id, tenant: 'demo', roles, expiresMs: null, revokedMs: null, ...change }) as const;
  const all = [
    key('k1', ['auditor']), key('k2', ['key-admin']), key('k3', ['policy-approver', 'policy-author']),
    key('k4', ['tenant-admin']), key('k5', ['caller']), key('k6', ['auditor'], { revokedMs: 5 }),
  ]; // prettier-ignore

  test('lists what the entries tell, and agrees with a table that does', async () => {
    const { rows, findings } = await accessReview(fixture.sql, fixture.keys, { known: all, nowMs: NOW });
    expect(findings).toEqual([]);
    expect(rows.map(([id, , name, , state]) => [id, name, state])).toEqual([
      ['k1', 'ada', 'active'], ['k2', 'ada', 'active'], ['k3', 'bob', 'active'],
      ['k4', 'eve', 'active'], ['k5', 'ann', 'active'], ['k6', 'dan', 'revoked'],
    ]); // prettier-ignore
  });

  test.each([
    ['a key nobody recorded', [...all, key('k9', ['auditor'])], 'k9'],
    ['more roles than recorded', all.with(4, key('k5', ['caller', 'auditor'])), 'k5'],
    ['a revocation undone', all.with(5, key('k6', ['auditor'])), 'still works'],
    ['a revocation nobody recorded', all.with(0, key('k1', ['auditor'], { revokedMs: 5 })), 'no entry tells'],
    ['a later expiry', all.with(0, key('k1', ['auditor'], { expiresMs: 5 })), 'expires'],
    ['a key that is gone', all.slice(1), 'no such key'],
  ])('finds %s', async (_, known, words) => {
    const { findings } = await accessReview(fixture.sql, fixture.keys, { known, nowMs: NOW });
    expect(findings).toEqual([expect.stringContaining(words) as string]);
  });

  test('finds keys that never expire and are older than a year', async () => {
    const { findings } = await accessReview(fixture.sql, fixture.keys, { known: all, nowMs: NOW + 400 * 86_400_000 });
    expect(findings).toHaveLength(5);
  });
});

test('duties: one key, one holder, no second person, own approval', async () => {
  const rules = {
    pairs: [['policy-author', 'policy-approver'], ['key-admin', 'auditor']] as const,
    privileged: ['key-admin', 'policy-approver', 'tenant-admin', 'approver', 'auditor'],
    nowMs: NOW,
  }; // prettier-ignore
  const { rows } = await dutiesReport(fixture.sql, fixture.keys, rules);
  expect(rows.map(([conflict, what]) => [conflict, what])).toEqual([
    ['roles of one key', 'policy-author and policy-approver in key k3'],
    ['roles of one holder', 'key-admin by key k2, auditor by key k1'],
    ['no second person', 'tenant-admin by key k4, first-approver'],
    ['own approval', 'ap-key:c'],
  ]);
});

test('reviews: what was signed off, by whom, and what never was', async () => {
  const tenant = 'reviewed';
  for (let index = 0; index < 6; index += 1) await refusedCall(fixture, tenant, 'x');
  const sign = async (first: number, last?: number): Promise<unknown> => {
    const range = await reviewedRange(fixture.sql, tenant, last === undefined ? { first } : { first, last });
    const facts = reviewFacts(range, 'followed-up');
    return fixture.ledger.append({
      ...eventItem('access', facts, { tenant }),
      sections: { facts, detail: { by: 'key:auditor', note: 'two refusals explained' } },
    });
  };
  await sign(0, 2);
  await sign(5);
  const { rows, findings } = await reviewsReport(fixture.sql, fixture.keys, tenant);
  expect(rows.map(([, ...rest]) => rest)).toEqual([
    ['key:auditor', 0, 2, 'followed-up', 'two refusals explained'],
    ['key:auditor', 5, 6, 'followed-up', 'two refusals explained'],
  ]);
  expect(findings).toEqual(['Entries 3 to 4 were never reviewed.', 'Entries 7 to 7 were never reviewed.']);
  const [entry] = await fixture.sql<{ hash: string }[]>`
    select encode(hash, 'hex') as hash from ledger.entries e join ledger.logs using (log) where tenant = ${tenant} and seq = 2`;
  expect((await reviewedRange(fixture.sql, tenant, { first: 0, last: 2 })).head).toBe(entry?.hash);
  await expect(reviewedRange(fixture.sql, tenant, { first: 99 })).rejects.toMatchObject({ code: 'invalid_value' });
  await expect(reviewedRange(fixture.sql, tenant, { first: 0, last: 99 })).rejects.toMatchObject({
    code: 'invalid_value',
  });
  await expect(reviewedRange(fixture.sql, 'nobody', { first: 0 })).rejects.toMatchObject({ code: 'unknown_tenant' });
});

test('clock: what keeps it, and how far apart the clocks were', async () => {
  const good = await clockReport(fixture.sql, { nowMs: Date.now(), source: 'time service, synchronised' });
  expect([good.rows.length, good.findings]).toEqual([1, []]);
  const late = await clockReport(fixture.sql, { nowMs: Date.now() - 60_000, source: null });
  expect(late.findings).toEqual([
    expect.stringContaining('ahead of this host'),
    expect.stringContaining('does not say'),
  ]);
});

describe('reconcile', () => {
  test('finds what was billed and never seen, seen and not billed, and other counts', async () => {
    const tenant = 'billed';
    const calls = [];
    for (let index = 0; index < 4; index += 1) calls.push(await answeredCall(fixture, tenant));
    const [first = '', second = '', third = '', fourth = ''] = calls;
    const usage = join(folder, 'usage.csv');
    const rows = [
      'Timestamp,"request_id",model,prompt_tokens,completion_tokens',
      `1,req-${first},"gpt, small",12,30`,
      `2,"req-${second}","a ""quoted"" name",12,31`,
      '3,req-bypass,gpt,100,5',
      `4,req-${fourth},gpt,12,30`,
    ];
    writeFileSync(usage, `\ufeff${rows.join('\r\n')}\r\n`);
    const month = { fromMs: Date.now() - 3_600_000, toMs: Date.now() + 3_600_000 };
    const report = await reconcileReport(fixture.sql, fixture.keys, {
      provider: 'openai', usage, tenants: [tenant], ...month,
    }); // prettier-ignore
    expect(report.title).toContain('3 calls');
    expect(report.rows.map(([what, id, , call]) => [what, id, call])).toEqual([
      ['billed, never seen', 'req-bypass', null],
      ['tokens differ', `req-${second}`, second],
      ['seen, not billed', `req-${third}`, third],
    ]);
    expect(report.rows[1]?.at(-1)).toBe('output 30 here, 31 billed');
    const elsewhere = { provider: 'anthropic', usage, tenants: [tenant], ...month };
    expect((await reconcileReport(fixture.sql, fixture.keys, elsewhere)).rows).toHaveLength(4);
    const earlier = { fromMs: 0, toMs: 86_400_000 };
    const before = await reconcileReport(fixture.sql, fixture.keys, { provider: 'openai', usage, tenants: [tenant], ...earlier }); // prettier-ignore
    expect(before.rows.filter(([what]) => what === 'seen, not billed')).toEqual([]);
  });

  test.each([
    ['no column with ids', 'a,b\n1,2\n'],
    ['a row without an id', 'request_id,x\n,2\n'],
    ['a cell without an end', `request_id\n"${'x'.repeat(20_000)}`],
    ['too many columns', `${'a,'.repeat(1000)}request_id\n`],
  ])('refuses a file with %s', async (_, text) => {
    const usage = join(folder, 'bad.csv');
    writeFileSync(usage, text);
    const asked = reconcileReport(fixture.sql, fixture.keys, {
      provider: 'openai', usage, tenants: [], fromMs: 0, toMs: 1,
    }); // prettier-ignore
    await expect(asked).rejects.toMatchObject({ code: 'invalid_value' });
  });
});

test('a report is printed without letting its values be commands or formulas', () => {
  const report = {
    name: 'x', title: 'X', columns: ['a', 'b'], rows: [['=1+1', '\u001b[31mred'], [null, 7]],
    findings: ['look \u202e here'], limits: ['that'],
  }; // prettier-ignore
  expect(reportCsv(report)).toBe('a,b\r\n"\'=1+1","\u001b[31mred"\r\n,7\r\n');
  expect(reportTable(report)).toBe(
    'X\n\na     b\n=1+1  \u00b7[31mred\n-     7\n\nTo look at:\n  - look \u00b7 here\nNot shown:\n  - that',
  );
});
