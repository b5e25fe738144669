/** A hand-made Messages API on node:http: it answers with exactly the status, body or event sequence it is given. */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AnthropicReply {
  readonly status?: number;
  readonly body?: string;
  readonly events?: readonly object[];
  readonly headers?: Readonly<Record<string, string>>;
  /** After the events: close well, cut the connection, or stay silent. */
  readonly ending?: 'close' | 'break' | 'stall';
  readonly hang?: boolean;
}

export interface AnthropicServer {
  /** Base URL without the version. */
  readonly url: string;
  readonly requests: { path: string; headers: IncomingHttpHeaders; body: string }[];
  aborted: number;
  reply: (body: string) => AnthropicReply;
  close(): Promise<void>;
}

export async function startAnthropicServer(): Promise<AnthropicServer> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      handle.requests.push({ path: request.url ?? '', headers: request.headers, body });
      const reply = handle.reply(body);
      response.on('close', () => {
        if (!response.writableFinished) handle.aborted++;
      });
      if (reply.hang === true) return;
      if (reply.events === undefined) {
        response.writeHead(reply.status ?? 200, {
          'content-type': 'application/json',
          'request-id': 'req_a1',
          ...reply.headers,
        });
        response.end(reply.body);
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'request-id': 'req_a1' });
      response.flushHeaders();
      for (const event of reply.events) response.write(sse(event));
      if (reply.ending === 'break') setTimeout(() => response.destroy(), 10);
      else if (reply.ending !== 'stall') response.end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const handle: AnthropicServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    aborted: 0,
    reply: () => ({ body: '{}' }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return handle;
}

function sse(event: object): string {
  return `event: ${'type' in event ? String(event.type) : 'message'}\ndata: ${JSON.stringify(event)}\n\n`;
}

const USAGE = { input_tokens: 10, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 };

export function messageStart(usage: object = USAGE): object {
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-test',
    content: [],
    stop_reason: null,
    usage,
  };
  return { type: 'message_start', message };
}

export function messageEnd(stopReason: string, usage: object = { output_tokens: 5 }): object[] {
  return [
    { type: 'message_delta', delta: { stop_reason: stopReason, stop_sequence: null }, usage },
    { type: 'message_stop' },
  ];
}

export function textBlock(index: number, ...pieces: string[]): object[] {
  return [
    { type: 'content_block_start', index, content_block: { type: 'text', text: '' } },
    ...pieces.map((text) => ({ type: 'content_block_delta', index, delta: { type: 'text_delta', text } })),
    { type: 'content_block_stop', index },
  ];
}

export function toolBlock(index: number, id: string, name: string, ...pieces: string[]): object[] {
  return [
    { type: 'content_block_start', index, content_block: { type: 'tool_use', id, name, input: {} } },
    ...pieces.map((text) => ({
      type: 'content_block_delta',
      index,
      delta: { type: 'input_json_delta', partial_json: text },
    })),
    { type: 'content_block_stop', index },
  ];
}

export function wholeMessage(
  content: string,
  stopReason: string,
  usage: object = { ...USAGE, output_tokens: 5 },
): string {
  return `{"id":"msg_1","type":"message","role":"assistant","model":"claude-test","content":${content},"stop_reason":${JSON.stringify(
    stopReason,
  )},"stop_sequence":null,"usage":${JSON.stringify(usage)}}`;
}
