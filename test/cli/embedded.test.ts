import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, describe, expect, test } from 'vitest';
import { connect } from '../../cli/embedded/connection.ts';
import { startEmbedded, type EmbeddedDatabase, type EmbeddedOptions } from '../../cli/embedded/embedded.ts';
import { birthOf } from '../../cli/embedded/lock.ts';
import { stopPostmaster } from '../../cli/embedded/postmaster.ts';
import { temporaryFolder } from '../support/folder.ts';

async function start(
  dataRoot: string,
  role: EmbeddedOptions['role'] = 'server',
): Promise<EmbeddedDatabase & { lines: string[] }> {
  const lines: string[] = [];
  const database = await startEmbedded({ dataRoot, role, log: (line) => lines.push(line) });
  onTestFinished(() => stopPostmaster(database.dataDir, database.pid));
  return { ...database, lines };
}

/** What a `kill -9` of our process leaves: a running server, and a lock whose holder is dead. */
function forget(dataRoot: string): void {
  const path = join(dataRoot, 'embedded.lock');
  const lock = JSON.parse(readFileSync(path, 'utf8')) as { pid: number };
  writeFileSync(path, JSON.stringify({ ...lock, born: 'an earlier process with the same number' }));
}

/** From /proc where there is one: small containers have no ps. */
function groupOf(pid: number): number {
  if (process.platform !== 'linux')
    return Number(execFileSync('ps', ['-o', 'pgid=', '-p', String(pid)], { encoding: 'utf8' }));
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
}

function environmentOf(pid: number): string {
  if (process.platform === 'linux') return readFileSync(`/proc/${String(pid)}/environ`, 'utf8');
  return execFileSync('ps', ['eww', '-p', String(pid)], { encoding: 'utf8' });
}

const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe('a first start', () => {
  test('listens on a private socket only, with durability and checksums on', async () => {
    const database = await start(temporaryFolder());
    const sql = connect(database.superuser);
    const settings = await sql<{ name: string; setting: string }[]>`
      select name, setting from pg_settings where name in ('listen_addresses', 'fsync', 'synchronous_commit', 'full_page_writes',
        'data_checksums', 'password_encryption', 'server_version', 'checkpoint_timeout', 'server_encoding') order by name`;
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
      checkpoint_timeout: '1800',
      data_checksums: 'on',
      fsync: 'on',
      full_page_writes: 'on',
      listen_addresses: '',
      password_encryption: 'scram-sha-256',
      server_encoding: 'UTF8',
      server_version: '18.4',
      synchronous_commit: 'on',
    });
    await sql.end();
    expect(mode(database.socketDir)).toBe('700');
    expect(Buffer.byteLength(join(database.socketDir, '.s.PGSQL.5432'))).toBeLessThan(100);
    await database.stop();
  });

  test('refuses a wrong password even on the socket', async () => {
    const database = await start(temporaryFolder());
    const sql = connect({ ...database.superuser, password: '0'.repeat(64) });
    await expect(sql`select 1`).rejects.toMatchObject({ code: '28P01' });
    await sql.end();
  });

  test('leaves no password file behind, and its state readable by its owner only', async () => {
    const root = temporaryFolder();
    const database = await start(root);
    expect(mode(join(root, 'embedded.json'))).toBe('600');
    expect(mode(database.dataDir)).toBe('700');
    expect(mode(join(root, 'postgres', 'postgres.log'))).toBe('600');
    expect(readdirSync(join(root, 'postgres')).filter((name) => name.startsWith('init-'))).toEqual([]);
  });

  test('has a process group of its own and nothing of our environment', async () => {
    process.env['PGOPTIONS'] = '-c fsync=off';
    onTestFinished(() => {
      delete process.env['PGOPTIONS'];
    });
    const database = await start(temporaryFolder());
    expect(groupOf(database.pid)).toBe(database.pid);
    expect(environmentOf(database.pid)).not.toMatch(/PGOPTIONS|HOME=/);
  });

  test('clears away what a killed first start left', async () => {
    const root = temporaryFolder();
    const left = join(root, 'postgres', 'init-0badcafe');
    mkdirSync(left, { recursive: true });
    writeFileSync(`${left}.password`, 'secret');
    if (process.getuid?.() === 0) chmodSync(join(root, 'postgres'), 0o711);
    await start(root);
    expect(readdirSync(join(root, 'postgres')).filter((name) => name.startsWith('init-'))).toEqual([]);
  });

  test('keeps statements and values out of the log', async () => {
    const root = temporaryFolder();
    const database = await start(root);
    const sql = connect(database.superuser);
    await sql`create table t (secret text primary key)`;
    await sql`insert into t values ('top-secret-value')`;
    await expect(sql`insert into t values ('top-secret-value')`).rejects.toMatchObject({ code: '23505' });
    await sql.end();
    expect(readFileSync(join(root, 'postgres', 'postgres.log'), 'utf8')).not.toContain('top-secret-value');
  });
});

