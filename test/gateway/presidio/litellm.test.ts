/**
 * The two calls of LiteLLM's Presidio guardrail as it makes them: the base with `analyze`, what came back handed on as it is
 * to the base with `anonymize`, then `text` and `items` read.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestGateway } from '../../support/gateway.ts';
import { post, startPresidio } from './stand.ts';

let gateway: TestGateway;
let base: string;
beforeAll(async () => {
  gateway = await startPresidio('');
  // It puts a slash behind a base that has none.
  base = `${gateway.dataUrl}/presidio/`;
});
afterAll(() => gateway.stop());

const TEXT = 'My card is 4111-1111-1111-1111 and my mail jane@example.com';

interface Anonymized {
  readonly text: string;
  readonly items: readonly { readonly start: number; readonly end: number; readonly operator: string }[];
}

async function guard(payload: object): Promise<Anonymized> {
  const analyzed = await post(`${base}analyze`, { text: TEXT, language: 'en', ...payload });
  expect([analyzed.status, Array.isArray(analyzed.json)]).toEqual([200, true]);
  const anonymized = await post(`${base}anonymize`, { text: TEXT, analyzer_results: analyzed.json });
  expect(anonymized.status).toBe(200);
  return anonymized.json as Anonymized;
}

test('entities of its configuration', async () => {
  const { text, items } = await guard({ entities: ['CREDIT_CARD', 'EMAIL_ADDRESS', 'PERSON'] });
  expect(text).toBe('My card is <CREDIT_CARD> and my mail <EMAIL_ADDRESS>');
  const written = items.map(({ start, end, operator }) => [text.slice(start, end), operator]);
  expect(written).toEqual([
    ['<EMAIL_ADDRESS>', 'replace'],
    ['<CREDIT_CARD>', 'replace'],
  ]);
});

test('recognizers of its own file, and members that callers add', async () => {
  const patterns = [{ name: 'card word', regex: 'card', score: 0.9 }];
  const own = { name: 'Word', supported_language: 'en', patterns, supported_entity: 'WORD' };
  const { text } = await guard({ entities: ['WORD'], ad_hoc_recognizers: [own], correlation_id: 'a', trace: true });
  expect(text).toBe('My <WORD> is 4111-1111-1111-1111 and my mail jane@example.com');
});

test('only entities that are not found here: an error it can see', async () => {
  const { status, json } = await post(`${base}analyze`, { text: TEXT, language: 'en', entities: ['PERSON'] });
  expect([status, json]).toEqual([500, { error: 'No matching recognizers were found to serve the request.' }]);
});
