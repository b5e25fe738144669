/** DESIGN §6: detector over its time or size budget. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stand } from './stand.ts';
import { startStand } from './stand.ts';

let stand: Stand;
const tokens = new Map<string, string>();
beforeAll(async () => {
  const accepting = '{ modalities: [too_many] }';
  stand = await startStand({
    tenant: `  - { id: demo, policies: [baseline] }\n  - { id: open, policies: [baseline], parameters: ${accepting} }`,
  });
  for (const tenant of ['demo', 'open']) tokens.set(tenant, (await stand.gateway.createKey({ tenant })).token);
});
afterAll(() => stand.stop());

/** More addresses in one text than the detector reports. */
const FLOOD = Array.from({ length: 12_000 }, (_, n) => `a${String(n)}@example.org`).join(' ');

async function call(
  tenant: string,
  body: object,
): Promise<{ answer: Awaited<ReturnType<Stand['chat']>>; sent: number }> {
  const before = stand.mock.counters.requests;
  const headers = { authorization: `Bearer ${tokens.get(tenant) ?? ''}`, 'content-type': 'application/json' };
  const answer = await stand.chat(body, { headers });
  return { answer, sent: stand.mock.counters.requests - before };
}

async function decisionFacts(callId: string): Promise<Record<string, unknown>> {
  const [row] = await stand.sql<{ facts: string }[]>`
    select facts from ledger.entries where call = ${callId} and kind = 'decision'`;
  return JSON.parse(row?.facts ?? '{}') as Record<string, unknown>;
}

describe('detector over its budget (more findings than it reports)', () => {
  const body = { messages: [{ role: 'user', content: FLOOD }] };

  test('refused, nothing sent, entry says unscanned', async () => {
    const { answer, sent } = await call('demo', body);
    expect([answer.status, answer.code, sent]).toEqual([403, 'policy_denied', 0]);
    expect(answer.text).toContain('/messages/0/content');
    expect(await decisionFacts(answer.call)).toMatchObject({
      effect: 'deny',
      rules: expect.arrayContaining(['modalities.unscanned']) as string[],
      unscanned: [{ what: 'too_many', path: '/messages/0/content' }],
    });
  });

  test("the tenant's stated exception: sent, entry says unscanned", async () => {
    const { answer, sent } = await call('open', body);
    expect([answer.status, sent]).toEqual([200, 1]);
    expect(await decisionFacts(answer.call)).toMatchObject({
      effect: 'allow',
      unscanned: [{ what: 'too_many', path: '/messages/0/content' }],
    });
  });
});

describe('detector over its budget on the way back', () => {
  test('an answer in one piece is withheld, outcome says unscanned', async () => {
    stand.mock.next({ content: FLOOD });
    const { answer, sent } = await call('demo', {});
    expect([answer.status, answer.code, sent]).toEqual([403, 'policy_denied', 1]);
    expect(answer.text).not.toContain('example.org');
    expect((await stand.record(answer.call)).outcome?.sections['facts']).toMatchObject({
      status: 'withheld',
      response_effect: 'deny',
      unscanned: [{ what: 'too_many', path: '/choices/0/message/content' }],
    });
  });

  test('a stream is scanned piece by piece and has no such limit: every finding is cut out', async () => {
    const key = (n: number): string =>
      `AKIA${n
        .toString(4)
        .padStart(16, '0')
        .replaceAll(/\d/g, (digit) => 'WXYZ'.charAt(Number(digit)))}`;
    const keys = Array.from({ length: 12_000 }, (_, n) => key(n));
    stand.mock.next({ content: keys.join(' '), chunks: 500 });
    const { answer, sent } = await call('demo', { stream: true });
    expect([answer.status, sent]).toEqual([200, 1]);
    expect(answer.text).toContain('[DONE]');
    expect(answer.text).not.toContain('AKIA');
  });
});
