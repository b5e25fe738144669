/** Who may use the routes, and what bounds a request. */
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestGateway } from '../../support/gateway.ts';
import { send } from '../chat/client.ts';
import { ask, post, startPresidio } from './stand.ts';

let gateway: TestGateway;
let base: string;
beforeAll(async () => {
  // An address the trusted proxy names stands for a caller from elsewhere.
  gateway = await startPresidio('trusted_proxies: [127.0.0.1]\n');
  base = `${gateway.dataUrl}/presidio`;
});
afterAll(() => gateway.stop());

const SPAN = { start: 0, end: 4, score: 1, entity_type: 'PERSON' };

describe('a caller', () => {
  test('on this machine needs no key', async () => {
    const answer = await post(`${base}/anonymize`, { text: 'Jane', analyzer_results: [SPAN] });
    expect([answer.status, answer.json]).toEqual([
      200,
      {
        text: '<PERSON>',
        items: [{ start: 0, end: 8, entity_type: 'PERSON', text: '<PERSON>', operator: 'replace' }],
      },
    ]);
  });

  test('from elsewhere needs one', async () => {
    const abroad = { 'x-forwarded-for': '198.51.100.7' };
    const body = { text: 'Jane', analyzer_results: [SPAN] };
    const refused = await post(`${base}/anonymize`, body, abroad);
    expect([refused.status, Object.keys(refused.json as object)]).toEqual([401, ['error']]);
    const wrong = await post(`${base}/anonymize`, body, { ...abroad, authorization: 'Bearer cs_nobody_0' });
    expect(wrong.status).toBe(401);
    const known = await post(`${base}/anonymize`, body, { ...abroad, authorization: `Bearer ${gateway.key}` });
    expect(known.status).toBe(200);
  });

  test('on this machine but under a foreign name needs one', async () => {
    const call = (host: string): Promise<{ status: number }> =>
      send(gateway.dataUrl, {
        path: '/presidio/anonymize',
        headers: { host, 'content-type': 'application/json' },
        body: JSON.stringify({ text: 'Jane', analyzer_results: [SPAN] }),
      });
    const statuses = await Promise.all(['evil.example', 'localhost:8787', '127.0.0.1', '[::1]:1'].map(call));
    expect(statuses.map(({ status }) => status)).toEqual([401, 200, 200, 200]);
  });

  test('that may not call models may not call this', async () => {
    const { token } = await gateway.createKey({ roles: ['auditor'] });
    const headers = { 'x-forwarded-for': '198.51.100.7', authorization: `Bearer ${token}` };
    expect((await ask(`${base}/anonymizers`, { headers })).status).toBe(403);
  });
});

describe('a request', () => {
  const big = 'x'.repeat(1_048_577);
  test.each([
    ['a long text', '/anonymize', { text: big, analyzer_results: [] }],
    ['many results', '/anonymize', { text: 'Jane', analyzer_results: Array.from({ length: 10_001 }, () => SPAN) }],
    ['many items', '/deanonymize', { text: 'Jane', anonymizer_results: Array.from({ length: 10_001 }, () => SPAN) }],
    [
      'an answer much longer than the text',
      '/anonymize',
      {
        text: 'a'.repeat(20),
        analyzer_results: Array.from({ length: 20 }, (_, start) => ({
          ...SPAN,
          start,
          end: start + 1,
          entity_type: String(start),
        })),
        anonymizers: { DEFAULT: { type: 'replace', new_value: 'y'.repeat(1_000_000) } },
      },
    ],
    [
      'a body beyond what is read',
      '/anonymize',
      { text: randomBytes(9_000_000).toString('hex'), analyzer_results: [] },
    ],
  ])('with %s is too large', async (_what, path, body) => {
    const answer = await post(`${base}${path}`, body);
    expect([answer.status, typeof (answer.json as { error: unknown }).error]).toEqual([413, 'string']);
  });

  test('may be compressed', async () => {
    const body = gzipSync(JSON.stringify({ text: 'Jane', analyzer_results: [SPAN] }));
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    expect((await ask(`${base}/anonymize`, { method: 'POST', headers, body })).status).toBe(200);
  });

  test.each([
    ['/anonymize', 'text/plain', '{}', 415],
    ['/analyze', 'text/plain', '{}', 500],
    ['/analyze', 'application/json', '{', 500],
    ['/analyze', 'application/json', '', 500],
    ['/anonymize', 'application/json', 'null', 400],
    ['/anonymize', 'application/json', '[1]', 500],
    ['/anonymize', 'application/json', `${'['.repeat(200_000)}${']'.repeat(200_000)}`, 500],
  ])('to %s as %s is answered as Presidio does (%#)', async (path, type, body, status) => {
    const answer = await ask(`${base}${path}`, { method: 'POST', headers: { 'content-type': type }, body });
    expect([answer.status, Object.keys(answer.json as object)]).toEqual([status, ['error']]);
  });

  test('that is not UTF-8 is malformed', async () => {
    const body = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]);
    const headers = { 'content-type': 'application/json' };
    expect((await ask(`${base}/anonymize`, { method: 'POST', headers, body })).status).toBe(400);
  });
});

describe('the routes', () => {
  test.each([
    ['GET', '/nothing', 404, null],
    ['GET', '/anonymize', 405, 'OPTIONS, POST'],
    ['POST', '/anonymizers', 405, 'GET, HEAD, OPTIONS'],
    ['OPTIONS', '/analyze', 200, 'OPTIONS, POST'],
    ['HEAD', '/anonymizers', 200, null],
    ['GET', '/analyzer/health', 200, null],
    ['GET', '/anonymizers/', 404, null],
    ['GET', '/__proto__', 404, null],
  ])('%s %s gives %i', async (method, path, status, allow) => {
    const answer = await ask(`${base}${path}`, { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([status, allow]);
    if (method === 'HEAD') expect(answer.text).toBe('');
  });

  test('list the operators as Presidio lists them', async () => {
    expect((await ask(`${base}/anonymizers`)).json).toEqual([
      'custom',
      'encrypt',
      'hash',
      'keep',
      'mask',
      'redact',
      'replace',
      'surrogate_ahds',
    ]);
    expect((await ask(`${base}/deanonymizers`)).json).toEqual(['decrypt', 'deanonymize_keep']);
  });
});

test('what was encrypted is decrypted again', async () => {
  const key = 'WmZq4t7w!z%C&F)J';
  const text = '🙂 Jane Doe, again Jane';
  const analyzer_results = [
    { ...SPAN, start: 2, end: 10 },
    { ...SPAN, start: 18, end: 22 },
  ];
  const encrypted = await post(`${base}/anonymize`, {
    text,
    analyzer_results,
    anonymizers: { PERSON: { type: 'encrypt', key } },
  });
  const { text: sealed, items } = encrypted.json as { text: string; items: unknown };
  expect(sealed).not.toContain('Jane');
  const back = await post(`${base}/deanonymize`, {
    text: sealed,
    anonymizer_results: items,
    deanonymizers: { DEFAULT: { type: 'decrypt', key } },
  });
  expect((back.json as { text: string }).text).toBe(text);
});
