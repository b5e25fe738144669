import { mkdtempSync, readFileSync, readdirSync, writeFileSync, cpSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrate, schemaDump } from '../../migrations/index.ts';
import { createDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';

const MIGRATIONS = join(process.cwd(), 'migrations');
let database: TestDatabase;
let folder: string;

beforeAll(async () => {
  database = await createDatabase();
  folder = mkdtempSync(join(tmpdir(), 'migrations-'));
  for (const name of readdirSync(MIGRATIONS))
    if (/^\d{4}_/.test(name)) cpSync(join(MIGRATIONS, name), join(folder, name));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await database.drop();
});

test('a second run applies nothing', async () => {
  const result = await migrate(database.connectAdmin(1), { dir: folder });
  expect(result.applied).toEqual([]);
  expect(result.current).toMatch(/^\d{4}_[a-z0-9_]+\.sql$/);
});

test('two processes that start at once apply each file once', async () => {
  writeFileSync(join(folder, '8000_table.sql'), 'create table ledger.scratch (a integer)');
  const lines: string[] = [];
  const runs = [1, 2].map(() => migrate(database.connectAdmin(1), { dir: folder, log: (line) => lines.push(line) }));
  const applied = (await Promise.all(runs)).flatMap((run) => run.applied);
  expect(applied).toEqual(['8000_table.sql']);
  expect(lines).toEqual(['migration 8000_table.sql applied']);
});

test('a failing file leaves nothing behind', async () => {
  writeFileSync(join(folder, '8001_bad.sql'), 'create table ledger.half (a integer); select no_such_function()');
  const sql = database.connectAdmin(1);
  await expect(migrate(sql, { dir: folder })).rejects.toMatchObject({ name: 'MigrationError', code: 'failed' });
  expect(await sql`select 1 from pg_class where relname = 'half'`).toHaveLength(0);
  rmSync(join(folder, '8001_bad.sql'));
});

test('an edited, an unknown and an out-of-order migration stop the start', async () => {
  const sql = database.connectAdmin(1);
  const path = join(folder, '8000_table.sql');
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, `${text} -- edited`);
  await expect(migrate(sql, { dir: folder })).rejects.toMatchObject({ code: 'changed_migration' });
  rmSync(path);
  await expect(migrate(sql, { dir: folder })).rejects.toMatchObject({ code: 'unknown_migration' });
  writeFileSync(path, text);
  writeFileSync(join(folder, '7999_late.sql'), 'select 1');
  await expect(migrate(sql, { dir: folder })).rejects.toMatchObject({ code: 'out_of_order' });
});

test('a folder without migrations is refused', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'migrations-'));
  await expect(migrate(database.connectAdmin(1), { dir: empty })).rejects.toMatchObject({ code: 'no_migrations' });
  rmSync(empty, { recursive: true });
});

test('migrations/schema.sql shows the schema the migrations make', async () => {
  const fresh = await createDatabase();
  const dump = await schemaDump(fresh.connectAdmin(1));
  await fresh.drop();
  if (process.env['UPDATE_SCHEMA'] === '1') writeFileSync(join(MIGRATIONS, 'schema.sql'), dump);
  expect(dump).toBe(readFileSync(join(MIGRATIONS, 'schema.sql'), 'utf8'));
});
