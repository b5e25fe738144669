import { describe, expect, test } from 'vitest';
import {
  classifyDocument,
  createAnalyzer,
  createTokenVault,
  editDocument,
  readDocument,
  redactDocument,
} from '../../redaction/index.ts';
import type { RedactionRule, TokenVault } from '../../redaction/index.ts';

const analyzer = createAnalyzer();
const hashKey = new Uint8Array(32);
const vaultKey = new Uint8Array(32).fill(5);
const REPLACE: RedactionRule[] = [{ types: ['*'], operator: 'replace' }];

function redacted(
  source: string,
  rules: readonly RedactionRule[],
  vault = createTokenVault(vaultKey),
  restore?: TokenVault,
) {
  const document = readDocument(source);
  const { findings } = classifyDocument(document, analyzer);
  const result = redactDocument(
    document,
    findings,
    rules,
    { hashKey, vault },
    restore === undefined ? {} : { restore },
  );
  return { ...result, source: editDocument(document, result.edits) };
}

const CHAT = JSON.stringify({
  model: 'm',
  messages: [
    { role: 'system', content: 'You help jane@example.com' },
    { role: 'user', content: [{ type: 'text', text: 'card 4111 1111 1111 1111' }] },
    {
      role: 'assistant',
      tool_calls: [{ function: { name: 'send', arguments: '{"to": "jane@example.com", "n": 1.0}' } }],
    },
  ],
  metadata: { 'john@example.com': '10.0.0.1' },
});

describe('every string of a chat request', () => {
  test('is redacted in place', () => {
    const result = redacted(CHAT, REPLACE);
    expect(JSON.parse(result.source)).toEqual({
      model: 'm',
      messages: [
        { role: 'system', content: 'You help <EMAIL_ADDRESS>' },
        { role: 'user', content: [{ type: 'text', text: 'card <CREDIT_CARD>' }] },
        {
          role: 'assistant',
          tool_calls: [{ function: { name: 'send', arguments: '{"to": "<EMAIL_ADDRESS>", "n": 1.0}' } }],
        },
      ],
      metadata: { '<EMAIL_ADDRESS>': '<IP_ADDRESS>' },
    });
    expect(result.applied).toEqual([
      { type: 'CREDIT_CARD', operator: 'replace', count: 1 },
      { type: 'EMAIL_ADDRESS', operator: 'replace', count: 3 },
      { type: 'IP_ADDRESS', operator: 'replace', count: 1 },
    ]);
  });

  test('twice redacted is once redacted', () => {
    const once = redacted(CHAT, REPLACE).source;
    expect(redacted(once, REPLACE)).toMatchObject({ edits: [], source: once });
  });

  test('only where the paths of a rule say', () => {
    const paths = ['/messages/*/content', '/messages/2/tool_calls/0/function/arguments'];
    const { source } = redacted(CHAT, [{ types: ['*'], operator: 'replace', paths }]);
    expect(source).toContain('"to\\": \\"<EMAIL_ADDRESS>');
    expect(source).toContain('"john@example.com":"10.0.0.1"');
    expect(redacted(CHAT, [{ types: ['*'], operator: 'replace', paths: [] }]).edits).toEqual([]);
  });

  test('member names that become equal are kept apart', () => {
    const { source } = redacted('{"a@x.com":1,"b@x.com":2,"<EMAIL_ADDRESS>":3}', REPLACE);
    expect(JSON.parse(source)).toEqual({ '<EMAIL_ADDRESS>_2': 1, '<EMAIL_ADDRESS>_3': 2, '<EMAIL_ADDRESS>': 3 });
  });

  test('text in a data: URL is redacted by re-encoding, together with the text around it', () => {
    const url = (text: string): string => `data:text/plain;base64,${Buffer.from(text).toString('base64')}`;
    const { source } = redacted(JSON.stringify([`x@example.com ${url('SSN 536-22-1234')} 1.2.3.4`]), REPLACE);
    expect(JSON.parse(source)).toEqual([`<EMAIL_ADDRESS> ${url('SSN <US_SSN>')} <IP_ADDRESS>`]);
  });
});

