/** DESIGN §6: caller goes away. */
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Facts, Stand } from './stand.ts';
import { eventually, startStand } from './stand.ts';

/** So few calls at once that one that is never given back is noticed. */
const PLACES = 6;

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ yaml: `limits: { concurrent_requests: ${String(PLACES)} }`, attempts: 2 });
});
afterEach(async () => {
  await stand.proxy.open();
  await stand.ready();
  await expectEveryPlaceFree();
});
afterAll(() => stand.stop());

/** As many calls as there are places run at once, and not one more; no call is open afterwards. */
async function expectEveryPlaceFree(): Promise<void> {
  stand.mock.set({ delayMs: 300 });
  await eventually(async () => {
    const answers = await Promise.all(Array.from({ length: PLACES + 1 }, () => stand.chat()));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      ...Array.from({ length: PLACES }, () => 200),
      429,
    ]);
  });
  const [open] = await stand.sql<{ count: number }[]>`select count(*)::int as count from ledger.open_calls`;
  expect(open?.count).toBe(0);
  stand.mock.reset();
}

async function lastOutcome(): Promise<Facts> {
  return eventually(async () => {
    const [row] = await stand.sql<{ facts: string }[]>`
      select facts from ledger.entries where kind = 'outcome' order by dbt desc, seq desc limit 1`;
    const facts = JSON.parse(row?.facts ?? '{}') as Facts;
    expect(facts['status']).toBe('aborted');
    return facts;
  });
}

async function outcomes(): Promise<number> {
  return (await stand.facts('outcome')).length;
}

describe('caller goes away: upstream aborted at once, outcome aborted, estimated', () => {
  test('in the middle of a stream: settled at what was received', async () => {
    stand.mock.set({ content: 'word '.repeat(200), chunks: 200, chunkDelayMs: 20 });
    const caller = new AbortController();
    const response = await stand.open({ stream: true }, { signal: caller.signal });
    const reader = response.body?.getReader();
    for (let seen = ''; !seen.includes('word');) seen += new TextDecoder().decode((await reader?.read())?.value);
    caller.abort();
    await eventually(() => {
      expect(stand.mock.counters).toMatchObject({ requests: 1, aborted: 1 });
    });
    const facts = await lastOutcome();
    expect(facts).toMatchObject({ code: 'client_closed', usage: { estimated: true }, unpriced: false });
    const { output_tokens: output } = facts['usage'] as { output_tokens: number };
    expect(output).toBeGreaterThan(0);
    expect(output).toBeLessThan(250);
  });

  test.each([
    ['before the first byte of a stream', { hang: true }, { stream: true }],
    ['before an answer in one piece', { hang: true }, {}],
    ['in the middle of an answer in one piece', { content: 'word '.repeat(200), stallAfterChunks: 1 }, {}],
  ])('%s: settled at what was sent', async (_, behaviour, body) => {
    stand.mock.set(behaviour);
    const caller = new AbortController();
    const call = stand.open(body, { signal: caller.signal }).catch(() => null);
    await eventually(() => {
      expect(stand.mock.counters.requests).toBe(1);
    });
    // The request has arrived; give the answer's first half time to do so too.
    await sleep(30);
    caller.abort();
    await call;
    await eventually(() => {
      expect(stand.mock.counters).toMatchObject({ requests: 1, aborted: 1 });
    });
    const facts = await lastOutcome();
    expect(facts).toMatchObject({ code: 'client_closed', released_bytes: 0, usage: { estimated: true } });
    expect((facts['usage'] as { input_tokens: number }).input_tokens).toBeGreaterThan(0);
  });

  test('a caller that stops reading holds the upstream back, and lets go of it when it leaves', async () => {
    stand.mock.set({ content: 'x'.repeat(40_000_000), chunks: 400 });
    const caller = new AbortController();
    const response = await stand.open({ stream: true }, { signal: caller.signal });
    expect(response.status).toBe(200);
    await sleep(300);
    expect(stand.mock.counters.answered).toBe(0);
    caller.abort();
    await eventually(() => {
      expect(stand.mock.counters.aborted).toBe(1);
    });
    await lastOutcome();
  });
});

describe('caller goes away before anything was sent', () => {
  test('while the decision is being written: nothing is sent, the call is closed', async () => {
    const before = await outcomes();
    stand.proxy.stall();
    const caller = new AbortController();
    const call = stand.open({}, { signal: caller.signal }).catch(() => null);
    await sleep(50);
    caller.abort();
    await call;
    await stand.proxy.open();
    await eventually(async () => {
      expect(await outcomes()).toBe(before + 1);
    });
    expect(await lastOutcome()).toMatchObject({ cost_nusd: '0', attempts: [] });
    expect(stand.mock.counters.requests).toBe(0);
  });

  test('in the middle of its body: nothing is written', async () => {
    const before = (await stand.facts('decision')).length;
    for (let n = 0; n < 2 * PLACES; n += 1) await sendHalf(stand);
    expect(stand.mock.counters.requests).toBe(0);
    expect(await stand.facts('decision')).toHaveLength(before);
  });

  test('while its key is being looked up: its place is given back', async () => {
    stand.proxy.stall();
    // By then what the gateway knows of keys is too old to be believed, so that every caller waits for the database.
    await sleep(4000);
    const callers = Array.from({ length: PLACES }, () => new AbortController());
    const calls = callers.map((caller) => stand.open({}, { signal: caller.signal }).catch(() => null));
    await sleep(100);
    for (const caller of callers) caller.abort();
    await Promise.all(calls);
    await stand.proxy.open();
    expect(stand.mock.counters.requests).toBe(0);
  });
});

/** Announces more bytes than it sends, then cuts the connection. */
async function sendHalf({ gateway }: Stand): Promise<void> {
  await new Promise<void>((resolve) => {
    const out = request(`${gateway.dataUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${gateway.key}`,
        'content-type': 'application/json',
        'content-length': '1000',
      },
    });
    out.on('error', () => undefined).on('close', resolve);
    out.write('{"model":"model",', () => setTimeout(() => out.destroy(), 5));
  });
}

test('storms of callers who leave at any moment leave no call in flight, none open, and no upstream connection behind', async () => {
  let seed = 20_261_121;
  const random = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  stand.mock.set({ content: 'word '.repeat(50), chunks: 20, chunkDelayMs: 2, delayMs: 5 });
  const leave = async (): Promise<void> => {
    const caller = new AbortController();
    const timer = setTimeout(() => caller.abort(), random() * 80);
    try {
      await stand.chat({ stream: random() < 0.7 }, { signal: caller.signal });
    } catch {
      // It left.
    } finally {
      clearTimeout(timer);
    }
  };
  for (let round = 0; round < 40 || stand.mock.counters.requests < 40; round += 1)
    await Promise.all(Array.from({ length: PLACES }, leave));
  const { requests } = stand.mock.counters;
  await eventually(() => {
    const { answered, aborted } = stand.mock.counters;
    expect(answered + aborted).toBe(requests);
    expect(aborted).toBeGreaterThan(0);
  });
});
