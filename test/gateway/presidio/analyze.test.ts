/** What is asked of the analyzer in all its forms, and which refusal comes first when several are due. */
import { describe, expect, test } from 'vitest';
import { answerPresidio } from '../../../gateway/ingress/presidio-routes.ts';
import { createPresidioAnalyzer } from '../../../redaction/index.ts';

const analyzer = createPresidioAnalyzer({ recognizers: 'default' });

async function call(target: string, body?: unknown): Promise<{ status: number; json: unknown }> {
  const answer = await answerPresidio(
    {
      method: body === undefined ? 'GET' : 'POST',
      target,
      contentType: 'application/json',
      body: () => Promise.resolve(JSON.stringify(body)),
    },
    { analyzer: () => analyzer, random: () => new Uint8Array(16) },
  );
  return { status: answer.status, json: JSON.parse(answer.body) as unknown };
}

const MAIL = { entity_type: 'EMAIL_ADDRESS', start: 0, end: 13, score: 1, analysis_explanation: null };
const ASK = { text: 'a@example.com', language: 'en', entities: ['EMAIL_ADDRESS'] };
const NONE = 'No matching recognizers were found to serve the request.';
const PARSE = 'Failed to parse /analyze request for AnalyzerEngine.analyze(). ';
const Z = { name: 'z', supported_language: 'en', supported_entity: 'Z' };
const withPattern = (regex: string, score: unknown = 0.5): object => ({
  ...Z,
  patterns: [{ name: 'a', regex, score }],
});

describe('texts', () => {
  test.each([
    ['one', 'a@example.com', [MAIL]],
    ['a batch', ['a@example.com', '', 'none'], [[MAIL], [], []]],
    ['a batch of other things', [null, 5, true, {}], [[], [], [], []]],
    ['a number', 5, []],
  ])('%s', async (_what, text, json) => {
    expect(await call('/analyze', { ...ASK, text })).toEqual({ status: 200, json });
  });

  test('of a batch are bounded in number and together in length', async () => {
    expect((await call('/analyze', { ...ASK, text: Array.from({ length: 1001 }, () => 'x') })).status).toBe(413);
    expect((await call('/analyze', { ...ASK, text: ['x'.repeat(600_000), 'y'.repeat(600_000)] })).status).toBe(413);
  });
});

test.each([
  [{ ...ASK, entities: ['NOPE', 'EMAIL_ADDRESS', 5] }],
  [{ ...ASK, score_threshold: 1 }],
  [{ ...ASK, trace: true, correlation_id: 'x' }],
  [{ ...ASK, allow_list: ['other'] }],
  [{ ...ASK, allow_list: [], allow_list_match: 'nonsense' }],
  [{ ...ASK, context: { any: 1 } }],
])('%j finds the address', async (body) => {
  expect(await call('/analyze', body)).toEqual({ status: 200, json: [MAIL] });
});

test.each([
  [[], 500, "'list' object has no attribute 'get'"],
  [null, 500, "'NoneType' object has no attribute 'get'"],
  [{ text: [] }, 500, 'No text provided'],
  [{ text: 0, language: 'zz' }, 500, 'No text provided'],
  [{ text: 'x', language: '' }, 500, 'No language provided'],
  [{ text: 'x', language: 'zz' }, 500, NONE],
  [{ text: 'x', language: ['en'] }, 500, NONE],
  [{ text: 'x', language: 'en', entities: ['NOPE'] }, 500, NONE],
  [{ text: 'x', language: 'en', entities: [5] }, 500, NONE],
  [{ text: 'x', language: 'en', entities: 'URL' }, 500, NONE],
  [{ text: 'x', language: 'en', entities: 5 }, 400, `${PARSE}'int' object is not iterable`],
  [{ text: 'x', language: 'en', context: [5] }, 500, "'int' object has no attribute 'lower'"],
  [{ text: 'x', language: 'en', context: 2.5 }, 400, `${PARSE}'float' object is not iterable`],
  [{ ...ASK, score_threshold: 'x' }, 400, `${PARSE}'>=' not supported between instances of 'float' and 'str'`],
  [{ ...ASK, allow_list: 5 }, 400, `${PARSE}argument of type 'int' is not iterable`],
  [
    { ...ASK, allow_list: ['x'], allow_list_match: 'both' },
    500,
    "allow_list_match must either be set to 'exact' or 'regex'.",
  ],
  [
    { ...ASK, allow_list: ['', 5], allow_list_match: 'regex' },
    400,
    `${PARSE}sequence item 0: expected str instance, int found`,
  ],
  [{ text: '', ad_hoc_recognizers: [withPattern('(')] }, 500, 'Invalid regex pattern: missing ) at position 1'],
  [
    { ...ASK, ad_hoc_recognizers: [withPattern('a{2,1}')] },
    500,
    'Invalid regex pattern: min repeat greater than max repeat at position 2',
  ],
  [{ ...ASK, ad_hoc_recognizers: [5] }, 500, "'int' object has no attribute 'copy'"],
  [{ ...ASK, ad_hoc_recognizers: [[]] }, 500, "'list' object has no attribute 'get'"],
  [{ ...ASK, ad_hoc_recognizers: 5 }, 400, `${PARSE}'int' object is not iterable`],
  [
    { ...ASK, ad_hoc_recognizers: [{ ...withPattern('x'), extra: 1 }] },
    400,
    `${PARSE}PatternRecognizer.__init__() got an unexpected keyword argument 'extra'`,
  ],
])('%j is refused with %i %s', async (body, status, error) => {
  expect(await call('/analyze', body)).toEqual({ status, json: { error } });
});

test.each(['(a+)+$', '.*a|b', '(x?){200}y'])('a pattern that would take for ever ends: %s', async (regex) => {
  const text = 'a'.repeat(50_000);
  const { status } = await call('/analyze', {
    text,
    language: 'en',
    entities: ['Z'],
    ad_hoc_recognizers: [withPattern(regex)],
  });
  expect([200, 413, 500]).toContain(status);
});

test.each(['/supportedentities', '/supportedentities?language=en', '/recognizers', '/recognizers?language='])(
  '%s lists names',
  async (target) => {
    const { status, json } = await call(target);
    expect(status).toBe(200);
    expect(json).toContain(target.startsWith('/rec') ? 'EmailRecognizer' : 'EMAIL_ADDRESS');
  },
);
