import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { createDatabase } from '../support/postgres.ts';
import { deployment, run, start, type Deployment, type Running } from '../support/program.ts';

type Json = Record<string, unknown>;
const json = (text: string): Json => JSON.parse(text) as Json;

async function up({ config }: Deployment): Promise<Running> {
  const running = start(['up', '--json', '--config', config]);
  await running.line((line) => line.startsWith('{"ready":true'));
  return running;
}

/** Id and receipt of a call. */
async function call({ folder, port }: Deployment): Promise<{ id: string; receipt: string }> {
  const key = readFileSync(join(folder, '.countersign', 'first-key'), 'utf8').trim();
  const { headers } = await fetch(`http://127.0.0.1:${String(port)}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'hello' }] }),
  });
  return { id: headers.get('x-countersign-call') ?? '', receipt: headers.get('x-countersign-receipt') ?? '' };
}

describe('epochs and proofs on the command line', () => {
  test('a receipt becomes a proof that is checked with nothing but the key', async () => {
    const place = await deployment();
    const config = ['--config', place.config];
    const server = await up(place);
    const { id, receipt } = await call(place);
    const early = await run(['ledger', 'proof', '--receipt', receipt, '--json', ...config]);
    expect([early.status, json(early.stdout)['error']]).toMatchObject([3, { code: 'not_yet' }]);
    const epoch = await run(['ledger', 'epoch', '--now', '--json', ...config]);
    expect([epoch.status, json(epoch.stdout)]).toMatchObject([
      0,
      { changed: 1, checkpoint: expect.any(Number) as number },
    ]);

    const file = join(place.folder, 'call.tlog-proof');
    const proof = await run(['ledger', 'proof', '--receipt', receipt, '--out', file, '--json', ...config]);
    const { key, hash } = json(proof.stdout);
    expect([proof.status, hash]).toEqual([0, receipt.split('/')[3]]);
    const byCall = await run(['ledger', 'proof', '--tenant', 'demo', '--call', id, '--class', 'outcome', ...config]);
    expect([byCall.status, byCall.stdout.split('\n')[0]]).toEqual([0, 'c2sp.org/tlog-proof@v1']);
    const status = json((await run(['ledger', 'status', '--json', ...config])).stdout);
    expect(status).toMatchObject({ checkpoint: { vkey: key }, witnesses: [] });
    const kept = join(place.folder, '.countersign', 'checkpoints');
    expect(readdirSync(kept).filter((name) => name.endsWith('.checkpoint'))).toHaveLength(1);
    expect(statSync(join(place.folder, '.countersign', 'checkpoint-key')).mode & 0o777).toBe(0o600);

    server.child.kill('SIGTERM');
    expect(await server.finished).toMatchObject({ status: 0 });
    const checked = await run(['ledger', 'proof', file, '--key', String(key), '--json'], { cwd: place.folder });
    expect([checked.status, json(checked.stdout)]).toMatchObject([0, { valid: true, call: id, hash }]);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/\nindex \d+/, '\nindex 0'));
    const broken = await run(['ledger', 'proof', file, '--key', String(key), '--json'], { cwd: place.folder });
    expect([broken.status, json(broken.stdout)]).toMatchObject([1, { valid: false }]);
    for (const args of [[file], ['--receipt', 'abc'], ['--tenant', 'demo']])
      expect((await run(['ledger', 'proof', ...args, ...config])).status).toBe(2);
    const none = await run(['ledger', 'proof', '--tenant', 'demo', '--call', 'cs-0', ...config]);
    expect(none.status).toBe(1);
  });

  test('with a database of its own the notary is another process, and no gateway signs', async () => {
    const database = await createDatabase();
    const url = database.url('gateway');
    const place = await deployment(
      `database: { url: "${url}" }\nkeys: { provider: file }\nledger: { epoch_busy_ms: 200, epoch_idle_ms: 500 }\n`,
    );
    const server = await up(place);
    const sql = database.connectAdmin(1);
    await vi.waitFor(async () => expect(await sql`select 1 from ledger.epochs`).not.toHaveLength(0), {
      timeout: 20_000,
    });
    expect(await sql`select 1 from ledger.checkpoints`).toHaveLength(0);
    expect(readdirSync(join(place.folder, '.countersign'))).not.toContain('checkpoint-key');

    const refused = await run(['ledger', 'notary', '--config', place.config], {
      env: { COUNTERSIGN_NOTARY_DATABASE_URL: url },
    });
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('cs_notary')]);
    expect((await run(['ledger', 'notary', '--config', place.config])).status).toBe(2);
    const own = url.replace(database.gateway.user, 'cs_notary');
    const notary = start(['ledger', 'notary', '--config', place.config], {
      env: { COUNTERSIGN_NOTARY_DATABASE_URL: own },
    });
    await vi.waitFor(async () => expect(await sql`select 1 from ledger.checkpoints`).not.toHaveLength(0), {
      timeout: 20_000,
    });
    notary.child.kill('SIGTERM');
    expect(await notary.finished).toMatchObject({ status: 0 });
    server.child.kill('SIGTERM');
    expect(await server.finished).toMatchObject({ status: 0 });
    await database.drop();
  });
});
