/** Encrypted connections to a database of the operator's own: who is not the server gets nothing, the password least of all. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createSecureContext, TLSSocket } from 'node:tls';
import { afterEach, expect, inject, onTestFinished, test } from 'vitest';
import type { DatabaseOptions } from '../../cli/database-url.ts';
import { createPool } from '../../cli/embedded/pool.ts';

/** Of a certificate for localhost that nobody trusts, made for these tests. */
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgWtjNZ1yyweaLAXTo
nPEqMKah7JRaoIL1WxpyYAXS5f+hRANCAARaiJigSw6fj0jS6dCgiOBIw8OACqJh
rp4OiRUAa6vA7zatX6OZwgXpl+b//gg7wrv5ndAOOiJG+N6iVu8435pu
-----END PRIVATE KEY-----`;
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBljCCATugAwIBAgIUDtBuhrGBcYSrIlXr4GJaLDYp3ucwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjAwNTUwN1oYDzIxMjYxMDI5
MDA1NTA3WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARaiJigSw6fj0jS6dCgiOBIw8OACqJhrp4OiRUAa6vA7zatX6OZwgXp
l+b//gg7wrv5ndAOOiJG+N6iVu8435puo2kwZzAdBgNVHQ4EFgQUFX1b+MlYoqFi
FDGOJhwMaPVSDo0wHwYDVR0jBBgwFoAUFX1b+MlYoqFiFDGOJhwMaPVSDo0wDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SQAwRgIhAPUMj7BIskg8R8QsN3WV5Y4GvBktCad7DjQIHjiRI6EwAiEAyIOBRTXS
dE81QuBve79w2p2bUC9vZQuw73IKEoyRbrA=
-----END CERTIFICATE-----`;

/** What the server answers to the request for encryption. */
type Manner = 'agrees' | 'refuses' | 'injects';

const AGREED = Buffer.from('S');
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** The real database behind TLS. `heard` counts the bytes that came after the request for encryption. */
async function encrypted(manner: Manner): Promise<{ port: number; heard: () => number }> {
  const { host, port } = inject('superuser');
  let heard = 0;
  const count = (chunk: Buffer): void => void (heard += chunk.length);
  const server = createServer((raw: Socket) => {
    raw.on('error', () => undefined);
    raw.once('data', () => {
      if (manner !== 'agrees') {
        raw.on('data', count);
        raw.write(manner === 'refuses' ? 'N' : Buffer.concat([AGREED, Buffer.from('E\0\0\0\x04')]));
        return;
      }
      raw.write(AGREED);
      const secureContext = createSecureContext({ key: KEY, cert: CERTIFICATE });
      const client = new TLSSocket(raw, { isServer: true, secureContext });
      const database = connect(join(host, `.s.PGSQL.${String(port)}`));
      client.on('data', count);
      for (const socket of [client, database]) socket.on('error', () => undefined);
      client.pipe(database).pipe(client);
    });
  });
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, heard: () => heard };
}

async function ask(port: number, ssl: DatabaseOptions['ssl']): Promise<unknown> {
  const options = { ...inject('superuser'), database: 'postgres', host: 'localhost', port, ssl };
  const sql = createPool(options, 1, { connectMs: 10_000, statementMs: null });
  onTestFinished(() => sql.end({ timeout: 1 }));
  const [row] = await sql<{ one: number }[]>`select 1 as one`;
  return row?.one;
}

test('require: encrypted, whoever the server is', async () => {
  const { port, heard } = await encrypted('agrees');
  expect(await ask(port, 'require')).toBe(1);
  expect(heard()).toBeGreaterThan(0);
});

test('verify-full: a certificate nobody vouches for ends it before anything is said', async () => {
  const { port, heard } = await encrypted('agrees');
  await expect(ask(port, 'verify-full')).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  expect(heard()).toBe(0);
});

test.each(['refuses', 'injects'] as const)('a server that %s gets no unencrypted word', async (manner) => {
  for (const ssl of ['require', 'verify-full'] as const) {
    const { port, heard } = await encrypted(manner);
    await expect(ask(port, ssl)).rejects.toMatchObject({ code: 'TLS_REFUSED' });
    expect(heard()).toBe(0);
  }
});
