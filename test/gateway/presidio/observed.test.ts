/** Request and response pairs recorded from Presidio's own services, asked of a gateway over HTTP. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestGateway } from '../../support/gateway.ts';
import { ask, startPresidio } from './stand.ts';

interface Row {
  readonly id: string;
  readonly request: { method: string; path: string; content_type: string | null; raw_body: string | null };
  readonly observed: { status: number; content_type: string; json?: unknown; text?: string };
}

const rows = readFileSync('test/cases/presidio/observed_rest.jsonl', 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Row);

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startPresidio();
});
afterAll(() => gateway.stop());

test.each(rows.map((row) => [row.id, row] as const))('%s', async (_id, { request, observed }) => {
  const { raw_body: body, content_type: type } = request;
  const answer = await ask(`${gateway.dataUrl}/presidio${request.path}`, {
    method: request.method,
    ...(type === null ? {} : { headers: { 'content-type': type } }),
    ...(body === null ? {} : { body }),
  });
  expect(answer.status).toBe(observed.status);
  expect(answer.type).toBe(observed.content_type);
  if (observed.text === undefined) expect(answer.json).toEqual(observed.json);
  else expect(answer.text).toBe(observed.text);
});
