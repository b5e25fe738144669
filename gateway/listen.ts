/** Opens a listener, with an error that names the setting to change when it cannot. */
import { createAdaptorServer } from '@hono/node-server';
import type { Server, ServerResponse } from 'node:http';
import { GatewayError } from './errors.ts';

type Fetch = Parameters<typeof createAdaptorServer>[0]['fetch'];

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** Name of the port in the configuration, for the error. */
  readonly setting: string;
  readonly limits: { readonly headerCount: number; readonly headerBytes: number };
}

/** Time a caller has to send a whole request; a slower one holds a connection for nothing. */
const REQUEST_TIMEOUT_MS = 120_000;

export function openListener(fetch: Fetch, { host, port, setting, limits }: ListenOptions): Promise<Server> {
  const serverOptions = { maxHeaderSize: limits.headerBytes, requestTimeout: REQUEST_TIMEOUT_MS };
  const server = createAdaptorServer({ fetch, serverOptions }) as Server;
  server.maxHeadersCount = limits.headerCount;
  watch(server);
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new GatewayError(
          'conflict',
          cause.code === 'EADDRINUSE'
            ? `Port ${port} on ${host} is in use. Stop the other program or change ${setting} in the configuration.`
            : `Could not listen on ${host}:${port} (${cause.code ?? 'unknown'}). Check ${setting} in the configuration.`,
          { cause },
        ),
      ),
    );
    server.listen(port, host, () => resolve(server));
  });
}

/** Answers that have not left completely. Node counts an answer as done, and its connection as idle, before that. */
const unfinished = new WeakMap<Server, Set<ServerResponse>>();

function watch(server: Server): void {
  const responses = new Set<ServerResponse>();
  unfinished.set(server, responses);
  server.on('request', (_request, response: ServerResponse) => {
    responses.add(response);
    response.once('close', () => responses.delete(response));
  });
}

/**
 * Waits until slow readers have what was written for them, then closes. At the deadline whoever is left has had its
 * time: it is cut off, which aborts its upstream and records its outcome.
 */
export async function closeListener(server: Server, deadline: Promise<void>): Promise<void> {
  const last = [...(unfinished.get(server) ?? [])];
  const left = Promise.all(last.map((response) => new Promise((resolve) => response.once('close', resolve))));
  await Promise.race([left, deadline]);
  server.close();
  server.closeAllConnections();
}

export function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') return '';
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}
