/** What the mock upstream says to one request, and how it goes wrong when it should. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface MockToolCall {
  readonly id?: string;
  readonly name: string;
  readonly arguments: string;
}

export interface MockBehaviour {
  /** Answer text; a function sees the request body. */
  readonly content?: string | ((body: string) => string);
  readonly toolCalls?: readonly MockToolCall[];
  /** Wait before the first byte of the answer. */
  readonly delayMs?: number;
  /** Number of content chunks of a stream, and the pause before each. */
  readonly chunks?: number;
  readonly chunkDelayMs?: number;
  /** Answer with this status and an error body instead. */
  readonly status?: number;
  readonly retryAfterS?: number;
  /** Never answer. */
  readonly hang?: boolean;
  /** Send headers, then nothing. */
  readonly hangAfterHeaders?: boolean;
  /** Cut the connection before any byte. */
  readonly reset?: boolean;
  /** Cut the connection, or fall silent, after so many content chunks (or in the middle of a whole answer). */
  readonly breakAfterChunks?: number;
  readonly stallAfterChunks?: number;
  /** Send an error event after so many content chunks, and no [DONE]. */
  readonly errorAfterChunks?: number;
  /** Exact body bytes instead of an answer, with this content type. */
  readonly raw?: string | Buffer;
  readonly contentType?: string;
  /** Bytes that are not HTTP at all. */
  readonly garbage?: boolean;
  /** Extra response headers. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number };
}

const CREATED = 1_700_000_000;
const DEFAULT_CONTENT = 'Hello from the mock model.';
const DEFAULT_USAGE = { prompt_tokens: 12, completion_tokens: 7 };
const ID = 'chatcmpl-mock';

export async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  body: string,
  chosen: MockBehaviour,
): Promise<void> {
  if (chosen.delayMs !== undefined) await sleep(chosen.delayMs);
  if (chosen.hang === true) return;
  if (chosen.reset === true) {
    request.socket.destroy();
    return;
  }
  if (chosen.garbage === true) {
    request.socket.end('\x00\x01 this is not HTTP\r\n\r\n');
    return;
  }
  if (chosen.status !== undefined) {
    writeError(response, chosen);
    return;
  }
  if (request.method === 'GET') {
    writeWhole(response, JSON.stringify({ object: 'list', data: [{ id: 'mock-model', object: 'model' }] }), chosen);
    return;
  }
  if (/"stream"\s*:\s*true/.test(body)) await writeStream(response, body, chosen);
  else writeCompletion(response, body, chosen);
}

function writeError(response: ServerResponse, chosen: MockBehaviour): void {
  const status = chosen.status ?? 500;
  const type = status === 429 ? 'rate_limit_error' : status < 500 ? 'invalid_request_error' : 'server_error';
  if (chosen.retryAfterS !== undefined) response.setHeader('retry-after', String(chosen.retryAfterS));
  const error = {
    message: `mock failure ${status}`,
    type,
    param: null,
    code: status === 429 ? 'rate_limit_exceeded' : null,
  };
  response.writeHead(status, { 'content-type': 'application/json', ...chosen.headers });
  response.end(chosen.raw ?? JSON.stringify({ error }));
}

function contentOf(body: string, chosen: MockBehaviour): string {
  if (chosen.content === undefined) return DEFAULT_CONTENT;
  return typeof chosen.content === 'string' ? chosen.content : chosen.content(body);
}

function toolCallsOf(chosen: MockBehaviour): object[] {
  return (chosen.toolCalls ?? []).map((call, index) => ({
    id: call.id ?? `call_mock_${index}`,
    type: 'function',
    function: { name: call.name, arguments: call.arguments },
  }));
}

function usageOf(chosen: MockBehaviour): object {
  const usage = chosen.usage ?? DEFAULT_USAGE;
  return { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens };
}

function completion(body: string, chosen: MockBehaviour): string {
  const toolCalls = toolCallsOf(chosen);
  const message =
    toolCalls.length === 0
      ? { role: 'assistant', content: contentOf(body, chosen), refusal: null }
      : { role: 'assistant', content: null, refusal: null, tool_calls: toolCalls };
  return JSON.stringify({
    id: ID,
    object: 'chat.completion',
    created: CREATED,
    model: 'mock-model',
    choices: [{ index: 0, message, logprobs: null, finish_reason: toolCalls.length === 0 ? 'stop' : 'tool_calls' }],
    usage: usageOf(chosen),
  });
}

const PREPARED = Buffer.from(completion('', {}));

function writeCompletion(response: ServerResponse, body: string, chosen: MockBehaviour): void {
  const plain = chosen.content === undefined && chosen.toolCalls === undefined && chosen.usage === undefined;
  writeWhole(response, chosen.raw ?? (plain ? PREPARED : completion(body, chosen)), chosen);
}

function writeWhole(response: ServerResponse, payload: string | Buffer, chosen: MockBehaviour): void {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  response.writeHead(200, {
    'content-type': chosen.contentType ?? 'application/json',
    'content-length': bytes.length,
    'x-request-id': 'req_mock',
    ...chosen.headers,
  });
  if (chosen.hangAfterHeaders === true) {
    response.flushHeaders();
  } else if (chosen.breakAfterChunks !== undefined || chosen.stallAfterChunks !== undefined) {
    response.write(bytes.subarray(0, bytes.length >> 1), () => {
      if (chosen.breakAfterChunks !== undefined) setTimeout(() => response.destroy(), 10);
    });
  } else {
    response.end(bytes);
  }
}

/** The pieces of a stream in order: role, content or tool-call fragments. */
function deltas(body: string, chosen: MockBehaviour): object[] {
  const toolCalls = chosen.toolCalls ?? [];
  if (toolCalls.length > 0) {
    return toolCalls.flatMap((call, index) => {
      const half = call.arguments.length >> 1;
      return [
        {
          tool_calls: [
            {
              index,
              id: call.id ?? `call_mock_${index}`,
              type: 'function',
              function: { name: call.name, arguments: '' },
            },
          ],
        },
        { tool_calls: [{ index, function: { arguments: call.arguments.slice(0, half) } }] },
        { tool_calls: [{ index, function: { arguments: call.arguments.slice(half) } }] },
      ];
    });
  }
  const content = contentOf(body, chosen);
  const count = Math.max(1, chosen.chunks ?? 4);
  const size = Math.max(1, Math.ceil(content.length / count));
  const pieces: object[] = [];
  for (let at = 0; at < content.length; at += size) pieces.push({ content: content.slice(at, at + size) });
  for (let index = 0; pieces.length < count; index++) pieces.push({ content: ` ${index}` });
  return pieces;
}

