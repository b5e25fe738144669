/** Calls that end early, readers that are slow, a gateway that is full or stops. */
import type { ClientRequest, IncomingMessage, Server } from 'node:http';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Json } from './client.ts';
import { contentOf, errorOf, streamedText } from './client.ts';
import { ChatStand, facts, MODEL } from './stand.ts';

let stand: ChatStand;
let firehose: Server;
let written = 0;

const PIECE = `data: ${JSON.stringify({ id: 'x', choices: [{ index: 0, delta: { content: 'word '.repeat(2000) }, finish_reason: null }] })}\n\n`;
const PIECES = 4000;
/** Half a word: it may become something, so it is held. */
const UNFINISHED = `data: ${JSON.stringify({ id: 'x', choices: [{ index: 0, delta: { content: 'half-a-wor' }, finish_reason: null }] })}\n\n`;
const END = `data: ${JSON.stringify({ id: 'x', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`;

beforeAll(async () => {
  firehose = createServer((incoming, outgoing) => {
    outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
    let left = PIECES;
    const more = (): void => {
      while (left > 0) {
        left -= 1;
        written += PIECE.length;
        if (!outgoing.write(PIECE)) {
          outgoing.once('drain', more);
          return;
        }
      }
      outgoing.end(END);
    };
    incoming.setEncoding('utf8').on('data', (body: string) => {
      if (body.includes('"trickle"')) outgoing.write(UNFINISHED);
      else more();
    });
  });
  await new Promise<void>((resolve) => firehose.listen(0, '127.0.0.1', resolve));
  const { port } = firehose.address() as AddressInfo;
  stand = await ChatStand.start({
    models: [
      '{ name: firehose, deployments: [{ provider: firehose, model: f }] }',
      '{ name: trickle, deployments: [{ provider: firehose, model: trickle }] }',
    ],
    providers: [`firehose: { kind: openai, base_url: "http://127.0.0.1:${port}/v1", hosting: external }`],
    sections: 'limits: { concurrent_requests: 3 }',
  });
});
afterEach(() => stand.mock.reset());
afterAll(async () => {
  firehose.closeAllConnections();
  firehose.close();
  await stand.mock.close();
});

/** A call whose connection the test holds in its hand. */
function open(more: Json): { outgoing: ClientRequest; answer: Promise<IncomingMessage> } {
  const outgoing = request(`${stand.gateway.dataUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stand.key()}`, 'content-type': 'application/json' },
  });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
  });
  answer.catch(() => undefined);
  outgoing.end(JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'hi' }], ...more }));
  return { outgoing, answer };
}

/** Facts of the newest outcome of the tenant. */
async function newestOutcome(): Promise<Json> {
  const [row] = await stand.sql<{ facts: string }[]>`
    select e.facts from ledger.entries e join ledger.logs l on l.log = e.log
    where l.tenant = 'demo' and e.class = 'outcome' order by e.seq desc limit 1`;
  return JSON.parse(row?.facts ?? '{}') as Json;
}

test('a caller that leaves a stream stops the provider, and pays what was received', async () => {
  stand.mock.next({ chunks: 500, chunkDelayMs: 20, content: 'word '.repeat(500) });
  const { outgoing, answer } = open({ stream: true });
  const incoming = await answer;
  await new Promise((resolve) => incoming.once('data', resolve));
  outgoing.destroy();
  await expect.poll(() => stand.mock.counters.aborted, { timeout: 20_000 }).toBe(1);
  const { outcome } = facts(await stand.record({ headers: incoming.headers }));
  expect(outcome).toMatchObject({ status: 'aborted', code: 'client_closed', usage: { estimated: true } });
  expect((outcome['usage'] as { output_tokens: number }).output_tokens).toBeLessThan(200);
});

