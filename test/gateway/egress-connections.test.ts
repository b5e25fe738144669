import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { LookupAddress } from 'node:dns';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addressProblem, createEgress, EGRESS_USES } from '../../gateway/egress.ts';
import type { EgressOptions } from '../../gateway/egress.ts';

describe('addresses', () => {
  const METADATA = [
    '169.254.169.254',
    '169.254.0.1',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '::169.254.169.254',
    '64:ff9b::169.254.169.254',
    '2002:a9fe:a9fe::1',
    'fe80::1',
    'fe80::1%eth0',
    'febf::1',
    'fd00:ec2::254',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    '0.0.0.0',
    '::',
    '::ffff:0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    'ff02::1',
  ];
  test.each(METADATA)('%s is never reached', (address) => {
    expect(addressProblem(address, true)).not.toBeNull();
    expect(addressProblem(address, false)).not.toBeNull();
  });

  test.each(['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'])('%s may be plain', (address) => {
    expect(addressProblem(address, false)).toBeNull();
    expect(addressProblem(address, true)).toBeNull();
  });

  test.each(['10.0.0.1', '192.168.1.1', '8.8.8.8', '2606:4700::1', 'fc00::1', '::ffff:8.8.8.8'])(
    '%s needs TLS',
    (address) => {
      expect(addressProblem(address, true)).toBeNull();
      expect(addressProblem(address, false)).toMatch(/plain http/);
    },
  );

  test.each(['', 'localhost', 'example.com', '1.2.3', '0x7f.1', '2130706433'])('"%s" is no address', (address) => {
    expect(addressProblem(address, true)).not.toBeNull();
  });
});

describe('connections', () => {
  let server: Server;
  let port: number;
  const seen: string[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push(request.url ?? '');
      if (request.url === '/redirect') response.writeHead(302, { location: '/target' }).end();
      else if (request.url === '/long') response.end('x'.repeat(5000));
      else if (request.url !== '/silent')
        response.end(JSON.stringify({ path: request.url, accept: request.headers['accept-encoding'] }));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const resolvingTo = (...addresses: string[]): EgressOptions => ({
    resolve: (_hostname, _options, callback) => {
      const found: LookupAddress[] = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      process.nextTick(callback, null, found);
    },
  });
  const get = async (url: string, options: EgressOptions = {}): Promise<{ status: number; text: string }> => {
    const egress = createEgress(options);
    try {
      const { status, body } = await egress.request({ purpose: 'jwks', url, timeoutMs: 2000, maxBytes: 1000 });
      return { status, text: body.toString() };
    } finally {
      await egress.close();
    }
  };

  test('reach a plain server on loopback, by address and by name', async () => {
    expect(await get(`http://127.0.0.1:${port}/a?b=c`)).toEqual({
      status: 200,
      text: '{"path":"/a?b=c","accept":"identity"}',
    });
    expect((await get(`http://keys.example:${port}/`, resolvingTo('127.0.0.1'))).status).toBe(200);
  });

  test.each([
    ['a literal', 'http://169.254.169.254/'],
    ['a number', 'http://2852039166/'],
    ['hexadecimal', 'http://0xa9fea9fe/'],
    ['a mapped literal', 'http://[::ffff:169.254.169.254]/'],
    ['link-local version 6', 'https://[fe80::1]/'],
    ['plain text to another host', 'http://10.0.0.1/'],
    ['unspecified', 'http://0.0.0.0/'],
  ])('are refused to %s before a packet leaves', async (_name, url) => {
    await expect(get(url)).rejects.toMatchObject({
      code: 'upstream_error',
      message: expect.stringMatching(/never connected to/) as string,
    });
  });

  test.each([
    ['a metadata address', ['169.254.169.254']],
    ['one bad address among good ones', ['127.0.0.1', '169.254.169.254']],
    ['a mapped address', ['::ffff:169.254.169.254']],
    ['an address that is not loopback', ['127.0.0.1', '10.0.0.1']],
    ['nothing', []],
  ])('are refused when a name resolves to %s', async (_name, addresses) => {
    const before = seen.length;
    const run = get(`http://rebound.example:${port}/`, resolvingTo(...addresses));
    await expect(run).rejects.toMatchObject({
      code: 'upstream_error',
      message: expect.stringMatching(/never connected to/) as string,
    });
    expect(seen.length).toBe(before);
  });

  test('do not follow redirects', async () => {
    const before = seen.length;
    expect((await get(`http://127.0.0.1:${port}/redirect`)).status).toBe(302);
    expect(seen.slice(before)).toEqual(['/redirect']);
  });

  test('bound what they read and how long they wait', async () => {
    await expect(get(`http://127.0.0.1:${port}/long`)).rejects.toMatchObject({ code: 'upstream_error' });
    const egress = createEgress();
    const silent = egress.request({
      purpose: 'jwks',
      url: `http://127.0.0.1:${port}/silent`,
      timeoutMs: 50,
      maxBytes: 10,
    });
    await expect(silent).rejects.toMatchObject({ code: 'upstream_timeout' });
    await egress.close();
  });

  test('only to http and https URLs, and one pool per purpose and origin', async () => {
    const egress = createEgress();
    for (const url of ['', 'ftp://x/', 'file:///etc/passwd', 'data:text/plain,x', 'not a url']) {
      expect(() => egress.pool('upstream', url)).toThrow(/http or https/);
    }
    const pool = egress.pool('upstream', 'https://api.example/v1');
    expect(egress.pool('upstream', 'https://API.example:443')).toBe(pool);
    expect(egress.pool('jwks', 'https://api.example')).not.toBe(pool);
    await egress.close();
  });

  test('every use says why and what leaves', () => {
    for (const use of Object.values(EGRESS_USES)) {
      expect(use.purpose.length).toBeGreaterThan(10);
      expect(use.dataClass.length).toBeGreaterThan(3);
    }
  });
});
