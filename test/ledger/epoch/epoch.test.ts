import { randomBytes } from 'node:crypto';
import type { Sql } from 'postgres';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { verifyLive } from '../../../ledger/index.ts';
import { makeEpoch } from '../../../ledger/epoch/build.ts';
import type { EpochMaker } from '../../../ledger/epoch/build.ts';
import { merkleRoot, ZERO_HASH } from '../../../ledger/merkle.ts';
import { buildSlotTree, slotLeaf, slotNonce } from '../../../ledger/epoch/slots.ts';
import { verifyInclusion } from '../../../ledger/tree/proof.ts';
import { decisionItem, expectLedgerIntact, newCall, openTestLedger } from '../../support/ledger.ts';
import type { LedgerFixture } from '../../support/ledger.ts';
import { createDatabase } from '../../support/postgres.ts';
import type { TestDatabase } from '../../support/postgres.ts';

let database: TestDatabase;
let fixture: LedgerFixture;
let maker: EpochMaker;
let sql: Sql;

beforeEach(async () => {
  database = await createDatabase();
  fixture = await openTestLedger(database);
  sql = fixture.sql;
  maker = { sql, ledger: fixture.ledger, random: randomBytes };
});
afterEach(async () => {
  await fixture.ledger.close();
  await expectLedgerIntact(sql, fixture.keys);
  await database.drop();
});

const note = (tenant: string): Promise<unknown> =>
  fixture.ledger.append(decisionItem(newCall(), { tenant, open: false }));

async function hashes(log: string): Promise<string[]> {
  const rows = await sql<
    { hash: string }[]
  >`select encode(hash, 'hex') as hash from ledger.entries where log = ${log} order by seq`;
  return rows.map(({ hash }) => hash);
}

interface Stored {
  epoch: number;
  log: string;
  slot: number;
  size: number;
  root: string;
  path: string[];
  slots: number;
  epochRoot: string;
  secret: Buffer;
}

async function storedHeads(): Promise<Stored[]> {
  const rows = await sql<(Omit<Stored, 'path'> & { path: string })[]>`
    select h.epoch::int, h.log, l.slot::int, h.size::int, encode(h.root, 'hex') as root, encode(h.path, 'hex') as path, e.slots::int,
      encode(e.root, 'hex') as "epochRoot", e.secret
    from ledger.epoch_heads h join ledger.epochs e using (epoch) join ledger.logs l on l.log = h.log order by h.epoch, l.slot`;
  return rows.map((row) => ({ ...row, path: row.path.match(/.{64}/g) ?? [] }));
}

describe('an epoch', () => {
  test('binds each head that changed at its own slot, and its entry says so', async () => {
    await note('demo');
    await note('demo');
    await note('other');
    expect(await makeEpoch(maker)).toEqual({ epoch: 0, changed: 2 });
    await note('other');
    expect(await makeEpoch(maker)).toEqual({ epoch: 1, changed: 1 });
    const stored = await storedHeads();
    expect(stored.map(({ epoch, slot, size, slots }) => [epoch, slot, size, slots])).toEqual([
      [0, 1, 2, 16],
      [0, 2, 1, 16],
      [1, 2, 2, 16],
    ]);
    for (const { log, slot, size, root, path, slots, epochRoot, secret } of stored) {
      expect(root).toBe(merkleRoot((await hashes(log)).slice(0, size)));
      const leaf = slotLeaf({ log, slot, size, root, nonce: slotNonce(secret, slot) });
      const claim = { leaf, index: slot, size: slots, proof: path, root: epochRoot };
      expect(verifyInclusion(claim)).toBe(true);
      expect(verifyInclusion({ ...claim, index: slot + 1 })).toBe(false);
    }
    const entries = await sql<{ call: string; facts: string; hash: string }[]>`
      select call, facts, encode(hash, 'hex') as hash from ledger.entries where kind = 'epoch' order by seq`;
    const facts = entries.map((entry) => JSON.parse(entry.facts) as Record<string, unknown>);
    expect(entries.map(({ call }) => call)).toEqual(['epoch.0', 'epoch.1']);
    expect(facts).toMatchObject([
      { epoch: 0, slots: 16, root: stored[0]?.epochRoot, prev: ZERO_HASH },
      { epoch: 1, slots: 16, root: stored[2]?.epochRoot, prev: entries[0]?.hash },
    ]);
  });

  test('is not made when nothing happened, unless it is asked for', async () => {
    await note('demo');
    expect(await makeEpoch(maker)).toMatchObject({ changed: 1 });
    expect(await makeEpoch(maker)).toBeNull();
    expect(await makeEpoch(maker, true)).toMatchObject({ changed: 0 });
    expect(await makeEpoch(maker)).toBeNull();
    await fixture.ledger.append({
      tenant: '_deployment', kind: 'config', class: 'event', call: newCall(), subject: null, sections: {},
    }); // prettier-ignore
    expect(await makeEpoch(maker)).toMatchObject({ changed: 0 });
  });

  test('shows nothing of other slots: used or not, changed or not, their leaves are new in every epoch', () => {
    const head = { slot: 3, log: 'ab'.repeat(32), size: 7, root: 'cd'.repeat(32) };
    const [one, two] = [buildSlotTree(16, [head], randomBytes(32)), buildSlotTree(16, [head], randomBytes(32))];
    // The neighbour's view of slot 3 is the first hash of its path.
    expect(one.path(2)[0]).not.toBe(two.path(2)[0]);
    expect(one.path(6)[0]).not.toBe(two.path(6)[0]);
    expect(new Set([...one.path(2), ...two.path(2)]).size).toBe(8);
  });

  test('whose process died before appending its entry is appended by the next one', async () => {
    await note('demo');
    const dying = {
      ...maker,
      ledger: { status: () => fixture.ledger.status(), append: () => Promise.reject(new TypeError('killed')) },
    };
    await expect(makeEpoch(dying)).rejects.toThrow('killed');
    const [before] = await sql<{ epochs: number; entries: number }[]>`
      select (select count(*)::int from ledger.epochs) as epochs, (select count(*)::int from ledger.entries where kind = 'epoch') as entries`;
    expect(before?.epochs).toBe((before?.entries ?? 0) + 1);
    // Nothing changed since; its entry is news to nobody.
    expect(await makeEpoch(maker)).toBeNull();
    const rows = await sql<{ call: string }[]>`select call from ledger.entries where kind = 'epoch' order by seq`;
    expect(rows.map(({ call }) => call)).toEqual(rows.map((_, index) => `epoch.${String(index)}`));
    expect(rows).toHaveLength(before?.epochs ?? 0);
  });

  test('has one number whoever makes it', async () => {
    await note('demo');
    const second = { ...maker, sql: database.connectGateway(2) };
    const made = await Promise.all([makeEpoch(maker, true), makeEpoch(second, true), makeEpoch(maker, true)]);
    expect(made.filter((epoch) => epoch !== null).length).toBeGreaterThanOrEqual(1);
    const rows = await sql<{ call: string }[]>`select call from ledger.entries where kind = 'epoch' order by seq`;
    expect(rows.map(({ call }) => call)).toEqual(rows.map((_, index) => `epoch.${String(index)}`));
  });
});

