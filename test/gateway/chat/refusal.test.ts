/** A refusal names what was found and where, and never the value: not to the caller, not in the log, not in the ledger. */
import { hash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Answer, Json } from './client.ts';
import { errorOf } from './client.ts';
import type { CapturedOutput } from './output.ts';
import { captureOutput } from './output.ts';
import { ChatStand, facts, MODEL, section } from './stand.ts';

let stand: ChatStand;
let output: CapturedOutput;

beforeAll(async () => {
  output = captureOutput();
  stand = await ChatStand.start({
    tenants: { strict: '{ pii: { external: deny } }' },
    sections: 'logging: { level: debug }',
  });
});
afterAll(async () => {
  try {
    await stand.stop();
  } finally {
    output.release();
  }
});

const AWS = 'AKIAQYLPMN5HNM4OZ56B';
const GITHUB = 'ghp_1234567890abcdefghijklmnopqrstuvwxyzAB';
const OPENAI = 'sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEF';
const PASSWORD = 'hunter2-and-more';
const MAIL = 'ada.lovelace@analytical.example.org';
const CARD = '4111 1111 1111 1111';
const IBAN = 'DE89 3704 0044 0532 0130 00';
const SSN = '536-90-4399';

/** Looks for the value, also without its separators and encoded, in everything that leaves or stays readable. */
async function expectNowhere(answer: Answer, value: string): Promise<void> {
  const { hostname, port } = new URL(stand.gateway.adminUrl);
  const metrics = await (await fetch(`http://${hostname}:${port}/metrics`)).text();
  // The log is written with a delay.
  const id = String(answer.headers['x-countersign-call']);
  await expect.poll(() => output.text(), { timeout: 10_000 }).toContain(id);
  const places = {
    answer: `${answer.rawHeaders.join('\n')}\n${answer.text}`,
    log: output.text(),
    ledger: await stand.clearLedger(),
    metrics,
  };
  const forms = [
    value,
    value.replaceAll(/[ -]/g, ''),
    encodeURIComponent(value),
    Buffer.from(value).toString('base64'),
  ];
  for (const [place, text] of Object.entries(places)) {
    for (const form of new Set(forms)) expect([place, form, text.includes(form)]).toEqual([place, form, false]);
  }
}

/** Stands for a member name the caller chose: it appears as a MAC under a key of the tenant. */
const HIDDEN = '~hidden';

