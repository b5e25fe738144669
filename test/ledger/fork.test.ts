import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  exportTenant,
  findFork,
  readBudgets,
  readCall,
  readOutcomes,
  readRecordedCall,
  setBudgetScope,
  verifyFolder,
  verifyLive,
} from '../../ledger/index.ts';
import type { CallOutcome, EntryHeader } from '../../ledger/index.ts';
import { CallCheck } from '../../ledger/verify/call-check.ts';
import { temporaryFolder } from '../support/folder.ts';
import { decisionItem, newCall, outcomeItem } from '../support/ledger.ts';
import type { LedgerFixture } from '../support/ledger.ts';
import { closeEpoch } from '../support/notary.ts';
import { LEDGER_NAME, restoreStand } from '../support/restores.ts';
import { runNoteBlock } from '../support/verify-note.ts';

const stand = restoreStand();
const { start, declare } = stand;

/** Two calls of two tenants, one of them left open, and a checkpoint over them. */
async function work(fixture: LedgerFixture): Promise<number> {
  const call = newCall();
  await fixture.ledger.append(decisionItem(call));
  await fixture.ledger.append(outcomeItem(call, 5n));
  await fixture.ledger.append(decisionItem(newCall(), { tenant: 'other' }));
  const { published } = await closeEpoch(fixture, stand.notary);
  return published?.size ?? 0;
}

async function countEntries(): Promise<number> {
  const [row] = await stand.database.connectAdmin(1)<
    { n: number }[]
  >`select count(*)::integer as n from ledger.entries`;
  return row?.n ?? 0;
}

async function firstEntries(): Promise<
  { tenant: string; inc: number; kind: string; facts: Record<string, unknown> }[]
> {
  const rows = await stand.database.connectAdmin(1)<{ tenant: string; inc: number; kind: string; facts: string }[]>`
    select l.tenant, l.inc, e.kind, e.facts from ledger.logs l join ledger.entries e on e.log = l.log and e.seq = 0
    where l.inc > 0 order by l.slot`;
  return rows.map((row) => ({ ...row, facts: JSON.parse(row.facts) as Record<string, unknown> }));
}

async function slots(): Promise<number[]> {
  const rows = await stand.database.connectAdmin(1)<{ slot: string }[]>`select slot from ledger.logs order by slot`;
  return rows.map(({ slot }) => Number(slot));
}

const FORKED = { code: 'forked' };

