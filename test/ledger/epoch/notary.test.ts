import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCheckpointKey, readCheckpointKey } from '../../../ledger/epoch/key-file.ts';
import { publishCheckpoint } from '../../../ledger/epoch/notary.ts';
import type { Published } from '../../../ledger/epoch/notary.ts';
import { readConsistency } from '../../../ledger/epoch/tree-reader.ts';
import { merkleRoot } from '../../../ledger/merkle.ts';
import { parseCheckpoint } from '../../../ledger/note/checkpoint.ts';
import { parseVerifierKey } from '../../../ledger/note/key.ts';
import { openNote } from '../../../ledger/note/note.ts';
import { verifyConsistency } from '../../../ledger/tree/proof.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { decisionItem, newCall, openTestLedger } from '../../support/ledger.ts';
import type { LedgerFixture } from '../../support/ledger.ts';
import { closeEpoch, createTestNotary } from '../../support/notary.ts';
import type { TestNotary } from '../../support/notary.ts';
import { createDatabase } from '../../support/postgres.ts';
import type { TestDatabase } from '../../support/postgres.ts';

let database: TestDatabase;
let fixture: LedgerFixture;
let notary: TestNotary;

beforeEach(async () => {
  database = await createDatabase();
  fixture = await openTestLedger(database);
  notary = createTestNotary(database);
});
afterEach(async () => {
  await fixture.ledger.close();
  await notary.close();
  await database.drop();
});

const FORKED = expect.objectContaining({ code: 'forked' }) as Error;
const DENIED = { code: '42501' };
const append = (): Promise<unknown> => fixture.ledger.append(decisionItem(newCall(), { open: false }));

async function nextCheckpoint(): Promise<Published> {
  await append();
  const { published } = await closeEpoch(fixture, notary);
  if (published === null) throw new TypeError('expected a checkpoint');
  return published;
}

async function deploymentLog(): Promise<{ log: string; hashes: string[] }> {
  const rows = await fixture.sql<{ log: string; hash: string }[]>`
    select log, encode(hash, 'hex') as hash from ledger.entries join ledger.logs using (log) where tenant = '_deployment' order by seq`;
  return { log: rows[0]?.log ?? '', hashes: rows.map(({ hash }) => hash) };
}

/** What an owner can do after turning the triggers off, as a restore would. */
async function cutBack(size: number): Promise<void> {
  const admin = database.connectAdmin(1);
  const { log } = await deploymentLog();
  await admin.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    for (const { name } of await tx<{ name: string }[]>`
      select tgrelid::regclass::text as name from pg_trigger where tgname = 'refuse_change'`)
      await tx.unsafe(`alter table ${name} disable trigger refuse_change`);
    await tx`delete from ledger.entries where log = ${log} and seq >= ${size}`;
    await tx`delete from ledger.checkpoints where size > ${size}`;
  });
}

describe('a checkpoint', () => {
  test('is signed over the log up to its last epoch, kept outside first, and continues the one before', async () => {
    const one = await nextCheckpoint();
    const two = await nextCheckpoint();
    const { log, hashes } = await deploymentLog();
    expect(two.size).toBe(hashes.length);
    for (const { note, size, root, vkey } of [one, two]) {
      const { text } = openNote(note, [parseVerifierKey(vkey)]);
      expect(parseCheckpoint(text)).toEqual({ origin: 'countersign.test/ledger/0', size, root, extensions: [] });
      expect(root).toBe(merkleRoot(hashes.slice(0, size)));
    }
    const proof = await readConsistency(fixture.sql, log, one.size, two.size);
    const claim = { oldSize: one.size, oldRoot: one.root, size: two.size, root: two.root, proof };
    expect(verifyConsistency(claim)).toBe(true);
    expect(await notary.heads.latest('countersign.test/ledger/0')).toBe(two.note);
    const files = readdirSync(notary.dir);
    for (const file of files) expect(statSync(join(notary.dir, file)).mode & 0o777).toBe(0o600);
    const history = readFileSync(join(notary.dir, files.find((file) => file.startsWith('history-')) ?? ''), 'utf8');
    expect(history.trim().split('\n').map((line) => (JSON.parse(line) as { note: string }).note)).toEqual([one.note, two.note]); // prettier-ignore
  });

  test('is not repeated when nothing was added, and none is made of an empty ledger', async () => {
    expect(await publishCheckpoint(notary)).toBeNull();
    await nextCheckpoint();
    expect(await publishCheckpoint(notary)).toBeNull();
    await append();
    expect(await publishCheckpoint(notary)).toBeNull();
  });

  test('that was kept, but did not reach the database, reaches it with the next try', async () => {
    await append();
    const dying = { ...notary, heads: { ...notary.heads, keep: () => Promise.reject(new TypeError('killed')) } };
    await expect(closeEpoch(fixture, dying)).rejects.toThrow('killed');
    expect(await fixture.sql`select 1 from ledger.checkpoints`).toHaveLength(0);
    // Killed between the head store and the database.
    const { keep } = notary.heads;
    const late = {
      ...notary,
      heads: {
        ...notary.heads,
        keep: async (...kept: Parameters<typeof keep>) => {
          await keep(...kept);
          throw new TypeError('killed');
        },
      },
    };
    await expect(publishCheckpoint(late)).rejects.toThrow('killed');
    expect(await fixture.sql`select 1 from ledger.checkpoints`).toHaveLength(0);
    const published = await publishCheckpoint(notary);
    expect(published?.note).toBe(await notary.heads.latest('countersign.test/ledger/0'));
    expect(await publishCheckpoint(notary)).toBeNull();
  });

  test('of two notaries is one', async () => {
    await append();
    await closeEpoch(fixture, notary);
    await append();
    const second = createTestNotary(database);
    const results = await Promise.all([closeEpoch(fixture, notary), publishCheckpoint(second)]);
    expect(results).toHaveLength(2);
    await append();
    await closeEpoch(fixture, second);
    // What the other one published meanwhile is checked, not repeated.
    expect(await publishCheckpoint(notary)).toBeNull();
    await nextCheckpoint();
    const sizes = await fixture.sql<{ size: string }[]>`select size from ledger.checkpoints order by size`;
    expect(new Set(sizes.map(({ size }) => size)).size).toBe(sizes.length);
    await second.close();
  });
});

