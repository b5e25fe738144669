import type { Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decisionItem, newCall, openTestLedger } from '../support/ledger.ts';
import type { LedgerFixture } from '../support/ledger.ts';
import { createDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let gateway: Sql;
let admin: Sql;
let fixture: LedgerFixture;

beforeAll(async () => {
  database = await createDatabase();
  fixture = await openTestLedger(database);
  gateway = fixture.sql;
  admin = database.connectAdmin(1);
  await fixture.ledger.append(decisionItem(newCall()));
  await fixture.ledger.append(decisionItem(newCall(), { tenant: 'other' }));
});
afterAll(async () => {
  await fixture.ledger.close();
  await database.drop();
});

/** insufficient_privilege */
const DENIED = { code: '42501' };

describe('the gateway\u2019s role', () => {
  const tables = [
    'logs',
    'heads',
    'entries',
    'entries_00',
    'receipts',
    'writers',
    'open_calls',
    'budget_scopes',
    'budget_totals',
    'readers',
  ];

  test.each(tables)('can neither add to, change, remove from nor empty ledger.%s', async (table) => {
    await expect(gateway.unsafe(`insert into ledger.${table} default values`)).rejects.toMatchObject(DENIED);
    await expect(gateway.unsafe(`delete from ledger.${table}`)).rejects.toMatchObject(DENIED);
    await expect(gateway.unsafe(`truncate ledger.${table}`)).rejects.toMatchObject(DENIED);
    const [column] = await admin<{ name: string }[]>`
      select attname as name from pg_attribute where attrelid = ${`ledger.${table}`}::regclass and attnum = 1`;
    await expect(gateway.unsafe(`update ledger.${table} set ${column?.name ?? ''} = null`)).rejects.toMatchObject(
      DENIED,
    );
  });

  test('cannot create anything, become another role, or turn the triggers off', async () => {
    await expect(gateway`create table ledger.mine (a integer)`).rejects.toMatchObject(DENIED);
    await expect(gateway`create function ledger.mine() returns int language sql as 'select 1'`).rejects.toMatchObject(
      DENIED,
    );
    for (const role of ['cs_owner', 'cs_append'])
      await expect(gateway.unsafe(`set role ${role}`)).rejects.toMatchObject(DENIED);
    await expect(gateway`set session_replication_role = replica`).rejects.toMatchObject(DENIED);
    await expect(gateway`alter table ledger.entries disable trigger all`).rejects.toMatchObject(DENIED);
  });

  test('cannot change or remove stored keys', async () => {
    await expect(gateway`delete from keystore.subject_keys`).rejects.toMatchObject(DENIED);
    await expect(gateway`update keystore.tenant_keys set wrapped = ''`).rejects.toMatchObject(DENIED);
  });

  test('may execute the ledger\u2019s functions, and nobody else may', async () => {
    const rows = await admin<
      { name: string; public: boolean; gateway: boolean; definer: boolean; path: string | null }[]
    >`
      select proname as name, has_function_privilege('public', p.oid, 'execute') as public, prosecdef as definer,
        has_function_privilege('cs_gateway', p.oid, 'execute') as gateway, array_to_string(proconfig, ' ') as path
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'ledger'`;
    expect(rows.length).toBeGreaterThan(8);
    for (const row of rows) {
      expect(row.public, row.name).toBe(false);
      expect(row.path, row.name).toContain('search_path=pg_catalog, pg_temp');
    }
    expect(rows.find((row) => row.name === 'append')).toMatchObject({ gateway: true, definer: true });
  });
});

describe('the triggers', () => {
  test.each(['ledger.entries', 'ledger.logs', 'ledger.heads', 'ledger.receipts'])(
    'refuse even the owner on %s',
    async (table) => {
      for (const statement of [`update ${table} set log = log`, `delete from ${table}`, `truncate ${table} cascade`]) {
        await expect(admin.unsafe(statement), statement).rejects.toMatchObject({ code: 'CS050' });
      }
    },
  );

  test('fire for a partition named directly and for a session in replica role', async () => {
    await admin.begin(async (tx) => {
      await tx`set local session_replication_role = replica`;
      for (let part = 0; part < 16; part += 1) {
        const name = `ledger.entries_${String(part).padStart(2, '0')}`;
        for (const statement of [`update ${name} set seq = seq`, `delete from ${name}`, `truncate ${name}`]) {
          await expect(
            tx.savepoint((point) => point.unsafe(statement)),
            statement,
          ).rejects.toMatchObject({ code: 'CS050' });
        }
      }
    });
  });
});

describe('the check of every link', () => {
  const COLUMNS =
    'log, seq, kind, class, call, header, hash, t, dbt, wid, wseq, leaves, facts, facts_salt, sealed, content, key, booked';

  /** Copies the newest entry to the next place; `change` says what differs, as SQL. The owner does it, with all rights. */
  async function insertCopy(change: Readonly<Record<string, string>>, into = 'entries'): Promise<void> {
    const header = (seq: string, prev: string): string =>
      `concat('{"body":"', substr(header, 10, 64), '","call":"', call || '.x', '","inc":0,"kind":"', kind, '","log":"', log,
        '","prev":"', ${prev}, '","seq":', ${seq}, ',"t":', t, ',"v":1,"wid":"', wid, '","wseq":', wseq, '}')`;
    const text = change['header'] ?? header(change['seq'] ?? 'seq + 1', change['prev'] ?? `encode(hash, 'hex')`);
    const values: Readonly<Record<string, string>> = {
      call: `call || '.x'`, seq: 'seq + 1', header: text, hash: `sha256('\\x00'::bytea || convert_to(${text}, 'UTF8'))`, ...change,
    }; // prettier-ignore
    const list = COLUMNS.split(', ').map((name) => values[name] ?? name);
    await admin.begin(async (tx) => {
      await tx`set local session_replication_role = replica`;
      await tx.unsafe(`insert into ledger.${into} (${COLUMNS}) select ${list.join(', ')}
        from ledger.entries where log = (select log from ledger.logs where tenant = 'demo') order by seq desc limit 1`);
      throw new Undo();
    });
  }
  class Undo extends Error {}

  test('lets an entry pass that links to the one before it', async () => {
    await expect(insertCopy({})).rejects.toBeInstanceOf(Undo);
  });

  test.each([
    ['leaves a gap', { seq: 'seq + 2' }],
    ['links to another entry', { prev: `repeat('ab', 32)` }],
    ['has the hash of something else', { hash: `sha256('')` }],
    ['says another time in its column', { t: 't + 1', header: 'header' }],
    ['says another call in its column', { call: `'cs-other'` }],
    ['has a header in another form', { header: `replace(header, ',"inc"', ', "inc"')` }],
  ])('refuses an entry that %s, from the owner in replica role and in a partition too', async (_, change) => {
    await expect(insertCopy(change)).rejects.toMatchObject({ code: 'CS051' });
    const [row] = await admin<{ part: string }[]>`
      select e.tableoid::regclass::text as part from ledger.entries e join ledger.logs l using (log) where l.tenant = 'demo' limit 1`;
    await expect(insertCopy(change, row?.part.replace('ledger.', ''))).rejects.toMatchObject({ code: 'CS051' });
  });
});

describe('readers', () => {
  test('see the tenants mapped to their own role, whatever they set', async () => {
    const role = `cs_reader_${database.name}`;
    await admin.unsafe(`create role ${role} in role cs_reader inherit`);
    await admin`insert into ledger.readers (role, tenant) values (${role}, 'demo'), ('cs_reader_gone', 'other')`;
    const seen = await admin.begin(async (tx) => {
      await tx.unsafe(`set local role ${role}`);
      const entries = await tx<{ tenant: string }[]>`
        select distinct l.tenant from ledger.entries e join ledger.logs l using (log)`;
      const logs = await tx<{ tenant: string }[]>`select tenant from ledger.logs`;
      await expect(tx.savepoint((point) => point`select 1 from keystore.tenant_keys`)).rejects.toMatchObject(DENIED);
      await expect(tx.savepoint((point) => point`select 1 from ledger.entries_00`)).rejects.toMatchObject(DENIED);
      return { entries, logs };
    });
    expect(seen.entries).toEqual([{ tenant: 'demo' }]);
    expect(seen.logs).toEqual([{ tenant: 'demo' }]);
    await admin.unsafe(`drop role ${role}`);
  });
});

describe('the append function, called directly', () => {
  const hash = 'a'.repeat(64);
  async function call(
    change: Partial<{ kind: string; call: string; body: string; wid: string; generation: number; log: string }>,
  ): Promise<unknown> {
    const [{ log } = { log: '' }] = await gateway<{ log: string }[]>`select log from ledger.logs where tenant = 'demo'`;
    const item = { kind: 'stop', call: newCall(), body: hash, wid: fixture.ledger.wid, generation: 1, log, ...change };
    return gateway`select ledger.append(${item.wid}, ${item.generation}, 1, false, ${item.log}, ${item.kind}, 'event', ${item.call},
      '{1}', ${item.body}, '', '{}', '00', '', '', '{null}', '{f}', '{null}', '{}', '{}', '', '{}', '', '')`;
  }

  test('refuses text that would not stay inside the header', async () => {
    for (const bad of ['a"b', 'a\nb', 'A', 'a b', 'ä', 'a\\b', 'a,b']) {
      await expect(call({ call: bad }), bad).rejects.toMatchObject({ code: 'CS030' });
      await expect(call({ kind: bad }), bad).rejects.toMatchObject({ code: 'CS030' });
    }
    await expect(call({ body: 'ab' })).rejects.toMatchObject({ code: 'CS030' });
    await expect(call({ wid: '"' })).rejects.toMatchObject({ code: 'CS030' });
  });

  test('refuses an unknown log, an unknown writer and an older generation', async () => {
    await expect(call({ log: hash })).rejects.toMatchObject({ code: 'CS040' });
    await expect(call({ wid: 'w-nobody' })).rejects.toMatchObject({ code: 'CS020' });
    await expect(call({ generation: 0 })).rejects.toMatchObject({ code: 'CS020' });
  });
});
