import { createServer } from 'node:net';
import type { Config } from '../gateway/config.ts';
import { CliError, errno } from './errors.ts';

/**
 * Finds out before anything is started whether all listeners can have their ports.
 * @throws CliError `port_in_use`
 */
export async function checkPorts(listen: Config['listen']): Promise<void> {
  const { host, port, adminHost, adminPort, presidioHost, presidioPort } = listen;
  await checkPort(host, port, 'listen.port');
  await checkPort(adminHost, adminPort, 'listen.admin_port');
  if (presidioPort !== null) await checkPort(presidioHost, presidioPort, 'listen.presidio_port');
}

async function checkPort(host: string, port: number, key: string): Promise<void> {
  const server = createServer();
  const failure = await new Promise<unknown>((resolve) => {
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => {
      resolve(null);
    });
  });
  if (failure !== null) throw portError(failure, host, port, key);
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

function portError(failure: unknown, host: string, port: number, key: string): CliError {
  const code = errno(failure) ?? 'unknown';
  const found =
    code === 'EADDRINUSE'
      ? 'another program is using it'
      : code === 'EACCES'
        ? 'this user may not use it'
        : `it failed with ${code}`;
  return new CliError(
    'port_in_use',
    `Expected to listen on ${host} port ${String(port)}, but ${found}. Stop that program (is Countersign already running?), or set ${key} to another port.`,
    { cause: failure },
  );
}