describe('a database that was restored to an older copy', () => {
  let restoredSize: number;
  let lostSize: number;

  beforeEach(async () => {
    const fixture = await start();
    restoredSize = await work(fixture);
    await fixture.ledger.close();
    const copy = await stand.database.copy();
    const later = await start();
    lostSize = await work(later);
    await later.ledger.close();
    await stand.database.restore(copy);
  });

  test('is not written to by a process that starts on it', async () => {
    const before = await countEntries();
    const told: string[] = [];
    const { ledger, sql } = await start({ heads: stand.notary.heads, onForked: ({ code }) => told.push(code) });
    expect(ledger.status()).toMatchObject({ state: 'forked', fork: expect.stringContaining('first') as string });
    await expect(ledger.append(decisionItem(newCall()))).rejects.toMatchObject(FORKED);
    await expect(closeEpoch({ sql, ledger }, stand.notary)).rejects.toMatchObject(FORKED);
    expect(told).toEqual(['forked']);
    expect(await countEntries()).toBe(before);
    expect(await findFork(sql, null, LEDGER_NAME)).toEqual({
      guard: 'memory only',
      problem: null,
      outside: [],
    });
  });

  test('goes on as a new incarnation that commits to what was lost, and verifies with the old one', async () => {
    let over = false;
    const waiting = await start({ heads: stand.notary.heads, onFenced: () => (over = true) });
    const { inc, origin, lost } = await declare();
    expect({ inc, origin }).toEqual({ inc: 1, origin: 'countersign.test/ledger/1' });
    const admin = stand.database.connectAdmin(1);
    const [tail] = await admin<{ size: number }[]>`
      select (max(seq) + 1)::integer as size from ledger.entries join ledger.logs using (log) where tenant = '_deployment' and inc = 0`;
    expect(tail?.size).toBe(restoredSize);
    expect(lost).toMatchObject({ from: restoredSize, to: lostSize, checkpoint: { size: lostSize } });
    const first = await firstEntries();
    expect(first.map(({ tenant, inc: at, kind }) => [tenant, at, kind])).toEqual([
      ['_deployment', 1, 'recovery'], ['demo', 1, 'recovery'], ['other', 1, 'recovery'],
    ]); // prettier-ignore
    expect(first[0]?.facts).toMatchObject({
      previous: { size: restoredSize }, lost: { from: restoredSize, to: lostSize }, checkpoint: { size: lostSize, root: lost.checkpoint?.root },
    }); // prettier-ignore
    await expect.poll(() => over, { timeout: 20_000 }).toBe(true);
    await waiting.ledger.close();

    const next = await start();
    expect(next.ledger.status().state).toBe('up');
    await work(next);
    expect(await findFork(next.sql, stand.notary.heads, '')).toEqual({
      guard: 'head store',
      problem: null,
      outside: [],
    });
    const report = await verifyLive(next.sql, next.keys);
    // The one that was open when the first incarnation ended is closed; the new one is open.
    expect(report).toMatchObject({ firstBad: null, openCalls: 1 });
    expect(report.logs.map(({ tenant }) => tenant)).toEqual([
      '_deployment',
      '_deployment',
      'demo',
      'other',
      'demo',
      'other',
    ]);
    const dir = temporaryFolder();
    await exportTenant(next.sql, next.keys, { tenant: 'demo', dir });
    const folder = await verifyFolder(dir);
    expect(folder).toMatchObject({ firstBad: null });
    expect(folder.logs.filter(({ tenant }) => tenant === 'demo').map(({ entries }) => entries)).toEqual([2, 3]);
  });

  test('takes no entry in a log that was ended, and none in a new one before the loss is in it', async () => {
    await declare();
    const admin = stand.database.connectAdmin(1);
    const insert = (inc: number) => admin`
      insert into ledger.entries (log, seq, kind, class, call, header, hash, t, dbt, wid, wseq, leaves, facts, facts_salt)
      select log, coalesce((select max(seq) + 1 from ledger.entries e where e.log = l.log), 0), 'stop', 'event', 'x', '', '', 0, 0, 'w', 1, '', '', ''
      from ledger.logs l where tenant = 'demo' and inc = ${inc}`;
    await expect(insert(0)).rejects.toMatchObject({ code: 'CS052' });
    await admin`select ledger.declare_loss(2, 0)`;
    await expect(insert(2)).rejects.toMatchObject({ code: 'CS053' });
  });

  test('a declaration that was interrupted is finished by the next one, not repeated', async () => {
    await stand.database.connectAdmin(1)`select ledger.declare_loss(1, 0)`;
    const { ledger } = await start();
    expect(ledger.status().fork).toContain('run ledger recover again');
    await declare();
    expect((await firstEntries()).map(({ inc }) => inc)).toEqual([1, 1, 1]);
    expect((await start()).ledger.status().state).toBe('up');
  });

  test('restored once more to before the declaration, gets an incarnation nobody has used', async () => {
    const older = await stand.database.copy();
    await declare();
    const next = await start();
    await work(next);
    await next.ledger.close();
    await stand.database.restore(older);
    expect((await start()).ledger.status().fork).toContain('incarnation 1');
    expect(await declare()).toMatchObject({ inc: 2, origin: 'countersign.test/ledger/2' });
  });
});