describe('tiles', () => {
  test('are built from the entries while a log grows, and every epoch continues the tree', async () => {
    const tenant = 'tall';
    for (const count of [255, 1, 300, 700]) {
      await Promise.all(Array.from({ length: count }, () => note(tenant)));
      await makeEpoch(maker);
    }
    const [{ log } = { log: '' }] = await sql<{ log: string }[]>`select log from ledger.logs where tenant = ${tenant}`;
    const leaves = await hashes(log);
    expect(leaves).toHaveLength(1256);
    const tiles = await sql<{ level: number; n: string; hashes: string; root: string }[]>`
      select level, n, encode(hashes, 'hex') as hashes, encode(root, 'hex') as root from ledger.tiles where log = ${log} order by n`;
    expect(tiles.map(({ level, n }) => [level, Number(n)])).toEqual([[0, 0], [0, 1], [0, 2], [0, 3]]); // prettier-ignore
    for (const tile of tiles) {
      const own = leaves.slice(Number(tile.n) * 256, (Number(tile.n) + 1) * 256);
      expect(tile.hashes).toBe(own.join(''));
      expect(tile.root).toBe(merkleRoot(own));
    }
    for (const { root, size } of (await storedHeads()).filter((head) => head.log === log)) {
      expect(root).toBe(merkleRoot(leaves.slice(0, size)));
    }
  });
});

test('the clocks of writer and database stand side by side in every epoch, and a slot is given once', async () => {
  const own = await createDatabase();
  const hoursMs = 3 * 3_600_000;
  const { ledger, keys, ...rest } = await openTestLedger(own, { now: () => Date.now() + hoursMs });
  await ledger.append(decisionItem(newCall(), { open: false }));
  await makeEpoch({ sql: rest.sql, ledger, random: randomBytes });
  const [row] = await rest.sql<{ facts: string; log: string }[]>`
    select facts, log from ledger.entries where kind = 'epoch'`;
  const facts = JSON.parse(row?.facts ?? '') as { database_ms: number; ledger: { at_ms: number } };
  expect(Math.abs(facts.ledger.at_ms - facts.database_ms - hoursMs)).toBeLessThan(60_000);
  expect((await verifyLive(rest.sql, keys)).firstBad).toBeNull();

  const log = { log: 'ab'.repeat(32), slot: 1, nonce: 'cd'.repeat(16), origin: 'countersign.test/ledger', inc: 0 };
  const again = { tenant: '_deployment', kind: 'log', class: 'event', call: 'log.x', subject: null } as const;
  const { seq } = await ledger.append({ ...again, sections: { facts: log } });
  expect((await verifyLive(rest.sql, keys)).firstBad).toMatchObject({
    log: row?.log,
    seq,
    problem: 'slot 1 was given to a log before',
  });
  await ledger.close();
  await own.drop();
});
