/** A hard budget under a race: 200 calls at once, with a real SDK and its retries on, on a budget for ten. */
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readBudgets } from '../../ledger/index.ts';
import type { Facts, Stand } from './stand.ts';
import { startStand } from './stand.ts';

const CALLS = 200;
const FIT = 10;
const OUTPUT_TOKENS = 50;
/** Output costs 1000 nano-USD a token and input nothing, so that what is held is what is used, and 8 for rounding. */
const COST_NUSD = BigInt(OUTPUT_TOKENS) * 1000n;
const WORST_NUSD = COST_NUSD + 8n;
const BUDGET_NUSD = WORST_NUSD * BigInt(FIT);
const PRICE =
  'prices: { overrides: [{ provider: mock, model: model, from: "2026-01-01", input_usd_per_mtok: "0", output_usd_per_mtok: "1" }] }';

function usd(nusd: bigint): string {
  return `${String(nusd / 1_000_000_000n)}.${String(nusd % 1_000_000_000n).padStart(9, '0')}`;
}

/** The same limit at each of the three levels, one tenant for each. */
const SCOPES = ['org', 'tenant', 'key'] as const;

describe.each(SCOPES)('budget of the %s for ten calls, two hundred at once', (level) => {
  let stand: Stand;
  beforeAll(async () => {
    const budget = `budget: { monthly_usd: "${usd(BUDGET_NUSD)}" }`;
    stand = await startStand({
      prices: PRICE,
      tenant: `  - { id: demo, policies: [baseline]${level === 'tenant' ? `, ${budget}` : ''} }`,
      yaml: level === 'org' ? `organisation: { ${budget} }` : '',
      timeouts: 'connect_ms: 60000',
      // What is asked here is the budget, not how fast this machine is.
      appendMs: 60_000,
    });
    stand.mock.set({ delayMs: 20, usage: { prompt_tokens: 12, completion_tokens: OUTPUT_TOKENS } });
  });
  afterAll(() => stand.stop());

  test('at most ten and at least nine are sent; the refused are recorded; the counters are the sum of the outcomes', async () => {
    const limits = { dailyNusd: null, weeklyNusd: null, monthlyNusd: BUDGET_NUSD };
    const { id, token } = await stand.gateway.createKey(level === 'key' ? { budget: limits } : {});
    const scope = { org: 'org', tenant: 'tenant:demo', key: `key:${id}` }[level];
    const client = new OpenAI({ baseURL: `${stand.gateway.dataUrl}/v1`, apiKey: token, maxRetries: 2 });

    const results = await Promise.all(Array.from({ length: CALLS }, (_, n) => ask(client, n)));
    const accepted = results.filter((result) => result === null);
    const refused = results.filter((result) => result !== null);
    const { requests } = stand.mock.counters;
    expect(requests).toBeLessThanOrEqual(FIT);
    expect(requests).toBeGreaterThanOrEqual(FIT - 1);
    expect(accepted).toHaveLength(requests);
    for (const error of refused) {
      expect([error.status, error.code, error.headers?.get('x-should-retry')]).toEqual([
        429,
        'budget_exceeded',
        'false',
      ]);
    }

    // One entry per call and no more: the SDK did not try again what cannot succeed.
    const decisions = await stand.facts('decision');
    expect(decisions).toHaveLength(CALLS);
    expect(decisions.filter(({ effect }) => effect === 'deny')).toHaveLength(refused.length);
    expect(decisions.every(({ effect, code }) => effect === 'allow' || code === 'budget_exceeded')).toBe(true);

    const outcomes = await stand.facts('outcome');
    expect(outcomes).toHaveLength(requests);
    const [state] = await readBudgets(stand.sql, [scope]);
    expect(state?.month.spent).toBe(sum(outcomes));
    expect(state?.month.spent).toBe(COST_NUSD * BigInt(requests));
    expect(state?.reserved).toBe(0n);
  });
});

/** Null when the call was answered. Half of them stream. */
async function ask(client: OpenAI, n: number): Promise<InstanceType<typeof OpenAI.APIError> | null> {
  const body = { model: 'model', max_tokens: OUTPUT_TOKENS, messages: [{ role: 'user' as const, content: 'Hello' }] };
  try {
    if (n % 2 === 0) await client.chat.completions.create(body);
    else for await (const _ of await client.chat.completions.create({ ...body, stream: true }));
    return null;
  } catch (error) {
    if (error instanceof OpenAI.APIError) return error;
    throw error;
  }
}

function sum(outcomes: readonly Facts[]): bigint {
  return outcomes.reduce((total, { cost_nusd: cost }) => total + BigInt(String(cost)), 0n);
}
