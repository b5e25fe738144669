/**
 * What every upstream adapter must do, whatever its provider speaks. A harness supplies a provider that answers
 * "You said: <text>" to a text and makes the tool calls asked for by lines "call <tool> with {json}".
 */
import { afterAll, assert, beforeAll, describe, expect, test } from 'vitest';
import { UpstreamFailure } from '../../../gateway/upstream/failure.ts';
import type { Deployment, Upstream } from '../../../gateway/upstream/upstream.ts';
import { callOf, chunksOf, collect, joinToolCalls, TIMEOUTS } from './deployments.ts';
import type { Completion } from './deployments.ts';

export interface ContractHarness {
  readonly upstream: Upstream;
  readonly deployment: Deployment;
  /** How to make the provider misbehave in the next request; null where there is no connection to fail. */
  readonly faults: {
    hang(): void;
    hangAfterHeaders(): void;
    stallMidStream(): void;
    breakMidStream(): void;
    /** Status 429 with retry-after 7 and an error body. */
    rateLimit(): void;
    /** Requests whose connection the adapter cut. */
    aborted(): number;
    readonly unreachable: Deployment;
  } | null;
  close(): Promise<void>;
}

const TOOLS = ['lookup', 'weather'].map((name) => ({
  type: 'function',
  function: { name, parameters: { type: 'object' } },
}));
/** More digits than a double holds: arguments must arrive as they were written. */
const EXACT = '{"city":"Paris","id":12345678901234567890}';
const TOOL_REQUEST = {
  model: 'model',
  messages: [{ role: 'user', content: `call lookup with ${EXACT}\ncall weather with {"in":["Rome"]}` }],
  tools: TOOLS,
};
const CHAT = { model: 'model', messages: [{ role: 'user', content: 'héllo 🌍 there' }] };

