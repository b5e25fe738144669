import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { birthOf } from '../../cli/embedded/lock.ts';
import { findPostmaster } from '../../cli/embedded/postmaster.ts';
import { deployment, run, start, type Deployment, type Running } from '../support/program.ts';
import { createDatabase } from '../support/postgres.ts';

async function up({ config }: Deployment, env: Record<string, string> = {}): Promise<Running> {
  const running = start(['up', '--json', '--config', config], { env });
  await running.line((line) => line.startsWith('{"ready":true'));
  return running;
}

async function call({ folder, port }: Deployment): Promise<Response> {
  const key = readFileSync(join(folder, '.countersign', 'first-key'), 'utf8').trim();
  return fetch(`http://127.0.0.1:${String(port)}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'hello' }] }),
  });
}

function postgresOf({ folder }: Deployment): number {
  return findPostmaster(join(folder, '.countersign', 'postgres', 'data'))?.pid ?? -1;
}

const json = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

describe('up', () => {
  test('serves from a fresh folder, and every fixed form works beside it and after it', async () => {
    const place = await deployment();
    const config = ['--config', place.config];
    const server = await up(place);
    const keyFile = join(place.folder, '.countersign', 'first-key');
    expect((statSync(keyFile).mode & 0o777).toString(8)).toBe('600');
    expect(server.output()).not.toContain(readFileSync(keyFile, 'utf8').trim());
    const answer = await call(place);
    expect([answer.status, typeof answer.headers.get('x-countersign-receipt')]).toEqual([200, 'string']);

    const created = json((await run(['keys', 'create', '--tenant', 'demo', '--json', ...config])).stdout);
    expect(created['key']).toMatch(new RegExp(`^cs_${String(created['id'])}_[A-Za-z0-9]{43}$`));
    const grant = (tenant: string, role: string): ReturnType<typeof run> =>
      run(['keys', 'create', '--tenant', tenant, '--roles', role, ...config]);
    const first = 'keys create --tenant _deployment --roles approver';
    expect(await grant('demo', 'auditor')).toMatchObject({
      status: 1,
      stdout: expect.stringContaining(first) as string,
    });
    expect(await grant('_deployment', 'approver')).toMatchObject({ status: 0 });
    expect((await grant('demo', 'auditor')).stdout).toMatch(
      /^A second person has to approve this until \S+: countersign approvals approve ap-\w+\nThen run the same command again\.\n$/,
    );
    const live = await run(['ledger', 'verify', '--json', ...config]);
    expect([live.status, json(live.stdout)]).toMatchObject([
      3,
      { verdict: 'UNANCHORED', consistent: true, anchored: false, firstBad: null },
    ]);
    const out = join(place.folder, 'evidence');
    expect(await run(['ledger', 'export', '--tenant', 'demo', '--out', out, ...config])).toMatchObject({ status: 0 });
    expect(server.child.exitCode).toBeNull();

    const postgres = postgresOf(place);
    server.child.kill('SIGTERM');
    expect(await server.finished).toMatchObject({ status: 0, stderr: expect.stringContaining('Stopped.') as string });
    expect(birthOf(postgres)).toBeNull();
    const folder = await run(['ledger', 'verify', out, '--json'], { cwd: place.folder });
    expect([folder.status, json(folder.stdout)]).toMatchObject([3, { verdict: 'UNANCHORED', consistent: true }]);
    const month = new Date().toISOString().slice(0, 7);
    const costs = await run(['costs', 'report', '--tenant', 'demo', '--month', month, '--format', 'csv', ...config]);
    expect([costs.status, costs.stdout.split('\n')[0]]).toMatchObject([
      0,
      expect.stringMatching(/^tenant,month,provider,/) as string,
    ]);
    expect(postgresOf(place)).toBe(-1);
  });

  test('starts again without installing, with its data and the same first key', async () => {
    const place = await deployment();
    const first = await up(place);
    const key = readFileSync(join(place.folder, '.countersign', 'first-key'), 'utf8');
    first.child.kill('SIGINT');
    await first.finished;
    const second = await up(place);
    expect(second.output()).not.toMatch(/Installing|Compiling|Creating|Made the root key|applied/);
    expect(readFileSync(join(place.folder, '.countersign', 'first-key'), 'utf8')).toBe(key);
    expect((await call(place)).status).toBe(200);
  });

  test('ends when npm is told to end, which started it', async () => {
    const place = await deployment();
    const npm = start(['--json', '--config', place.config], { command: ['npm', 'start', '--silent', '--'] });
    const { pid } = json(await npm.line((line) => line.startsWith('{"ready":true')));
    onTestFinished(() => void (birthOf(Number(pid)) === null || process.kill(Number(pid), 'SIGKILL')));
    npm.child.kill('SIGTERM');
    await expect.poll(() => npm.output(), { timeout: 20_000 }).toContain('Stopped.');
    expect(postgresOf(place)).toBe(-1);
  });

  test('adopts the PostgreSQL that a kill -9 left running', async () => {
    const place = await deployment();
    const first = await up(place);
    const postgres = postgresOf(place);
    first.child.kill('SIGKILL');
    await first.finished;
    expect(birthOf(postgres)).not.toBeNull();
    const second = await up(place);
    expect(second.output()).toContain(`Adopted the PostgreSQL (process ${String(postgres)})`);
    expect((await call(place)).status).toBe(200);
    second.child.kill('SIGTERM');
    await second.finished;
    expect(birthOf(postgres)).toBeNull();
  });

  test('starts PostgreSQL again when it was killed, and serves again', async () => {
    const place = await deployment();
    const server = await up(place);
    process.kill(postgresOf(place), 'SIGKILL');
    await expect.poll(() => server.output(), { timeout: 30_000 }).toContain('PostgreSQL is running again');
    await expect.poll(async () => (await call(place)).status, { timeout: 30_000 }).toBe(200);
  });
});

describe('up refuses', () => {
  test('a port in use, before anything is made', async () => {
    const place = await deployment();
    const other = createServer().listen(place.adminPort, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const result = await run(['up', '--config', place.config]);
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(
      new RegExp(`port ${String(place.adminPort)}, but another program is using it.*listen\\.admin_port`),
    );
    expect(existsSync(join(place.folder, '.countersign'))).toBe(false);
  });

  test('a second server on the same data', async () => {
    const place = await deployment();
    const server = await up(place);
    const { folder } = place;
    const result = await run(['up', '--config', join(folder, 'countersign.yaml'), '--json']);
    expect(result.status).toBe(1);
    expect(server.child.exitCode).toBeNull();
  });

  test('a configuration that is wrong', async () => {
    const { config } = await deployment('nonsense: true\n');
    const result = await run(['up', '--config', config]);
    expect([result.status, result.stderr]).toEqual([2, expect.stringContaining('nonsense')]);
  });

  test('to serve as superuser, and serves as a plain member of cs_gateway', async () => {
    const database = await createDatabase();
    onTestFinished(() => database.drop());
    const place = await deployment('database: { url: "${DATABASE_URL}" }\nkeys: { provider: file }\n');
    const refused = await run(['up', '--config', place.config], { env: { DATABASE_URL: database.url('admin') } });
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('plain member of cs_gateway')]);
    const server = await up(place, { DATABASE_URL: database.url('gateway') });
    expect((await fetch(`http://127.0.0.1:${String(place.port)}/healthz`)).status).toBe(200);
    expect(existsSync(join(place.folder, '.countersign', 'postgres'))).toBe(false);
    server.child.kill('SIGTERM');
    expect((await server.finished).status).toBe(0);
  });
});

describe('exit codes', () => {
  test('follow the question: 0, 1, 2 and 3', async () => {
    const { config } = await deployment();
    const codes = await Promise.all([
      run(['config', 'check', '--config', config]),
      run(['costs', 'report', '--tenant', 'nobody', '--config', config]),
      run(['nonsense']),
      run(['ledger', 'verify', '/nonexistent']),
    ]);
    expect(codes.map(({ status }) => status)).toEqual([0, 1, 2, 3]);
  });
});