describe('values that are not one plain string', () => {
  test('long numbers are scanned and replaced by text', () => {
    expect(redacted('{"n": 4111111111111111, "t": 1763766000}', REPLACE).source).toBe(
      '{"n": "<CREDIT_CARD>", "t": 1763766000}',
    );
    expect(redacted('[4111111111111111,1.5e3,-7]', REPLACE).source).toBe('["<CREDIT_CARD>",1.5e3,-7]');
    const { source } = redacted(JSON.stringify({ arguments: '{"ssn": 536221234}' }), REPLACE);
    expect(JSON.parse(source)).toEqual({ arguments: '{"ssn": "<US_SSN>"}' });
  });

  test('the name of a member is the context of its value', () => {
    expect(redacted('{"ssn":"536221234","customerSsn":"536221234","n":"536221235"}', REPLACE).source).toBe(
      '{"ssn":"<US_SSN>","customerSsn":"<US_SSN>","n":"536221235"}',
    );
    expect(redacted('{"client_secret":"q7Zr2Wn9TbX4"}', REPLACE).source).toBe('{"client_secret":"<GENERIC_SECRET>"}');
  });

  test('split over members, elements and messages are found in all their parts', () => {
    const parts = (source: string): unknown => JSON.parse(redacted(source, REPLACE).source);
    expect(parts('{"a":"4012 8888","b":"8888 1881"}')).toEqual({ a: '<CREDIT_CARD>', b: '<CREDIT_CARD>' });
    expect(parts('["4012","8888","8888","1881"]')).toEqual([
      '<CREDIT_CARD>',
      '<CREDIT_CARD>',
      '<CREDIT_CARD>',
      '<CREDIT_CARD>',
    ]);
    expect(parts('["write to jane.doe@","example.com today"]')).toEqual([
      'write to <EMAIL_ADDRESS>',
      '<EMAIL_ADDRESS> today',
    ]);
    const messages = ['my card is 4012 8888', '8888 1881, thanks'].map((content) => ({ role: 'user', content }));
    expect(parts(JSON.stringify({ messages }))).toEqual({
      messages: [
        { role: 'user', content: 'my card is <CREDIT_CARD>' },
        { role: 'user', content: '<CREDIT_CARD>, thanks' },
      ],
    });
    expect(redacted('["in 2024","the 12 of us","and 4 more","555 12"]', REPLACE).edits).toEqual([]);
  });

  test('names of tools, descriptions, file names, metadata and inputs of embeddings', () => {
    const source = JSON.stringify({
      tools: [
        {
          function: {
            name: 'f',
            description: 'ask jane@example.com',
            parameters: { properties: { 'jane@example.com': { enum: ['10.1.2.3'] } } },
          },
        },
      ],
      messages: [{ content: [{ file: { filename: 'jane@example.com.pdf' } }] }],
      metadata: { by: 'jane@example.com' },
      input: ['jane@example.com'],
    });
    expect(redacted(source, REPLACE).source).not.toMatch(/jane|10\.1\.2\.3/);
  });
});

describe('restoring an answer', () => {
  test('comes after redaction and stays inside JSON arguments', () => {
    const request = createTokenVault(vaultKey);
    const token = request.mint('JWT', 'a"b\\c\n');
    const answer = JSON.stringify({
      content: `${token}, ask john@example.com`,
      arguments: JSON.stringify({ q: token, n: 1 }),
    });
    const result = redacted(answer, REPLACE, createTokenVault(vaultKey), request);
    expect(result.restored).toBe(2);
    const body = JSON.parse(result.source) as { content: string; arguments: string };
    expect(body.content).toBe('a"b\\c\n, ask <EMAIL_ADDRESS>');
    expect(JSON.parse(body.arguments)).toEqual({ q: 'a"b\\c\n', n: 1 });
  });

  test('in arguments that are no JSON restores the plain text', () => {
    const request = createTokenVault(vaultKey);
    const token = request.mint('EMAIL_ADDRESS', 'jane@example.com');
    const result = redacted(JSON.stringify({ arguments: `to ${token}` }), [], createTokenVault(vaultKey), request);
    expect(JSON.parse(result.source)).toEqual({ arguments: 'to jane@example.com' });
  });

  test('of a tokenized request gives back what was sent', () => {
    const vault = createTokenVault(vaultKey);
    const sent = redacted(CHAT, [{ types: ['*'], operator: 'tokenize' }], vault);
    expect(sent.source).not.toMatch(/example\.com|4111|10\.0\.0\.1/);
    expect(JSON.parse(redacted(sent.source, [], vault, vault).source)).toEqual(JSON.parse(CHAT));
  });
});