describe('nothing is signed', () => {
  test('of a database that is older than the last checkpoint', async () => {
    const one = await nextCheckpoint();
    await nextCheckpoint();
    await cutBack(one.size);
    await expect(publishCheckpoint(notary)).rejects.toThrow(FORKED);
    // Nor when it has grown beyond again, with other entries, of a process that remembers none of what was lost.
    const other = await openTestLedger(database);
    await Promise.all(Array.from({ length: 12 }, () => other.ledger.append({
      tenant: '_deployment', kind: 'config', class: 'event', call: newCall(), subject: null, sections: {},
    }))); // prettier-ignore
    await other.ledger.close();
    await expect(publishCheckpoint(notary)).rejects.toThrow(FORKED);
  });

  test('of a log whose beginning is another one', async () => {
    await nextCheckpoint();
    await append();
    const admin = database.connectAdmin(1);
    const { log } = await deploymentLog();
    await admin.begin(async (tx) => {
      for (const { name } of await tx<{ name: string }[]>`
        select tgrelid::regclass::text as name from pg_trigger where tgname = 'refuse_change'`)
        await tx.unsafe(`alter table ${name} disable trigger refuse_change`);
      const header = tx`replace(header, '"t":', '"t":9')`;
      await tx`update ledger.entries set header = ${header} where log = ${log} and seq = 1`;
      // Everything that could be continued from is rewritten too.
      await tx`update ledger.checkpoints set frontier = '\\x00', root = sha256('')`;
    });
    await expect(publishCheckpoint(notary)).rejects.toThrow(FORKED);
  });

  test('with a head store that holds something else', async () => {
    await nextCheckpoint();
    await append();
    const file = join(notary.dir, readdirSync(notary.dir).find((name) => name.endsWith('.checkpoint')) ?? '');
    const note = readFileSync(file, 'utf8');
    writeFileSync(file, note.replace(/\n\d+\n/, '\n1\n'));
    await expect(publishCheckpoint(notary)).rejects.toMatchObject({ code: 'invalid_note' });
    rmSync(file);
    await closeEpoch(fixture, notary);
    // Another key is another log.
    await expect(publishCheckpoint({ ...notary, key: Buffer.alloc(32, 6) })).rejects.toMatchObject({
      code: 'invalid_note',
    });
  });
});

describe('rights', () => {
  test('the gateway cannot publish, and the notary can do nothing else', async () => {
    await nextCheckpoint();
    const { sql } = fixture;
    await expect(sql`select ledger.publish_checkpoint('a', 1, '', '', '', '')`).rejects.toMatchObject(DENIED);
    for (const table of ['tiles', 'epochs', 'epoch_heads', 'checkpoints', 'jobs']) {
      await expect(sql.unsafe(`insert into ledger.${table} default values`)).rejects.toMatchObject(DENIED);
      await expect(sql.unsafe(`delete from ledger.${table}`)).rejects.toMatchObject(DENIED);
      await expect(notary.sql.unsafe(`insert into ledger.${table} default values`)).rejects.toMatchObject(DENIED);
    }
    await append();
    const logs = await notary.sql<{ tenant: string }[]>`select tenant from ledger.logs`;
    expect(logs).toEqual([{ tenant: '_deployment' }]);
    const seen = await notary.sql<{ log: string }[]>`select distinct log from ledger.entries`;
    expect(seen).toHaveLength(1);
    for (const secret of [
      'facts from ledger.entries',
      'secret from ledger.epochs',
      '1 from keystore.tenant_keys',
      '1 from ledger.epoch_heads',
    ])
      await expect(notary.sql.unsafe(`select ${secret}`), secret).rejects.toMatchObject(DENIED);
    await expect(
      notary.sql`select ledger.prepare_epoch(0, 1, 1, '', '', '{}', '{}', '{}', '{}', '{}')`,
    ).rejects.toMatchObject(DENIED);
  });

  test('even the owner is refused by the triggers', async () => {
    await nextCheckpoint();
    const admin = database.connectAdmin(1);
    for (const table of ['tiles', 'epochs', 'epoch_heads', 'checkpoints']) {
      for (const statement of [`delete from ledger.${table}`, `truncate ledger.${table} cascade`])
        await expect(admin.unsafe(statement), statement).rejects.toMatchObject({ code: 'CS050' });
    }
  });
});

test('a checkpoint key is made once, is its owner\u2019s only, and is 64 hex digits', async () => {
  const path = join(temporaryFolder(), 'checkpoint-key');
  await expect(readCheckpointKey(path)).rejects.toMatchObject({ code: 'checkpoint_key' });
  expect(await createCheckpointKey(path)).toBe(true);
  expect(await createCheckpointKey(path)).toBe(false);
  expect(await readCheckpointKey(path)).toHaveLength(32);
  writeFileSync(path, 'something else');
  await expect(readCheckpointKey(path)).rejects.toMatchObject({ code: 'checkpoint_key' });
  const open = join(temporaryFolder(), 'open');
  writeFileSync(open, `${'ab'.repeat(32)}\n`, { mode: 0o644 });
  await expect(readCheckpointKey(open)).rejects.toMatchObject({ code: 'checkpoint_key' });
});