/** @param network whether a connection is involved that can fail */
export function upstreamContract(name: string, network: boolean, start: () => Promise<ContractHarness>): void {
  describe(`upstream contract: ${name}`, () => {
    let harness: ContractHarness;
    beforeAll(async () => {
      harness = await start();
    });
    afterAll(async () => harness.close());

    const failure = async (run: () => Promise<unknown>): Promise<UpstreamFailure> => {
      const error: unknown = await run().then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(UpstreamFailure);
      expect((error as Error).message).not.toMatch(/héllo|sk-test|127\.0\.0\.1/);
      return error as UpstreamFailure;
    };

    test('answers a chat request in the shape of OpenAI', async () => {
      const response = await harness.upstream.send(callOf(harness.deployment, CHAT));
      expect(response.status).toBe(200);
      expect(response.headers['content-type']).toMatch(/^application\/json/);
      expect(response.requestId).not.toBeNull();
      const completion = JSON.parse((await response.body()).toString()) as Completion;
      expect(completion.choices[0]?.message.content).toBe('You said: héllo 🌍 there');
      expect(completion.choices[0]?.finish_reason).toBe('stop');
      expect(completion.usage.total_tokens).toBe(completion.usage.prompt_tokens + completion.usage.completion_tokens);
    });

    test('streams the same answer, with usage only when asked for', async () => {
      for (const include of [true, false]) {
        const body = { ...CHAT, stream: true, stream_options: { include_usage: include } };
        const response = await harness.upstream.send(callOf(harness.deployment, body));
        const events = await collect(response.events());
        expect(events.every((event) => event.raw.endsWith('\n\n'))).toBe(true);
        const chunks = chunksOf(events);
        const choices = chunks.flatMap((chunk) => chunk.choices);
        expect(choices.map((choice) => choice.delta.content ?? '').join('')).toBe('You said: héllo 🌍 there');
        expect(choices.filter((choice) => choice.delta.role === 'assistant')).toHaveLength(1);
        expect(choices.flatMap((choice) => choice.finish_reason ?? [])).toEqual(['stop']);
        const withUsage = chunks.filter((chunk) => (chunk.usage ?? null) !== null);
        expect(withUsage).toHaveLength(include ? 1 : 0);
        if (include) expect(withUsage[0]).toBe(chunks.at(-1));
        if (include) expect(withUsage[0]?.choices).toEqual([]);
      }
    });

    test('carries parallel tool calls with their arguments to the digit', async () => {
      const whole = await harness.upstream.send(callOf(harness.deployment, TOOL_REQUEST));
      const [choice] = (JSON.parse((await whole.body()).toString()) as Completion).choices;
      expect(choice?.finish_reason).toBe('tool_calls');
      const calls = choice?.message.tool_calls ?? [];
      expect(calls.map((call) => call.function)).toEqual([
        { name: 'lookup', arguments: EXACT },
        { name: 'weather', arguments: '{"in":["Rome"]}' },
      ]);
      expect(new Set(calls.map((call) => call.id)).size).toBe(2);

      const streamed = await harness.upstream.send(callOf(harness.deployment, { ...TOOL_REQUEST, stream: true }));
      const joined = joinToolCalls(chunksOf(await collect(streamed.events())));
      expect(joined.map((call) => [call.name, call.arguments])).toEqual([
        ['lookup', EXACT],
        ['weather', '{"in":["Rome"]}'],
      ]);
      expect(joined.every((call) => call.id !== '')).toBe(true);
    });

    test('an abort ends the call with client_closed, before and during the answer', async () => {
      const gone = AbortSignal.abort();
      const early = await failure(async () =>
        harness.upstream.send(callOf(harness.deployment, CHAT, { signal: gone })),
      );
      expect([early.code, early.sent]).toEqual(['client_closed', false]);

      // The rest is still to come: an answer that has arrived as a whole may be read to its end.
      harness.faults?.stallMidStream();
      const controller = new AbortController();
      const body = { ...CHAT, stream: true };
      const response = await harness.upstream.send(callOf(harness.deployment, body, { signal: controller.signal }));
      const late = await failure(async () => {
        for await (const event of response.events()) if (event.data !== null) controller.abort();
      });
      expect(late.code).toBe('client_closed');
    });

    test('an answer given up does no harm', async () => {
      for (const stream of [true, false]) {
        (await harness.upstream.send(callOf(harness.deployment, { ...CHAT, stream }))).discard();
      }
      const left = await harness.upstream.send(callOf(harness.deployment, { ...CHAT, stream: true }));
      for await (const event of left.events()) if (event.data !== null) break;
      left.discard();
      const next = await harness.upstream.send(callOf(harness.deployment, CHAT));
      expect((await next.body()).length).toBeGreaterThan(0);
    });

    if (!network) return;

    test('timeouts: silence before the answer, after its headers, in its middle', async () => {
      const { faults } = harness;
      assert(faults !== null);
      const timeouts = { ...TIMEOUTS, firstByteMs: 120, idleMs: 120 };
      const streamed = { ...CHAT, stream: true };
      faults.hang();
      const silent = await failure(async () => harness.upstream.send(callOf(harness.deployment, CHAT, { timeouts })));
      expect([silent.code, silent.reason, silent.sent]).toEqual(['upstream_timeout', 'first_byte_timeout', true]);
      faults.hangAfterHeaders();
      const headersOnly = await failure(async () => {
        await collect((await harness.upstream.send(callOf(harness.deployment, streamed, { timeouts }))).events());
      });
      expect(headersOnly.reason).toBe('first_byte_timeout');
      faults.stallMidStream();
      const stalled = await failure(async () => {
        await collect((await harness.upstream.send(callOf(harness.deployment, streamed, { timeouts }))).events());
      });
      expect([stalled.code, stalled.reason]).toEqual(['upstream_timeout', 'idle_timeout']);
      await expect.poll(() => faults.aborted()).toBeGreaterThanOrEqual(3);
    });

    test('a stream that breaks is an error after what arrived', async () => {
      const { faults } = harness;
      assert(faults !== null);
      faults.breakMidStream();
      const response = await harness.upstream.send(callOf(harness.deployment, { ...CHAT, stream: true }));
      let seen = 0;
      const broken = await failure(async () => {
        for await (const event of response.events()) seen += event.data === null ? 0 : 1;
      });
      expect([broken.code, broken.reason]).toEqual(['upstream_error', 'broken_answer']);
      expect(seen).toBeGreaterThan(0);
    });

    test("keeps the upstream's own status and error, in the shape of OpenAI", async () => {
      const { faults } = harness;
      assert(faults !== null);
      faults.rateLimit();
      const response = await harness.upstream.send(callOf(harness.deployment, { ...CHAT, stream: true }));
      expect([response.status, response.headers['retry-after']]).toEqual([429, '7']);
      const { error } = JSON.parse((await response.body()).toString()) as { error: { message: string; type: string } };
      expect(error.type).toBe('rate_limit_error');
      expect(typeof error.message).toBe('string');
    });

    test('a provider that is not there: nothing was sent', async () => {
      const { faults } = harness;
      assert(faults !== null);
      const down = await failure(async () => harness.upstream.send(callOf(faults.unreachable, CHAT)));
      expect([down.code, down.reason, down.sent]).toEqual(['upstream_error', 'connect_failed', false]);
    });
  });
}
