/** What the tenant's parameters do to personal data on its way out, and what comes back of it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contentOf, streamedText } from './client.ts';
import { ChatStand, facts, section } from './stand.ts';

let stand: ChatStand;

const OPERATORS = ['redact', 'replace', 'hash', 'surrogate', 'mask', 'tokenize'] as const;

beforeAll(async () => {
  stand = await ChatStand.start({
    tenants: {
      ...Object.fromEntries(OPERATORS.map((operator) => [operator, `{ pii: { external: ${operator} } }`])),
      mixed: '{ pii: { external: mask, types: { EMAIL_ADDRESS: tokenize, US_SSN: redact } } }',
      answers: '{ response: { pii: mask } }',
    },
    models: ['{ name: own, deployments: [{ provider: mock, model: own, hosting: private }] }'],
  });
  stand.mock.set({
    content: (body) => `heard: ${(JSON.parse(body) as { messages: { content: string }[] }).messages[0]?.content}`,
  });
});
afterAll(() => stand.stop());

const MAIL = 'ada@example.org';
const CARD = '4111 1111 1111 1111';
const TEXT = `mail ${MAIL}, card ${CARD}.`;

/** What the provider got as the first message. */
function heard(): string {
  return (JSON.parse(stand.upstreamBody) as { messages: { content: string }[] }).messages[0]?.content ?? '';
}

test.each([
  ['redact', /^mail , card \.$/],
  ['replace', /^mail <EMAIL_ADDRESS>, card <CREDIT_CARD>\.$/],
  ['hash', /^mail <EMAIL_ADDRESS:[0-9a-f]{16}>, card <CREDIT_CARD:[0-9a-f]{16}>\.$/],
  ['surrogate', /^mail [a-z]{8}@example\.(?:com|net|org), card \d{4} \d{4} \d{4} \d{4}\.$/],
  ['mask', /^mail \*{15}, card \*{4} \*{4} \*{4} 1111\.$/],
  ['tokenize', /^mail <EMAIL_ADDRESS_[a-z]+>, card <CREDIT_CARD_[a-z]+>\.$/],
])('%s', async (operator, expected) => {
  const answer = await stand.ask(TEXT, {}, { tenant: operator });
  expect(answer.status).toBe(200);
  expect(heard()).toMatch(expected);
  // Only tokens can be turned back; everything else the caller sees as the model saw it.
  expect(contentOf(answer)).toBe(`heard: ${operator === 'tokenize' ? TEXT : heard()}`);
  const record = await stand.record(answer, operator);
  expect(facts(record).decision).toMatchObject({ effect: 'allow', edits: ['redact'] });
  expect(section(record.decision, 'findings')['applied']).toEqual(
    expect.arrayContaining([
      { type: 'CREDIT_CARD', operator, count: 1 },
      { type: 'EMAIL_ADDRESS', operator, count: 1 },
    ]),
  );
  expect(facts(record).outcome['restored']).toBe(operator === 'tokenize' ? 2 : 0);
});

test('each type by its own operator', async () => {
  const answer = await stand.ask(`${TEXT} SSN 536-90-4399.`, {}, { tenant: 'mixed' });
  expect(heard()).toMatch(/^mail <EMAIL_ADDRESS_[a-z]+>, card \*{4} \*{4} \*{4} 1111\. SSN \.$/);
  expect(contentOf(answer)).toContain(`mail ${MAIL}, card **** **** **** 1111.`);
});

test('only the strings with findings change, wherever they are', async () => {
  const body = `{"model":"mock-model", "temperature":1.0, "user":"${MAIL}","messages":[{"role":"user","content":"${TEXT}"},{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{ \\"to\\": \\"${MAIL}\\", \\"n\\": 1.50 }"}}]},{"role":"tool","tool_call_id":"c","content":[{"type":"text","text":"ok \\u00e9"}]}],"tools":[{"type":"function","function":{"name":"f","description":"mails ${MAIL}"}}]}`;
  expect((await stand.send({ body, tenant: 'replace' })).status).toBe(200);
  expect(stand.upstreamBody).toBe(body.replaceAll(MAIL, '<EMAIL_ADDRESS>').replaceAll(CARD, '<CREDIT_CARD>'));
});

test('the same request is redacted to the same bytes, for the provider’s prompt cache', async () => {
  await stand.ask(TEXT, {}, { tenant: 'tokenize' });
  const first = stand.upstreamBody;
  await stand.ask(TEXT, {}, { tenant: 'tokenize' });
  expect(stand.upstreamBody).toBe(first);
  await stand.ask(TEXT);
  // Another tenant's tokens are others.
  expect(stand.upstreamBody).not.toBe(first);
});

test('a model the organisation runs itself gets the text as it is', async () => {
  const answer = await stand.ask(TEXT, { model: 'own' });
  expect(heard()).toBe(TEXT);
  const record = await stand.record(answer);
  expect(facts(record).decision['edits']).toEqual([]);
  expect(section(record.decision, 'findings')).toMatchObject({
    applied: [],
    found: [{ type: 'CREDIT_CARD' }, { type: 'EMAIL_ADDRESS' }],
  });
});

test.each([false, true])('personal data in answers by the tenant’s parameters, streamed: %s', async (stream) => {
  stand.mock.next({ content: `Call her: ${MAIL} or ${CARD}, soon.`, chunks: 11 });
  const answer = await stand.ask('who?', { stream }, { tenant: 'answers' });
  const text = stream ? streamedText(answer) : contentOf(answer);
  expect(text).toBe(`Call her: ${'*'.repeat(15)} or **** **** **** 1111, soon.`);
  const record = await stand.record(answer, 'answers');
  expect(section(record.outcome, 'findings')['applied']).toEqual(
    expect.arrayContaining([{ type: 'EMAIL_ADDRESS', operator: 'mask', count: 1 }]),
  );
});

test('what the caller sent itself comes back to it even where answers are redacted', async () => {
  const answer = await stand.ask(`mail ${MAIL}`, {}, { tenant: 'answers' });
  expect(contentOf(answer)).toBe(`heard: mail ${MAIL}`);
});
