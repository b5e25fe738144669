import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { deployment, run, start, type Deployment, type Running } from '../support/program.ts';

const json = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

async function up({ config }: Deployment): Promise<Running> {
  const running = start(['up', '--json', '--config', config]);
  await running.line((line) => line.startsWith('{"ready":'));
  return running;
}

async function down({ child, finished }: Running): Promise<void> {
  child.kill('SIGTERM');
  await finished;
}

async function call({ folder, port }: Deployment): Promise<{ status: number; code: unknown }> {
  const key = readFileSync(join(folder, '.countersign', 'first-key'), 'utf8').trim();
  const response = await fetch(`http://127.0.0.1:${String(port)}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'hello' }] }),
  });
  const body = (await response.json()) as { error?: { code?: unknown } };
  return { status: response.status, code: body.error?.code };
}

/** The last checkpoint, once it covers the epochs of all calls so far. */
async function checkpointBeyond({ config }: Deployment, size: number): Promise<number> {
  let found = 0;
  await expect
    .poll(
      async () => {
        const { checkpoint } = json((await run(['ledger', 'status', '--json', '--config', config])).stdout);
        return (found = (checkpoint as { size: number } | null)?.size ?? 0);
      },
      { timeout: 60_000, interval: 500 },
    )
    .toBeGreaterThan(size);
  return found;
}

test('a data folder restored to an older copy: 503 and FORKED until the loss is declared, then a new incarnation', async () => {
  const place = await deployment('ledger: { epoch_busy_ms: 300 }');
  const config = ['--config', place.config];
  const data = join(place.folder, '.countersign', 'postgres');
  const copy = join(place.folder, 'copy');
  const first = await up(place);
  expect(await call(place)).toEqual({ status: 200, code: undefined });
  const early = await checkpointBeyond(place, 0);
  await down(first);
  // With the owner of its files, as a restore would.
  execFileSync('cp', ['-a', data, copy]);
  const second = await up(place);
  expect((await call(place)).status).toBe(200);
  const late = await checkpointBeyond(place, early);
  await down(second);
  rmSync(data, { recursive: true });
  execFileSync('cp', ['-a', copy, data]);

  const third = await up(place);
  expect(json(await third.line((line) => line.startsWith('{"ready":')))).toMatchObject({
    ready: false,
    // By the checkpoint, or by what was acknowledged since when that covers no more than the copy.
    fork: expect.stringMatching(/first|was acknowledged/) as string,
  });
  expect(await call(place)).toEqual({ status: 503, code: 'ledger_unavailable' });
  expect((await fetch(`http://127.0.0.1:${String(place.port)}/readyz`)).status).toBe(503);
  expect(json((await run(['ledger', 'status', '--json', ...config])).stdout)).toMatchObject({
    fork: { guard: 'head store' },
  });
  expect(await run(['ledger', 'recover', ...config])).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('FORKED') as string,
  });
  const made = await run(['keys', 'create', '--tenant', 'demo', ...config]);
  expect(made.status).not.toBe(0);

  const declared = await run(['ledger', 'recover', '--declare-loss', '--reason', 'disk lost', '--json', ...config]);
  expect(json(declared.stdout)).toMatchObject({
    inc: 1,
    lost: { to: expect.any(Number) as number, checkpoint: { size: expect.any(Number) as number } },
  });
  expect((json(declared.stdout)['lost'] as { to: number }).to).toBeGreaterThanOrEqual(late);
  // A process that waited ends, so that whoever supervises it starts it again.
  expect(await third.finished).toMatchObject({ status: 1, stderr: expect.stringContaining('declared') as string });

  const fourth = await up(place);
  expect((await call(place)).status).toBe(200);
  await checkpointBeyond(place, 0);
  const report = json((await run(['ledger', 'verify', '--json', ...config])).stdout);
  expect(report).toMatchObject({ consistent: true, firstBad: null });
  expect((report['logs'] as { tenant: string }[]).map(({ tenant }) => tenant)).toEqual([
    '_deployment',
    '_deployment',
    'demo',
    'demo',
  ]);
  expect((await run(['ledger', 'recover', ...config])).status).toBe(0);
  await down(fourth);
}, 300_000);