describe('a later start', () => {
  test('finds the data of the earlier one', async () => {
    const root = temporaryFolder();
    const first = await start(root);
    const sql = connect(first.superuser);
    await sql`create table kept (x int)`;
    await sql.end();
    await first.stop();
    expect(birthOf(first.pid)).toBeNull();
    const second = await start(root);
    const again = connect(second.superuser);
    expect(await again`select count(*)::int as n from kept`).toEqual([{ n: 0 }]);
    await again.end();
    expect(second.lines).toEqual([]);
    expect(second.adopted).toBe(false);
  });

  test('adopts the server a killed process left running, and then owns it', async () => {
    const root = temporaryFolder();
    const first = await start(root);
    forget(root);
    const second = await start(root);
    expect(second).toMatchObject({ adopted: true, pid: first.pid });
    await second.stop();
    expect(birthOf(first.pid)).toBeNull();
  });

  test('is not confused by a pid file whose number now belongs to another program', async () => {
    const root = temporaryFolder();
    const first = await start(root);
    const pidFile = join(first.dataDir, 'postmaster.pid');
    const content = readFileSync(pidFile, 'utf8');
    await first.stop();
    writeFileSync(pidFile, content.replace(String(first.pid), String(process.pid)));
    const second = await start(root);
    expect(second.adopted).toBe(false);
  });

  test('recovers from a kill -9 of PostgreSQL itself', async () => {
    const root = temporaryFolder();
    const first = await start(root);
    process.kill(first.pid, 'SIGKILL');
    forget(root);
    const second = await start(root);
    const sql = connect(second.superuser);
    expect(await sql`select 1 as one`).toEqual([{ one: 1 }]);
    await sql.end();
  });
});

describe('two at once', () => {
  test('a second server is refused and told which process holds the database', async () => {
    const root = temporaryFolder();
    await start(root);
    await expect(start(root)).rejects.toMatchObject({
      code: 'already_running',
      message: expect.stringContaining(String(process.pid)) as string,
    });
  });

  test('a command uses the running server and leaves it alone', async () => {
    const root = temporaryFolder();
    const server = await start(root);
    const command = await start(root, 'command');
    expect(command).toMatchObject({ adopted: true, pid: server.pid });
    await command.stop();
    expect(birthOf(server.pid)).not.toBeNull();
  });

  test('a command leaves an abandoned server running, too', async () => {
    const root = temporaryFolder();
    const server = await start(root);
    forget(root);
    await (await start(root, 'command')).stop();
    expect(birthOf(server.pid)).not.toBeNull();
    expect(existsSync(join(root, 'embedded.lock'))).toBe(false);
  });

  test('commands take turns, and only one of them creates the database', async () => {
    const root = temporaryFolder();
    const run = async (): Promise<string[]> => {
      const database = await start(root, 'command');
      const sql = connect(database.superuser);
      await sql`select 1`;
      await sql.end();
      await database.stop();
      return database.lines;
    };
    const lines = (await Promise.all([run(), run(), run()])).flat();
    expect(lines.filter((line) => line.startsWith('Creating'))).toHaveLength(1);
  });
});

describe('a folder that cannot be used', () => {
  async function stopped(): Promise<{ root: string; data: string }> {
    const root = temporaryFolder();
    const database = await start(root);
    await database.stop();
    return { root, data: database.dataDir };
  }

  test('incomplete data is named, with what to do', async () => {
    const { root, data } = await stopped();
    rmSync(join(data, 'global', 'pg_control'));
    await expect(start(root)).rejects.toMatchObject({
      code: 'data_broken',
      message: expect.stringMatching(/without global\/pg_control.*Restore it from a backup/) as string,
    });
  });

  test('data of another version is refused', async () => {
    const { root, data } = await stopped();
    writeFileSync(join(data, 'PG_VERSION'), '17\n');
    await expect(start(root)).rejects.toMatchObject({
      code: 'wrong_version',
      message: expect.stringContaining('version 17') as string,
    });
  });

  test('a lost write-ahead log is reported with the reason PostgreSQL gives', async () => {
    const { root, data } = await stopped();
    for (const name of readdirSync(join(data, 'pg_wal'))) {
      if (/^[0-9A-F]{24}$/.test(name)) rmSync(join(data, 'pg_wal', name));
    }
    await expect(start(root)).rejects.toMatchObject({
      code: 'start_failed',
      message: expect.stringContaining('checkpoint record') as string,
    });
  });

  test('a state file of another shape is refused without showing its content', async () => {
    const { root } = await stopped();
    writeFileSync(join(root, 'embedded.json'), '{"format":1,"superuserPassword":"hunter2"}');
    const failure = await start(root).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'state_broken' });
    expect(String(failure)).not.toContain('hunter2');
  });
});
