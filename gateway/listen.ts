/** Opens a listener, with an error that names the setting to change when it cannot. */
import { createAdaptorServer } from '@hono/node-server';
import type { Server } from 'node:http';
import { GatewayError } from './errors.ts';

type Fetch = Parameters<typeof createAdaptorServer>[0]['fetch'];

export function listen(fetch: Fetch, host: string, port: number, setting: string): Promise<Server> {
  const server = createAdaptorServer({
    fetch,
    serverOptions: { maxHeaderSize: 32_768, requestTimeout: 120_000 },
  }) as Server;
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

export function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') return '';
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}