test('a caller that leaves while the model thinks stops the provider, without a retry', async () => {
  stand.mock.set({ hang: true });
  const { outgoing } = open({});
  await expect.poll(() => stand.mock.counters.requests, { timeout: 20_000 }).toBe(1);
  outgoing.destroy();
  await expect.poll(() => stand.mock.counters.aborted, { timeout: 20_000 }).toBe(1);
  await expect
    .poll(newestOutcome, { timeout: 20_000 })
    .toMatchObject({ status: 'aborted', attempts: [{ error: 'aborted' }] });
  expect(stand.mock.counters.requests).toBe(1);
});

test('headers leave before the first text, which is held while it may still become something', async () => {
  const { outgoing, answer } = open({ stream: true, model: 'trickle' });
  const incoming = await answer;
  expect(incoming.statusCode).toBe(200);
  let text = '';
  incoming.on('data', (part: Buffer) => {
    text += part.toString();
  });
  outgoing.destroy();
  const { outcome } = facts(await stand.record({ headers: incoming.headers }));
  expect(outcome).toMatchObject({ status: 'aborted', released_bytes: 0 });
  expect(text).toBe('');
  // A keep-alive would bring the headers along after 15 s: that is too late.
}, 12_000);

test('a slow reader slows the provider down instead of filling memory', async () => {
  const { outgoing, answer } = open({ stream: true, model: 'firehose' });
  const incoming = await answer;
  incoming.pause();
  let before = -1;
  await expect
    .poll(
      () => {
        const still = written === before && written > 0;
        before = written;
        return still;
      },
      { timeout: 20_000, interval: 300 },
    )
    .toBe(true);
  expect(written).toBeLessThan((PIECE.length * PIECES) / 2);
  outgoing.destroy();
  expect(facts(await stand.record({ headers: incoming.headers })).outcome).toMatchObject({ status: 'aborted' });
}, 60_000);

test('beyond the calls it accepts at once the gateway says so and counts it', async () => {
  stand.mock.set({ hang: true });
  const held = [open({}), open({}), open({})];
  await expect.poll(() => stand.mock.counters.requests, { timeout: 20_000 }).toBe(3);
  const answer = await stand.ask('hi');
  expect(answer.status).toBe(429);
  expect(errorOf(answer)).toMatchObject({ code: 'rate_limited', type: 'rate_limit_error' });
  expect(answer.headers['retry-after']).toBe('1');
  expect(answer.headers['x-should-retry']).toBeUndefined();
  for (const { outgoing } of held) outgoing.destroy();
  await expect.poll(() => stand.mock.counters.aborted, { timeout: 20_000 }).toBe(3);
  stand.mock.reset();
  await expect.poll(async () => (await stand.ask('hi')).status, { timeout: 20_000 }).toBe(200);
  const { text } = await stand.send({ method: 'GET', path: '/metrics', base: stand.gateway.adminUrl });
  expect(text).toMatch(/refus\w*\{[^}]*rate_limited[^}]*\} 1/);
});

test('a connection the provider closed meanwhile is not used again', async () => {
  expect((await stand.ask('hi')).status).toBe(200);
  stand.mock.dropConnections();
  await expect.poll(async () => (await stand.ask('hi')).status, { timeout: 10_000 }).toBe(200);
  expect(contentOf(await stand.ask('hi'))).toBe('Hello from the mock model.');
});

test('a gateway that stops finishes its streams and takes no new calls', async () => {
  stand.mock.next({ chunks: 10, chunkDelayMs: 60, content: 'word '.repeat(20) });
  const { answer } = open({ stream: true });
  const incoming = await answer;
  const parts: Buffer[] = [];
  incoming.on('data', (part: Buffer) => parts.push(part));
  const ended = new Promise((resolve) => incoming.once('end', resolve));
  const stopping = stand.gateway.stop();
  await ended;
  const text = Buffer.concat(parts).toString();
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  expect(streamedText({ text } as Parameters<typeof streamedText>[0])).toBe('word '.repeat(20));
  await stopping;
  await expect(stand.ask('hi')).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/);
});
