/** Deployments and calls for the upstream tests. */
import type { Deployment, SseEvent, Timeouts, UpstreamCall } from '../../../gateway/upstream/upstream.ts';

export const TIMEOUTS: Timeouts = { connectMs: 5_000, firstByteMs: 5_000, idleMs: 5_000 };

export function deployment(over: Partial<Deployment> = {}): Deployment {
  return {
    id: 'test/model',
    provider: 'test',
    kind: 'openai',
    model: 'model',
    baseUrl: 'http://127.0.0.1:1/v1',
    apiKey: 'sk-test',
    region: 'local',
    hosting: 'local',
    family: 'model',
    retentionDays: null,
    trainsOnData: null,
    tags: [],
    ...over,
  };
}

export function callOf(to: Deployment, body: object | string, over: Partial<UpstreamCall> = {}): UpstreamCall {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    deployment: to,
    body: text,
    stream: /"stream":true/.test(text),
    callId: 'cs-0123456789abcdef0123456789abcdef',
    headers: {},
    signal: new AbortController().signal,
    timeouts: TIMEOUTS,
    ...over,
  };
}

export async function collect(events: AsyncIterable<SseEvent>): Promise<SseEvent[]> {
  const all: SseEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

export interface ToolCall {
  id?: string;
  function: { name?: string; arguments: string };
}

export interface Chunk {
  choices: {
    index: number;
    delta: { role?: string; content?: string | null; tool_calls?: (ToolCall & { index: number })[] };
    finish_reason: string | null;
  }[];
  usage?: Usage | null;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

export interface Completion {
  choices: { message: { content: string | null; tool_calls?: ToolCall[] }; finish_reason: string }[];
  usage: Usage;
}

/** The chunks of a stream that ended well: exactly one [DONE], at the end. */
export function chunksOf(events: readonly SseEvent[]): Chunk[] {
  const data = events.flatMap((event) => (event.data === null ? [] : [event.data]));
  if (data.at(-1) !== '[DONE]' || data.indexOf('[DONE]') !== data.length - 1)
    throw new Error('expected one [DONE] at the end');
  return data.slice(0, -1).map((text) => JSON.parse(text) as Chunk);
}

/** Tool calls of a stream, put together by index as a client does. */
export function joinToolCalls(chunks: readonly Chunk[]): { id: string; name: string; arguments: string }[] {
  const calls: { id: string; name: string; arguments: string }[] = [];
  for (const call of chunks.flatMap((chunk) => chunk.choices).flatMap((choice) => choice.delta.tool_calls ?? [])) {
    const known = (calls[call.index] ??= { id: call.id ?? '', name: call.function.name ?? '', arguments: '' });
    known.arguments += call.function.arguments;
  }
  return calls;
}
