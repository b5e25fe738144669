/**
 * An OpenAI-compatible model server for load and fault tests, on bare node:http. Without a behaviour set it answers
 * from prepared bytes and parses nothing, so that it is never the slow part of a measurement.
 *
 *   const mock = await startMockUpstream();
 *   mock.next({ status: 429, retryAfterS: 1 });       // the next request only
 *   mock.set({ chunkDelayMs: 5, breakAfterChunks: 3 }); // every request from now on
 */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { answer } from './mock-answer.ts';
import type { MockBehaviour } from './mock-answer.ts';

export type { MockBehaviour } from './mock-answer.ts';

export interface MockRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface MockCounters {
  requests: number;
  answered: number;
  /** Requests whose connection was closed by the client before the answer was complete. */
  aborted: number;
  connections: number;
}

export interface MockUpstream {
  /** Base URL with `/v1`. */
  readonly url: string;
  readonly port: number;
  readonly counters: MockCounters;
  /** The last requests, newest last, at most 256. */
  readonly requests: readonly MockRequest[];
  set(behaviour: MockBehaviour): void;
  /** Behaviours for the next requests, one each, before the one set. */
  next(...behaviours: MockBehaviour[]): void;
  reset(): void;
  /** Cuts every open connection. */
  dropConnections(): void;
  close(): Promise<void>;
}

const KEPT_REQUESTS = 256;

export async function startMockUpstream(port = 0): Promise<MockUpstream> {
  const counters: MockCounters = { requests: 0, answered: 0, aborted: 0, connections: 0 };
  const requests: MockRequest[] = [];
  const queued: MockBehaviour[] = [];
  const sockets = new Set<Socket>();
  let behaviour: MockBehaviour = {};
  const server = createServer((request, response) => {
    counters.requests++;
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      requests.push({ path: request.url ?? '', headers: request.headers, body });
      if (requests.length > KEPT_REQUESTS) requests.shift();
      response.on('close', () => {
        if (response.writableFinished) counters.answered++;
        else counters.aborted++;
      });
      const chosen = queued.shift() ?? behaviour;
      answer(request, response, body, chosen).catch(() => response.destroy());
    });
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => {
    counters.connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address() as AddressInfo;
  const dropConnections = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    port: address.port,
    counters,
    requests,
    set: (next) => {
      behaviour = next;
    },
    next: (...behaviours) => {
      queued.push(...behaviours);
    },
    reset: () => {
      behaviour = {};
      queued.length = 0;
      requests.length = 0;
      Object.assign(counters, { requests: 0, answered: 0, aborted: 0, connections: 0 });
    },
    dropConnections,
    close: async () => {
      dropConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
