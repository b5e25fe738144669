/** A stream whose model thinks for long: proxies and clients in between see that the connection lives. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Facts, Stand } from './stand.ts';
import { eventually, startStand } from './stand.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ timeouts: 'idle_ms: 60000' });
});
afterAll(() => stand.stop());

test('a comment keeps a silent stream alive; it is no part of the answer', async () => {
  stand.mock.next({ content: 'One two three four five six.', chunks: 6, stallAfterChunks: 3 });
  const aborting = new AbortController();
  const response = await stand.open({ stream: true }, { signal: aborting.signal });
  const call = response.headers.get('x-countersign-call') ?? '';
  const comments: string[] = [];
  let answer = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    const text = decoder.decode(chunk as Uint8Array);
    if (text.startsWith(':')) comments.push(text);
    else answer += text;
    if (comments.length > 0) break;
  }
  aborting.abort();
  // An SSE comment, an event of its own: no client takes it for data.
  expect(comments).toEqual([expect.stringMatching(/^:[^\n]*\n\n$/)]);
  expect(answer).toContain('One');
  const facts = await eventually(async () => {
    const [row] = await stand.sql<{ facts: string }[]>`
      select facts from ledger.entries where call = ${call} and kind = 'outcome'`;
    expect(row).toBeDefined();
    return JSON.parse(row?.facts ?? '{}') as Facts;
  });
  expect(facts).toMatchObject({ status: 'aborted', released_bytes: Buffer.byteLength(answer) });
});