async function writeStream(response: ServerResponse, body: string, chosen: MockBehaviour): Promise<void> {
  const withUsage = /"include_usage"\s*:\s*true/.test(body);
  const chunk = (choices: object[], usage: object | null): string =>
    `data: ${JSON.stringify({
      id: ID,
      object: 'chat.completion.chunk',
      created: CREATED,
      model: 'mock-model',
      choices,
      ...(withUsage ? { usage } : {}),
    })}\n\n`;
  const choice = (delta: object, finish: string | null): object[] => [
    { index: 0, delta, logprobs: null, finish_reason: finish },
  ];
  response.writeHead(200, {
    'content-type': chosen.contentType ?? 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-request-id': 'req_mock',
    ...chosen.headers,
  });
  if (chosen.hangAfterHeaders === true) {
    response.flushHeaders();
    return;
  }
  if (chosen.raw !== undefined) {
    response.end(chosen.raw);
    return;
  }
  response.write(chunk(choice({ role: 'assistant', content: '', refusal: null }, null), null));
  let sent = 0;
  for (const delta of deltas(body, chosen)) {
    if (sent === chosen.stallAfterChunks) return;
    if (sent === chosen.breakAfterChunks) {
      await sleep(10); // what was written so far leaves first
      response.destroy();
      return;
    }
    if (sent === chosen.errorAfterChunks) {
      response.end(
        `data: ${JSON.stringify({ error: { message: 'mock overload', type: 'overloaded_error', param: null, code: null } })}\n\n`,
      );
      return;
    }
    if (chosen.chunkDelayMs !== undefined) await sleep(chosen.chunkDelayMs);
    if (response.destroyed) return;
    if (!response.write(chunk(choice(delta, null), null)) && !response.destroyed) await drained(response);
    sent++;
  }
  response.write(chunk(choice({}, (chosen.toolCalls ?? []).length > 0 ? 'tool_calls' : 'stop'), null));
  if (withUsage) response.write(chunk([], usageOf(chosen)));
  response.end('data: [DONE]\n\n');
}

async function drained(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}