test('what was open when a log ended is closed in the next one as unknown, and its reservation is booked', async () => {
  const fixture = await start();
  await setBudgetScope(fixture.sql, { scope: 'tenant:other', month: 1000n });
  const call = newCall();
  const reserve = { scopes: ['tenant:other'], nusd: 700n };
  await fixture.ledger.append(decisionItem(call, { tenant: 'other', reserve }));
  await fixture.ledger.append(decisionItem(newCall(), { tenant: 'other', open: false }));
  const copy = await stand.database.copy();
  await work(fixture);
  await fixture.ledger.close();
  await stand.database.restore(copy);
  expect(await declare()).toMatchObject({ closed: 1 });
  // The tenant whose log began after the copy was made; its slot is not given to anybody else.
  const [{ facts } = { facts: {} }] = await firstEntries();
  expect(facts).toMatchObject({ lost_logs: [{ inc: 0, slot: 2, to: 2 }] });
  expect(await slots()).toEqual([0, 1, 3, 4]);

  const { sql, keys, ledger } = await start();
  const [budget] = await readBudgets(sql, ['tenant:other']);
  expect(budget).toMatchObject({ reserved: 0n, month: { spent: 700n } });
  expect(await readCall(sql, keys, 'other', call)).toMatchObject({
    inc: 0,
    open: false,
    outcome: { sections: { facts: { status: 'unknown', ledger: { booked_nusd: '700' } } } },
  });
  const outcomes: CallOutcome[] = [];
  for await (const outcome of readOutcomes(sql, 'other', 0, Date.now() + 60_000)) outcomes.push(outcome);
  expect(outcomes).toMatchObject([
    { call, open: false, facts: { status: 'unknown' } },
    { open: false, facts: null },
  ]);
  const replayed = await readRecordedCall(sql, keys, 'other', call);
  expect(replayed?.outcome?.facts).toMatchObject({ status: 'unknown' });
  expect(await verifyLive(sql, keys)).toMatchObject({ firstBad: null, openCalls: 0 });

  await closeEpoch({ sql, ledger }, stand.notary);
  const dir = temporaryFolder();
  await exportTenant(sql, keys, { tenant: 'other', dir });
  expect(await verifyFolder(dir)).toMatchObject({ firstBad: null, openCalls: 0 });
  for (const name of ['entries', 'views'] as const) expect(runNoteBlock(dir, name)).toMatchObject({ status: 0 });
  expect(JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'))).toMatchObject({ open_calls: [] });
});

test('nobody can say more of a call than that it was open when its log ended', () => {
  const facts = { ledger: { open: true, reserved_nusd: '5', scopes: [] } };
  const entry = { header: '', hash: '', leaves: [], sections: new Map(), receipt: null };
  const headerOf = (kind: string): EntryHeader => ({
    body: '', call: 'cs-1', inc: 0, kind, log: '', prev: '', seq: 0, t: 0, v: 1, wid: '', wseq: 1,
  }); // prettier-ignore
  for (const [status, problem] of [
    ['ok', 'nobody can know'],
    ['unknown', null],
  ] as const) {
    const [before, after] = [new CallCheck(), new CallCheck()];
    before.add(headerOf('decision'), facts, entry);
    after.carry(before);
    expect([before.open.size, after.open.size]).toEqual([0, 1]);
    const found = after.add(headerOf('outcome'), { status }, entry);
    expect(found?.problem ?? null).toEqual(problem === null ? null : expect.stringContaining(problem));
  }
});

test('two histories: what was published after their last common checkpoint is lost', async () => {
  const fixture = await start();
  const common = await work(fixture);
  const copy = await stand.database.copy();
  const published = await work(fixture);
  await fixture.ledger.close();
  await stand.database.restore(copy);
  // Somebody goes on with the older copy and looks at nothing outside; it grows beyond what was published.
  const other = await start({});
  for (let round = 0; round < 12; round += 1)
    await other.ledger.append({ tenant: '_deployment', kind: 'config', class: 'event', call: newCall(), subject: null, sections: {} }); // prettier-ignore
  await other.ledger.close();
  expect((await start()).ledger.status().state).toBe('forked');
  expect(await declare()).toMatchObject({ lost: { from: common, to: published } });
});

describe('a process that was serving while the database was replaced', () => {
  test('by a lagging copy finds out before it appends anything, from memory alone', async () => {
    const told: string[] = [];
    const fixture = await start({ onForked: ({ message }) => told.push(message) });
    await fixture.ledger.append(decisionItem(newCall()));
    const copy = await stand.database.copy();
    const call = newCall();
    await fixture.ledger.append(decisionItem(call));
    const late = fixture.ledger;
    await stand.database.restore(copy);
    const before = await countEntries();
    await expect(late.append(outcomeItem(call, 1n))).rejects.toMatchObject(FORKED);
    await expect(late.append(decisionItem(newCall()))).rejects.toMatchObject(FORKED);
    expect(late.status()).toMatchObject({ state: 'forked', fork: expect.stringContaining('durable') as string });
    expect(told).toHaveLength(1);
    expect(await countEntries()).toBe(before);
  });

  test('by a copy that has everything it knows of goes on', async () => {
    const fixture = await start({});
    await fixture.ledger.append(decisionItem(newCall()));
    const copy = await stand.database.copy();
    await stand.database.restore(copy);
    await fixture.ledger.append(decisionItem(newCall()));
    expect(fixture.ledger.status().state).toBe('up');
  });
});

test('nothing is declared lost where nothing is missing, unless the operator insists', async () => {
  const fixture = await start();
  const size = await work(fixture);
  await fixture.ledger.close();
  await expect(declare()).rejects.toMatchObject({ code: 'not_forked' });
  expect(await declare({ force: true })).toMatchObject({ inc: 1, lost: { from: size, to: size } });
});

test('the role of the gateway cannot declare a loss', async () => {
  await expect(stand.database.connectGateway(1)`select ledger.declare_loss(1, 0)`).rejects.toMatchObject({
    code: '42501',
  });
});
