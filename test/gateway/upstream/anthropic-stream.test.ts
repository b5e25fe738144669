import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEgress } from '../../../gateway/egress.ts';
import { createAnthropicUpstream } from '../../../gateway/upstream/anthropic.ts';
import { forwardWithFallback } from '../../../gateway/upstream/retry.ts';
import { DEFAULT_RETRY_POLICY, planAttempts } from '../../../gateway/upstream/route.ts';
import type { Deployment, SseEvent } from '../../../gateway/upstream/upstream.ts';
import { messageEnd, messageStart, startAnthropicServer, textBlock, toolBlock } from './anthropic-server.ts';
import type { AnthropicServer } from './anthropic-server.ts';
import { callOf, chunksOf, collect, deployment, joinToolCalls } from './deployments.ts';

const egress = createEgress();
const upstream = createAnthropicUpstream({ egress, now: () => 1_700_000_000_999 });
const CHAT = { model: 'claude-test', messages: [{ role: 'user', content: 'hi' }] };
const STREAM = { ...CHAT, stream: true, stream_options: { include_usage: true } };
let server: AnthropicServer;
let to: Deployment;

beforeAll(async () => {
  server = await startAnthropicServer();
  to = deployment({ kind: 'anthropic', baseUrl: server.url, apiKey: 'sk-ant-secret' });
});
afterAll(async () => {
  await egress.close();
  await server.close();
});

async function streamed(...events: object[]): Promise<SseEvent[]> {
  server.reply = () => ({ events });
  return collect((await upstream.send(callOf(to, STREAM))).events());
}

describe('streams', () => {
  test('the documented sequence, pings and unknown events skipped', async () => {
    const events = await streamed(
      messageStart({ input_tokens: 25, cache_read_input_tokens: 5, output_tokens: 1 }),
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'ping' },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello' } },
      { type: 'brand_new_event' },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: '!' } },
      { type: 'content_block_stop', index: 0 },
      ...messageEnd('end_turn', { output_tokens: 15 }),
    );
    const chunks = chunksOf(events);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta)).toEqual([
      { role: 'assistant', content: '', refusal: null },
      { content: 'Hello' },
      { content: '!' },
      {},
      undefined,
    ]);
    expect(chunks.slice(0, 4).map((chunk) => [chunk.choices[0]?.finish_reason, chunk.usage])).toEqual([
      [null, null],
      [null, null],
      [null, null],
      ['stop', null],
    ]);
    expect(chunks[4]).toMatchObject({
      id: 'msg_1',
      object: 'chat.completion.chunk',
      created: 1_700_000_000,
      model: 'claude-test',
      choices: [],
      usage: {
        prompt_tokens: 30,
        completion_tokens: 15,
        total_tokens: 45,
        prompt_tokens_details: { cached_tokens: 5 },
      },
    });
  });

  test('tool calls get an index of their own among the blocks, interleaved and without input', async () => {
    const events = await streamed(
      messageStart(),
      ...textBlock(0, 'Let me see'),
      ...toolBlock(1, 't1', 'weather', '', '{"city": "S', 'F", "id": 12345678901234567890}'),
      ...toolBlock(2, 't2', 'now'),
      ...toolBlock(3, 't3', 'time', '{}'),
      ...messageEnd('tool_use'),
    );
    const chunks = chunksOf(events);
    expect(joinToolCalls(chunks)).toEqual([
      { id: 't1', name: 'weather', arguments: '{"city": "SF", "id": 12345678901234567890}' },
      { id: 't2', name: 'now', arguments: '{}' },
      { id: 't3', name: 'time', arguments: '{}' },
    ]);
    const named = chunks.flatMap((chunk) => chunk.choices).flatMap((choice) => choice.delta.tool_calls ?? []);
    expect(named.filter((call) => call.id !== undefined).map((call) => call.index)).toEqual([0, 1, 2]);
  });

  test('thoughts stream as reasoning, and come whole with their signature', async () => {
    const delta = (value: object): object => ({ type: 'content_block_delta', index: 0, delta: value });
    const events = await streamed(
      messageStart(),
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '' } },
      delta({ type: 'thinking_delta', thinking: 'Let' }),
      delta({ type: 'thinking_delta', thinking: ' me' }),
      delta({ type: 'signature_delta', signature: 'sig' }),
      { type: 'content_block_stop', index: 0 },
      ...textBlock(1, 'ok'),
      ...messageEnd('end_turn'),
    );
    expect(
      chunksOf(events)
        .map((chunk) => chunk.choices[0]?.delta)
        .slice(1, 4),
    ).toEqual([
      { reasoning_content: 'Let' },
      { reasoning_content: ' me' },
      { thinking_blocks: [{ type: 'thinking', thinking: 'Let me', signature: 'sig' }] },
    ]);
  });

  test('an error in the middle is an error event and no [DONE]', async () => {
    const events = await streamed(messageStart(), ...textBlock(0, 'He'), {
      type: 'error',
      error: { type: 'overloaded_error', message: 'Overloaded' },
    });
    expect(JSON.parse(events.at(-1)?.data ?? '')).toEqual({
      error: { message: 'Overloaded', type: 'overloaded_error', param: null, code: null },
    });
    expect(events.some((event) => event.data === '[DONE]')).toBe(false);
  });

  test('an error as the first event lets another deployment answer', async () => {
    server.reply = () => {
      server.reply = () => ({ events: [messageStart(), ...textBlock(0, 'fine'), ...messageEnd('end_turn')] });
      return { events: [{ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }] };
    };
    const policy = { ...DEFAULT_RETRY_POLICY, attemptsPerDeployment: 1 };
    const result = await forwardWithFallback({
      attempts: planAttempts([deployment({ ...to, id: 'x/1' }), deployment({ ...to, id: 'x/2' })], policy),
      policy,
      stream: true,
      send: async (attempt) => upstream.send(callOf(attempt.deployment, STREAM)),
      signal: new AbortController().signal,
      now: () => 0,
      random: () => 0,
      sleep: async () => Promise.resolve(),
    });
    expect(result.attempts.map((attempt) => [attempt.deployment, attempt.status])).toEqual([
      ['x/1', 529],
      ['x/2', 200],
    ]);
  });

  test('a stream that closes before its end, or holds no JSON, is broken', async () => {
    await expect(streamed(messageStart(), ...textBlock(0, 'He'))).rejects.toMatchObject({ reason: 'broken_answer' });
    await expect(streamed(messageStart(), ...messageEnd('end_turn').slice(0, 1))).rejects.toMatchObject({
      reason: 'broken_answer',
    });
    await expect(streamed([] as unknown as object)).rejects.toMatchObject({ reason: 'bad_answer' });
    await expect(streamed({ type: 'message_start' })).rejects.toMatchObject({ reason: 'bad_answer' });
  });
});
