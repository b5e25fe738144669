import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase } from '../../cli/database.ts';
import { openProject } from '../../cli/project.ts';
import { deployment, run, start, type Deployment } from '../support/program.ts';

type Json = Record<string, unknown>;
const json = (text: string): Json => JSON.parse(text) as Json;

interface Result {
  readonly status: number | null;
  readonly out: Json;
}

/** Runs the program with a value on standard input. */
function pipe(value: string, argv: readonly string[]): Promise<Result> {
  const child = spawn(process.execPath, [join(process.cwd(), 'cli', 'bootstrap.js'), ...argv]);
  child.stdin.end(value);
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, out: json(stdout) })));
}

async function call({ folder, port }: Deployment, content: string): Promise<string> {
  const key = readFileSync(join(folder, '.countersign', 'first-key'), 'utf8').trim();
  const { headers } = await fetch(`http://127.0.0.1:${String(port)}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content }] }),
  });
  return headers.get('x-countersign-call') ?? '';
}

test('find, erase with a second person, holds, and a restore that is undone before the gateway serves', async () => {
  const place = await deployment();
  const config = ['--tenant', 'demo', '--json', '--config', place.config];
  const server = start(['up', '--json', '--config', place.config]);
  await server.line((line) => line.startsWith('{"ready":true'));
  const id = await call(place, 'write to eve@example.org');

  const found = await pipe('Eve@example.org\n', ['erase', 'EMAIL_ADDRESS', '--find', ...config]);
  expect(found.status).toBe(0);
  const kinds = (found.out['entries'] as Json[]).filter(({ call: each }) => each === id).map(({ kind }) => kind);
  expect(kinds[0]).toBe('decision');
  const keys = (found.out['keys'] as Json[]).map(({ key }) => String(key)).toSorted();
  expect(keys).toHaveLength(2);

  const hold = await run(['hold', 'add', '--reason', 'case 1', ...config]);
  const erase = (): Promise<Result> =>
    pipe('eve@example.org', ['erase', 'EMAIL_ADDRESS', '--basis', 'gdpr-17-1-b', '--reason', 'request 1', ...config]);
  expect(await erase()).toMatchObject({ status: 1, out: { error: { code: 'held' } } });
  const release = await run(['hold', 'release', String(json(hold.stdout)['id']), '--reason', 'closed', ...config]);
  expect([release.status, json(release.stdout)]).toMatchObject([
    1,
    { pending: expect.stringMatching(/^ap-/) as string },
  ]);

  // The first approver of a deployment comes from its own host.
  const made = await run([
    'keys',
    'create',
    '--tenant',
    '_deployment',
    '--roles',
    'approver',
    '--json',
    '--config',
    place.config,
  ]);
  const token = String(json(made.stdout)['key']);
  const approve = async (approval: unknown): Promise<number> => {
    const url = `http://127.0.0.1:${String(place.adminPort)}/api/approvals/${String(approval)}/approve`;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    for (let tries = 0; tries < 50; tries += 1) {
      const { status } = await fetch(url, { method: 'POST', headers, body: '{}' });
      if (status !== 401) return status;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return 401;
  };
  expect(await approve(json(release.stdout)['pending'])).toBe(200);
  const released = await run(['hold', 'release', String(json(hold.stdout)['id']), '--reason', 'closed', ...config]);
  expect(released.status).toBe(0);
  expect(json((await run(['hold', 'list', ...config])).stdout)).toEqual([]);

  const pending = await erase();
  expect(pending.status).toBe(1);
  expect(await approve(pending.out['pending'])).toBe(200);

  const root = process.cwd();
  const project = openProject({ root, cwd: root, env: {}, configOption: place.config });
  const out = { result: () => undefined, text: () => undefined, note: () => undefined, terminal: false };
  const database = await openDatabase({ project, out }, project.config());
  const copy = await database.sql`select * from keystore.subject_keys`;
  expect(await erase()).toMatchObject({ status: 0, out: { erased: { keys } } });
  expect((await pipe('eve@example.org', ['erase', 'EMAIL_ADDRESS', '--find', ...config])).out).toMatchObject({
    matches: 0,
  });
  const stored = await database.sql<{ id: string }[]>`select id::text as id from keystore.subject_keys`;
  expect(stored.filter((row) => keys.includes(row.id))).toEqual([]);

  // Restored from a copy while the gateway is down.
  server.child.kill('SIGTERM');
  expect(await server.finished).toMatchObject({ status: 0 });
  const offline = await openDatabase({ project, out }, project.config());
  await offline.sql`insert into keystore.subject_keys ${offline.sql(copy)} on conflict do nothing`;
  await offline.close();
  await database.close().catch(() => undefined);
  const again = start(['up', '--json', '--config', place.config]);
  await again.line((line) => line.startsWith('{"ready":true'));
  const verified = await run(['ledger', 'verify', '--json', '--config', place.config]);
  expect(json(verified.stdout)).toMatchObject({ verdict: 'UNANCHORED', consistent: true, firstBad: null });
  expect(Number(json(verified.stdout)['erased'])).toBeGreaterThan(0);
});

test('a value is never taken from the command line, and a wrong use says what is expected', async () => {
  const place = await deployment();
  const config = ['--tenant', 'demo', '--json', '--config', place.config];
  const wrong: [readonly string[], string][] = [
    [['erase', 'EMAIL_ADDRESS', 'eve@example.org', '--find'], ''],
    [['erase', '--find'], ''],
    [['erase', 'EMAIL_ADDRESS', '--find', '--subject', 'x'], 'eve@example.org'],
    [['erase', 'EMAIL_ADDRESS', '--find'], ''],
    [['erase', '--subject', 'x', '--reason', 'y'], ''],
    [['erase', '--subject', 'x', '--reason', 'y', '--basis', 'because'], ''],
  ];
  for (const [argv, value] of wrong)
    expect([argv, await pipe(value, [...argv, ...config])]).toMatchObject([
      argv,
      { status: 2, out: { error: { code: 'usage' } } },
    ]);
});

test('pruning needs a retention, and finds nothing where nothing is old enough', async () => {
  const place = await deployment();
  const argv = ['ledger', 'prune', '--tenant', 'demo', '--json', '--config', place.config];
  expect(json((await run(argv)).stdout)).toMatchObject({
    error: { code: 'check_failed', message: expect.stringContaining('content_days') as string },
  });
  const text = readFileSync(place.config, 'utf8');
  writeFileSync(place.config, text.replace('{ id: demo,', '{ id: demo, retention: { content_days: 30 },'));
  const pruned = await run(argv);
  expect([pruned.status, json(pruned.stdout)]).toEqual([0, { found: [], removed: 0 }]);
});
