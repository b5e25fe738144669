/** What the ledger keeps of a call's content, by the tenant's parameters; sealed, and only that. */
import { hash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CallRecord } from '../../../ledger/index.ts';
import { ChatStand, facts, MODEL, section } from './stand.ts';

let stand: ChatStand;

const KINDS = ['none', 'digest', 'redacted', 'full'] as const;
const MAIL = 'ada@example.org';
const ANSWER = `Her number is +44 20 7946 0958, not ${MAIL}.`;

beforeAll(async () => {
  stand = await ChatStand.start({
    tenants: Object.fromEntries(KINDS.map((kind) => [kind, `{ record: { content: ${kind} } }`])),
  });
  stand.mock.set({ content: ANSWER, chunks: 9 });
});
afterAll(() => stand.stop());

const REQUEST = JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: `mail ${MAIL}` }] });

async function call(kind: string, body = REQUEST): Promise<{ record: CallRecord; text: string }> {
  const answer = await stand.send({ tenant: kind, body });
  expect(answer.status).toBe(200);
  return { record: await stand.record(answer, kind), text: answer.text };
}

test('nothing', async () => {
  const { record } = await call('none');
  expect([record.decision?.sections['content'], record.outcome?.sections['content']]).toEqual([null, null]);
  expect(JSON.stringify(record)).not.toContain(MAIL);
});

test('a digest of what the caller sent and of what the provider said', async () => {
  const { record } = await call('digest');
  expect(section(record.decision, 'content')).toEqual({ kind: 'digest', digest: hash('sha256', REQUEST, 'hex') });
  expect(section(record.outcome, 'content')).toEqual({
    kind: 'digest',
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(JSON.stringify(record)).not.toContain(MAIL);
});

test('both with every finding replaced', async () => {
  const { record } = await call('redacted');
  expect(section(record.decision, 'content')).toEqual({
    kind: 'redacted',
    body: REQUEST.replace(MAIL, '<EMAIL_ADDRESS>'),
  });
  const { body } = section(record.outcome, 'content') as { body: string };
  expect(body).toContain('Her number is <PHONE_NUMBER>, not <EMAIL_ADDRESS>.');
  expect(JSON.stringify(record)).not.toContain(MAIL);
});

test('both in full: what the caller sent and the provider said, not what was made of them', async () => {
  const { record } = await call('full');
  expect(section(record.decision, 'content')).toEqual({ kind: 'full', body: REQUEST });
  expect((section(record.outcome, 'content') as { body: string }).body).toContain(ANSWER);
});

const STREAMED = REQUEST.replace('{', '{"stream":true,');

test.each([
  ['none', null],
  ['digest', { kind: 'digest', digest: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown }],
  [
    'redacted',
    { kind: 'redacted', texts: [{ channel: '0/content', text: 'Her number is <PHONE_NUMBER>, not <EMAIL_ADDRESS>.' }] },
  ],
  ['full', { kind: 'full', texts: [{ channel: '0/content', text: ANSWER }] }],
])('of a stream: %s', async (kind, expected) => {
  const { record } = await call(kind, STREAMED);
  const content = record.outcome?.sections['content'] ?? null;
  if (expected !== null && 'texts' in expected) {
    // Channels without text may be listed too; the text is in one.
    const { texts } = content as { texts: { channel: string; text: string }[] };
    expect(texts.filter(({ text }) => text !== '')).toEqual(expected.texts);
    expect((content as { kind: string }).kind).toBe(kind);
  } else {
    expect(content).toEqual(expected);
  }
});

test('the default keeps redacted content', async () => {
  const answer = await stand.ask(`mail ${MAIL}`);
  const record = await stand.record(answer);
  expect([section(record.decision, 'content')['kind'], section(record.outcome, 'content')['kind']]).toEqual([
    'redacted',
    'redacted',
  ]);
});

test.each(KINDS)('of a denied call too: %s', async (kind) => {
  const secret = 'AKIAQYLPMN5HNM4OZ56B';
  const body = JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: `my key ${secret}` }] });
  const answer = await stand.send({ tenant: kind, body });
  expect(answer.status).toBe(403);
  const record = await stand.record(answer, kind);
  const content = record.decision?.sections['content'] ?? null;
  expect(content).toEqual(
    {
      none: null,
      digest: { kind: 'digest', digest: hash('sha256', body, 'hex') },
      redacted: { kind: 'redacted', body: body.replace(secret, '<AWS_ACCESS_KEY>') },
      full: { kind: 'full', body },
    }[kind],
  );
});

test('a request that was never decided is kept as a digest at most', async () => {
  const body = JSON.stringify({ model: 'gpt-nowhere', messages: [{ role: 'user', content: MAIL }] });
  const record = await stand.record(await stand.send({ tenant: 'full', body }), 'full');
  expect(JSON.stringify(record)).not.toContain(MAIL);
  expect(facts(record).decision['effect']).toBe('refused');
});

test('whatever is kept is sealed: nothing of it is readable in the database', async () => {
  const clear = await stand.clearLedger();
  expect(clear).not.toContain(MAIL);
  expect(clear).not.toContain('Her number');
  const [row] = await stand.gateway.database.connectAdmin(1)<{ found: boolean }[]>`
    select coalesce(bool_or(position(convert_to(${MAIL}, 'UTF8') in coalesce(sealed, '') || coalesce(content, '')) > 0), false) as found
    from ledger.entries`;
  expect(row?.found).toBe(false);
});
