/** The listener that serves nothing else: the permission is to reach it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestGateway } from '../../support/gateway.ts';
import { ask, post, startPresidio } from './stand.ts';

let gateway: TestGateway;
let base: string;
beforeAll(async () => {
  gateway = await startPresidio('listen: { port: 0, admin_port: 0, presidio_port: 0 }\n');
  base = gateway.presidioUrl ?? '';
});
afterAll(() => gateway.stop());

const BODY = { text: 'Jane', analyzer_results: [{ start: 0, end: 4, score: 1, entity_type: 'PERSON' }] };

test.each(['', '/presidio', '/anonymizer', '/presidio/anonymizer'])('answers below %j, whoever asks', async (path) => {
  const answer = await post(`${base}${path}/anonymize`, BODY, { 'x-forwarded-for': '198.51.100.7' });
  expect([answer.status, (answer.json as { text: string }).text]).toEqual([200, '<PERSON>']);
});

test.each(['/v1/models', '/v1/chat/completions', '/healthz', '/metrics', '/'])('has no %s', async (path) => {
  expect((await ask(`${base}${path}`)).status).toBe(404);
});

test('leaves the data listener as it was', async () => {
  expect((await post(`${gateway.dataUrl}/presidio/anonymize`, BODY)).status).toBe(200);
});
