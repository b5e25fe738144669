/** Attack 13: a gateway that was taken over calls a model without an entry. Only what the provider knows can show it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reconcileReport, verifyLive } from '../../ledger/index.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { startMockUpstream, type MockUpstream } from '../support/mock-upstream.ts';
import { configuration } from '../failures/stand.ts';

let mock: MockUpstream;
let gateway: TestGateway;
let folder: string;
beforeAll(async () => {
  mock = await startMockUpstream();
  gateway = await startTestGateway(configuration(mock));
  folder = mkdtempSync(join(tmpdir(), 'bypass-'));
});
afterAll(async () => {
  await gateway.stop();
  await mock.close();
  rmSync(folder, { recursive: true });
});

const body = (more: object = {}): string =>
  JSON.stringify({ model: 'model', messages: [{ role: 'user', content: 'Hello' }], ...more });

/** A call as it should be; the provider gives it that id. */
async function ask(id: string, more: object = {}): Promise<void> {
  mock.next({ headers: { 'x-request-id': id } });
  const answer = await fetch(`${gateway.dataUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
    body: body(more),
  });
  await answer.text();
  expect(answer.status).toBe(200);
}

test('a call without an entry is on the bill and nowhere else, and the reconciliation names it', async () => {
  await ask('req-1');
  await ask('req-2', { stream: true });
  // With all the gateway has: the provider's address, its key, the same headers.
  const used = mock.requests.at(-1)?.headers.authorization ?? '';
  mock.next({ headers: { 'x-request-id': 'req-3' } });
  const direct = await fetch(`${mock.url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: used },
    body: body(),
  });
  expect([direct.status, direct.headers.get('x-request-id')]).toEqual([200, 'req-3']);
  await ask('req-4');

  const sql = gateway.database.connectAdmin(2);
  const report = await verifyLive(sql, gateway.keys);
  expect(report).toMatchObject({ consistent: true, firstBad: null, openCalls: 0 });
  expect(report.notProven.join()).toContain('no call went around the gateway');

  const usage = join(folder, 'usage.csv');
  writeFileSync(usage, 'request_id\nreq-1\nreq-2\nreq-3\nreq-4\n');
  const hour = { fromMs: Date.now() - 3_600_000, toMs: Date.now() + 3_600_000 };
  const bill = await reconcileReport(sql, gateway.keys, { provider: 'mock', usage, tenants: ['demo'], ...hour });
  await sql.end();
  expect(bill.rows.map(([what, id]) => [what, id])).toEqual([['billed, never seen', 'req-3']]);
  expect(bill.title).toContain('3 calls');
});
