/**
 * A plain HTTP proxy that keeps the exact bytes of what passes through it: one stands before the mock provider and one
 * before the gateway, so that a run through the gateway can be compared with a direct one byte for byte.
 */
import { createServer, request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Passage {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The request body as it was on the wire. */
  body: Buffer;
  status: number;
  responseHeaders: IncomingHttpHeaders;
  /** The answer as it was on the wire, without the transfer coding. */
  response: Buffer;
  /** The client closed the connection before the answer was complete. */
  aborted: boolean;
}

export interface Recorder {
  readonly url: string;
  readonly passages: Passage[];
  close(): Promise<void>;
}

export async function startRecorder(target: () => string): Promise<Recorder> {
  const passages: Passage[] = [];
  const server = createServer((incoming, outgoing) => {
    const passage: Passage = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: incoming.headers,
      body: Buffer.alloc(0),
      status: 0,
      responseHeaders: {},
      response: Buffer.alloc(0),
      aborted: false,
    };
    passages.push(passage);
    relay(incoming, outgoing, new URL(target()), passage);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passages,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

function relay(incoming: IncomingMessage, outgoing: ServerResponse, target: URL, passage: Passage): void {
  const { host: _, ...headers } = incoming.headers;
  const onward = request({
    host: target.hostname,
    port: target.port,
    method: incoming.method,
    path: incoming.url,
    headers,
  });
  outgoing.on('close', () => {
    if (outgoing.writableFinished) return;
    passage.aborted = true;
    onward.destroy();
  });
  onward.on('error', () => outgoing.destroy());
  onward.on('response', (answer) => {
    passage.status = answer.statusCode ?? 0;
    passage.responseHeaders = answer.headers;
    outgoing.writeHead(passage.status, answer.headers);
    outgoing.flushHeaders();
    const parts: Buffer[] = [];
    answer.on('data', (part: Buffer) => {
      parts.push(part);
      passage.response = Buffer.concat(parts);
      outgoing.write(part);
    });
    answer.on('end', () => outgoing.end());
    answer.on('error', () => outgoing.destroy());
  });
  const parts: Buffer[] = [];
  incoming.on('data', (part: Buffer) => {
    parts.push(part);
    onward.write(part);
  });
  incoming.on('end', () => {
    passage.body = Buffer.concat(parts);
    onward.end();
  });
}