describe('classification', () => {
  test('summarises by type with public paths and counts what was scanned', () => {
    const { summary, scannedTexts, scannedChars, unscanned, detectors } = classifyDocument(
      readDocument(CHAT),
      analyzer,
      hashKey,
    );
    expect(summary.map(({ type, kind, count, max_score }) => [type, kind, count, max_score])).toEqual([
      ['CREDIT_CARD', 'pii', 1, 1000],
      ['EMAIL_ADDRESS', 'pii', 3, 1000],
      ['IP_ADDRESS', 'pii', 1, 600],
    ]);
    expect(summary[1]?.paths[0]).toBe('/messages/0/content');
    expect(summary[1]?.paths[1]).toMatch(/^\/messages\/2\/tool_calls\/0\/function\/arguments#\/~[0-9a-f]{8}$/);
    expect(summary[2]?.paths).toEqual([expect.stringMatching(/^\/metadata\/~[0-9a-f]{8}$/)]);
    expect(JSON.stringify(summary)).not.toContain('example');
    expect(scannedTexts).toBe(readDocument(CHAT).texts.length);
    expect(scannedChars).toBe(readDocument(CHAT).texts.reduce((sum, { text }) => sum + text.length, 0));
    expect(unscanned).toEqual([]);
    expect(detectors).toContain('email@1');
  });

  test('names what it cannot scan and scans everything around it', () => {
    const image = `data:image/png;base64,${'iVBOR4111111111111111jane'.repeat(10)}`;
    const document = readDocument(
      JSON.stringify({
        messages: [
          {
            content: [
              { image_url: { url: `${image} jane@example.com` } },
              { image_url: { url: 'https://x:1@internal/a?u=jane@example.com' } },
              { input_audio: { data: 'UklGRg==' } },
            ],
          },
        ],
      }),
    );
    const { unscanned, findings } = classifyDocument(document, analyzer);
    expect(unscanned).toEqual([
      { what: 'image', path: '/messages/0/content/0/image_url/url' },
      { what: 'remote_url', path: '/messages/0/content/1/image_url/url' },
      { what: 'audio', path: '/messages/0/content/2/input_audio/data' },
    ]);
    expect(findings.map(({ type }) => type)).toEqual(['EMAIL_ADDRESS', 'URL_PASSWORD', 'EMAIL_ADDRESS']);
  });

  test('a text with more findings than the limit is not scanned to its end, and redacted holds none of the rest', () => {
    const few = createAnalyzer({ maxFindings: 2 });
    const read = (text: string) => readDocument(JSON.stringify({ content: text }));
    expect(classifyDocument(read('a@x.com b@x.com'), few).unscanned).toEqual([]);
    const document = read(`${'a@x.com '.repeat(300)}tail`);
    const { unscanned, findings, summary } = classifyDocument(document, few);
    expect(unscanned).toEqual([{ what: 'too_many', path: '/content' }]);
    expect(summary.map(({ type }) => type)).not.toContain('NOT_SCANNED');
    for (const types of [['*'], ['pii'], ['secret'], ['US_SSN']]) {
      const vault = createTokenVault(vaultKey);
      const { edits } = redactDocument(document, findings, [{ types, operator: 'replace' }], { hashKey, vault });
      expect(editDocument(document, edits)).toBe('{"content":"<NOT_SCANNED>"}');
    }
  });

  test('at most sixteen paths are listed', () => {
    const { summary } = classifyDocument(
      readDocument(JSON.stringify(Array.from({ length: 30 }, () => 'a@x.com'))),
      analyzer,
    );
    expect(summary[0]).toMatchObject({ count: 30 });
    expect(summary[0]?.paths).toHaveLength(16);
  });
});