/** A path as it may appear, with any MAC in the places of names; a plain hash of a name is not one. */
function expectPath(found: unknown, path: string): void {
  const parts = path.split(HIDDEN).map((part) => part.replace(/[/#~]/g, '\\$&'));
  expect(found).toMatch(new RegExp(`^${parts.join('~[0-9a-f]{8}')}$`));
  for (const name of ['note', 'a', 'b']) expect(found).not.toContain(hash('sha256', name, 'hex').slice(0, 8));
}

function content(text: string): Json {
  return { messages: [{ role: 'user', content: text }] };
}

const inArguments = (value: string): Json => ({
  messages: [
    { role: 'user', content: 'hi' },
    {
      role: 'assistant',
      tool_calls: [
        { id: 'c', type: 'function', function: { name: 'f', arguments: JSON.stringify({ a: { b: value } }) } },
      ],
    },
    { role: 'tool', tool_call_id: 'c', content: 'ok' },
  ],
});

test.each<[string, string, string, Json, string]>([
  ['demo', 'AWS_ACCESS_KEY', AWS, content(`use ${AWS} please`), '/messages/0/content'],
  [
    'demo',
    'GITHUB_TOKEN',
    GITHUB,
    {
      messages: [
        { role: 'system', content: 'x' },
        { role: 'user', content: [{ type: 'text', text: GITHUB }] },
      ],
    },
    '/messages/1/content/0/text',
  ],
  ['demo', 'OPENAI_API_KEY', OPENAI, { ...content('hi'), metadata: { note: OPENAI } }, `/metadata/${HIDDEN}`],
  ['demo', 'AWS_ACCESS_KEY', AWS, inArguments(AWS), `/messages/1/tool_calls/0/function/arguments#/${HIDDEN}/${HIDDEN}`],
  ['demo', 'URL_PASSWORD', PASSWORD, content(`postgres://app:${PASSWORD}@db.example.org/prod`), '/messages/0/content'],
  ['demo', 'AWS_ACCESS_KEY', AWS, { ...content('hi'), [AWS]: 1 }, ''],
  [
    'demo',
    'AWS_ACCESS_KEY',
    AWS,
    { ...content('hi'), tools: [{ type: 'function', function: { name: 'f', description: AWS, parameters: {} } }] },
    '/tools/0/function/description',
  ],
  ['strict', 'EMAIL_ADDRESS', MAIL, content(`write to ${MAIL}`), '/messages/0/content'],
  ['strict', 'CREDIT_CARD', CARD, content(`pay with ${CARD}`), '/messages/0/content'],
  ['strict', 'IBAN_CODE', IBAN, content(`account ${IBAN}`), '/messages/0/content'],
  ['strict', 'US_SSN', SSN, content(`SSN ${SSN}`), '/messages/0/content'],
])('%s: a %s', async (tenant, type, value, body, path) => {
  const before = stand.mock.counters.requests;
  const answer = await stand.ask(body, {}, { tenant });
  expect(answer.status).toBe(403);
  const error = errorOf(answer);
  expect(error).toMatchObject({ code: 'policy_denied', type: 'policy_denied' });
  expect(error['message']).toContain(type);
  if (path !== '') {
    expectPath(error['param'], path);
    expect(error['message']).toContain(error['param']);
  }
  expect(answer.headers['x-should-retry']).toBe('false');
  expect(stand.mock.counters.requests).toBe(before);
  const record = await stand.record(answer, tenant);
  expect(record.outcome).toBeNull();
  expect(facts(record).decision).toMatchObject({
    effect: 'deny',
    code: 'policy_denied',
    rules: [tenant === 'strict' ? 'pii.refused' : 'secrets.outbound'],
    allowed: [],
    attempts_reserved: 0,
  });
  expect(section(record.decision, 'findings')['found']).toEqual(
    expect.arrayContaining([expect.objectContaining({ type, count: 1 })]),
  );
  // The sealed sections hold no value either: the content is recorded redacted, the policy saw facts only.
  expect(JSON.stringify(record)).not.toContain(value);
  await expectNowhere(answer, value);
});

test('a key that holds a value is shown hashed', async () => {
  const answer = await stand.ask({ ...content('hi'), metadata: { [`mail ${MAIL}`]: 'x' } }, {}, { tenant: 'strict' });
  expect(answer.status).toBe(403);
  expect(errorOf(answer)['param']).toMatch(/^\/metadata\/~[0-9a-f]{8}$/);
  await expectNowhere(answer, MAIL);
});

test.each([
  ['invalid JSON', (value: string) => `{"messages":"${value}`],
  ['a wrong type', (value: string) => JSON.stringify({ model: MODEL, messages: value })],
  ['an unknown model', (value: string) => JSON.stringify({ model: value, messages: [{ role: 'user' }] })],
  ['a duplicate member', (value: string) => `{"${value}":1,"${value}":2}`],
  ['a long role', (value: string) => JSON.stringify({ model: MODEL, messages: [{ role: value.repeat(20) }] })],
])('%s does not repeat what the caller sent', async (_, body) => {
  const answer = await stand.send({ body: body(AWS) });
  expect(answer.status).toBeGreaterThanOrEqual(400);
  await expectNowhere(answer, AWS);
});

test('values in headers and paths do not reach the log or the ledger', async () => {
  const answer = await stand.ask(
    'hi',
    {},
    { path: `/v1/chat/completions?key=${AWS}`, headers: { 'x-note': AWS, cookie: `a=${AWS}` } },
  );
  expect(answer.status).toBe(200);
  await expectNowhere(answer, AWS);
});

test('of a successful call with values in it, neither log nor clear ledger repeats them', async () => {
  stand.mock.next({ content: (body) => `The provider adds ${CARD} to ${/<EMAIL_ADDRESS_[a-z]+>/.exec(body)?.[0]}.` });
  const answer = await stand.ask(`write to ${MAIL}`);
  expect(answer.text).toContain(`The provider adds ${CARD} to ${MAIL}.`);
  const readable = { ...answer, text: '', rawHeaders: answer.rawHeaders };
  await expectNowhere(readable, MAIL);
  await expectNowhere(readable, CARD);
  // In the record, both sides are redacted.
  const record = JSON.stringify(await stand.record(answer));
  expect([record.includes(MAIL), record.includes(CARD)]).toEqual([false, false]);
});
