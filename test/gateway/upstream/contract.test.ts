import { answerSandbox } from '../../../gateway/upstream/sandbox-model.ts';
import { createAnthropicUpstream } from '../../../gateway/upstream/anthropic.ts';
import { createEgress } from '../../../gateway/egress.ts';
import { createOpenAiUpstream } from '../../../gateway/upstream/openai.ts';
import { createSandboxUpstream } from '../../../gateway/upstream/sandbox.ts';
import { startMockUpstream } from '../../support/mock-upstream.ts';
import {
  messageEnd,
  messageStart,
  startAnthropicServer,
  textBlock,
  toolBlock,
  wholeMessage,
} from './anthropic-server.ts';
import type { AnthropicReply } from './anthropic-server.ts';
import { upstreamContract } from './contract.ts';
import { deployment } from './deployments.ts';

const UNREACHABLE = 'http://127.0.0.1:9/v1';

upstreamContract('sandbox', false, async () =>
  Promise.resolve({
    upstream: createSandboxUpstream({ now: () => 1_700_000_000_000 }),
    deployment: deployment({ kind: 'sandbox' }),
    faults: null,
    close: async () => Promise.resolve(),
  }),
);

upstreamContract('openai', true, async () => {
  const mock = await startMockUpstream();
  const egress = createEgress();
  const said = (body: string): string =>
    `You said: ${(JSON.parse(body) as { messages: { content: string }[] }).messages[0]?.content ?? ''}`;
  mock.set({ content: said });
  const toolCalls = [
    { name: 'lookup', arguments: '{"city":"Paris","id":12345678901234567890}' },
    { name: 'weather', arguments: '{"in":["Rome"]}' },
  ];
  const upstream = createOpenAiUpstream({ egress });
  return {
    upstream: {
      ...upstream,
      send: async (call) => {
        if (call.body.includes('"tools"')) mock.next({ toolCalls });
        return upstream.send(call);
      },
    },
    deployment: deployment({ baseUrl: mock.url }),
    faults: {
      hang: () => mock.next({ hang: true }),
      hangAfterHeaders: () => mock.next({ hangAfterHeaders: true }),
      stallMidStream: () => mock.next({ stallAfterChunks: 2 }),
      breakMidStream: () => mock.next({ breakAfterChunks: 2, chunkDelayMs: 5 }),
      rateLimit: () => mock.next({ status: 429, retryAfterS: 7 }),
      aborted: () => mock.counters.aborted,
      unreachable: deployment({ baseUrl: UNREACHABLE }),
    },
    close: async () => {
      await egress.close();
      await mock.close();
    },
  };
});

/** The provider of the Anthropic harness: the sandbox model's answer, said in Anthropic's events. */
function speakAnthropic(body: string): AnthropicReply {
  const request = JSON.parse(body) as {
    messages: { content: { text: string }[] }[];
    tools?: { name: string }[];
    stream?: boolean;
  };
  const text = request.messages[0]?.content[0]?.text ?? '';
  const answer = answerSandbox(
    JSON.stringify({
      messages: [{ role: 'user', content: text }],
      tools: (request.tools ?? []).map(({ name }) => ({ type: 'function', function: { name } })),
    }),
  );
  if ('refused' in answer) return { status: 400, body: '{}' };
  const stop = answer.toolCalls.length > 0 ? 'tool_use' : 'end_turn';
  if (request.stream !== true) {
    const blocks =
      answer.content === null
        ? answer.toolCalls.map(
            (call) => `{"type":"tool_use","id":"${call.id}","name":"${call.name}","input":${call.arguments}}`,
          )
        : [JSON.stringify({ type: 'text', text: answer.content })];
    return { body: wholeMessage(`[${blocks.join(', ')}]`, stop) };
  }
  const blocks =
    answer.content === null
      ? answer.toolCalls.flatMap((call, index) =>
          toolBlock(index, call.id, call.name, '', call.arguments.slice(0, 9), call.arguments.slice(9)),
        )
      : textBlock(0, answer.content.slice(0, 5), answer.content.slice(5));
  return { events: [messageStart(), { type: 'ping' }, ...blocks, ...messageEnd(stop)] };
}

upstreamContract('anthropic', true, async () => {
  const server = await startAnthropicServer();
  const egress = createEgress();
  server.reply = speakAnthropic;
  const once = (reply: AnthropicReply) => (): void => {
    server.reply = () => {
      server.reply = speakAnthropic;
      return reply;
    };
  };
  const begun = [messageStart(), ...textBlock(0, 'You')];
  const limited = { type: 'error', error: { type: 'rate_limit_error', message: 'Slow down' }, request_id: 'req_a1' };
  return {
    upstream: createAnthropicUpstream({ egress, now: () => 1_700_000_000_000 }),
    deployment: deployment({ kind: 'anthropic', baseUrl: server.url }),
    faults: {
      hang: once({ hang: true }),
      hangAfterHeaders: once({ events: [], ending: 'stall' }),
      stallMidStream: once({ events: begun, ending: 'stall' }),
      breakMidStream: once({ events: begun, ending: 'break' }),
      rateLimit: once({ status: 429, headers: { 'retry-after': '7' }, body: JSON.stringify(limited) }),
      aborted: () => server.aborted,
      unreachable: deployment({ kind: 'anthropic', baseUrl: UNREACHABLE }),
    },
    close: async () => {
      await egress.close();
      await server.close();
    },
  };
});
