/** DESIGN §6: price unknown. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stand } from './stand.ts';
import { startStand } from './stand.ts';

let stand: Stand;
let budgeted = '';
beforeAll(async () => {
  stand = await startStand({ prices: '' });
  const limits = { dailyNusd: null, weeklyNusd: null, monthlyNusd: 1_000_000_000n };
  budgeted = (await stand.gateway.createKey({ budget: limits })).token;
});
afterAll(() => stand.stop());

test.each([false, true])('price unknown: served, cost null, unpriced; stream: %s', async (stream) => {
  stand.mock.reset();
  const answer = await stand.chat({ stream });
  expect([answer.status, stand.mock.counters.requests]).toEqual([200, 1]);
  const { outcome } = await stand.record(answer.call);
  expect(outcome?.sections['facts']).toMatchObject({
    status: 'ok',
    cost_nusd: null,
    price_id: null,
    unpriced: true,
    usage: { input_tokens: 12, output_tokens: 7, estimated: false },
    ledger: { booked_nusd: '0' },
  });
});

test.each([false, true])('price unknown under a hard budget: denied, nothing sent; stream: %s', async (stream) => {
  stand.mock.reset();
  const headers = { authorization: `Bearer ${budgeted}`, 'content-type': 'application/json' };
  const answer = await stand.chat({ stream }, { headers });
  expect([answer.status, answer.code, stand.mock.counters.requests]).toEqual([403, 'policy_denied', 0]);
  expect(answer.text).toContain('price');
  const { decision, outcome } = await stand.record(answer.call);
  expect(decision?.sections['facts']).toMatchObject({ effect: 'deny', code: 'policy_denied', reserved_nusd: null });
  expect(outcome).toBeNull();
});
