import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAnalyzer, createTokenVault, redactText } from '../../redaction/index.ts';
import type { Finding, Operator, RedactionRule, Utf16Offset } from '../../redaction/index.ts';
import { hostileText } from './texts.ts';

const analyzer = createAnalyzer();
const hashKey = new Uint8Array(32).fill(1);
const vaultKey = new Uint8Array(32).fill(2);
const context = () => ({ hashKey, vault: createTokenVault(vaultKey) });

function redact(text: string, ...rules: RedactionRule[]): string {
  return redactText(text, analyzer.analyze(text), rules, context()).text;
}

function all(operator: Operator): RedactionRule {
  return { types: ['*'], operator };
}

const TEXT = 'Jane: jane@example.com, card 4111 1111 1111 1111.';

describe('operators', () => {
  test('redact removes', () => {
    expect(redact(TEXT, all('redact'))).toBe('Jane: , card .');
  });

  test('replace names the type', () => {
    expect(redact(TEXT, all('replace'))).toBe('Jane: <EMAIL_ADDRESS>, card <CREDIT_CARD>.');
  });

  test('hash is keyed, short, and the same for spellings of one value', () => {
    expect(redact('jane@example.com', all('hash'))).toMatch(/^<EMAIL_ADDRESS:[0-9a-f]{16}>$/);
    expect(redact('JANE@example.com', all('hash'))).toBe(redact('jane@example.com', all('hash')));
    expect(redact('4111111111111111', all('hash'))).toBe(redact('4111-1111-1111-1111', all('hash')));
    const other = { hashKey: new Uint8Array(32), vault: createTokenVault(vaultKey) };
    const text = 'jane@example.com';
    expect(redactText(text, analyzer.analyze(text), [all('hash')], other).text).not.toBe(redact(text, all('hash')));
  });

  test('mask keeps the last four digits of a card and nothing else', () => {
    expect(redact(TEXT, all('mask'))).toBe('Jane: ****************, card **** **** **** 1111.');
    expect(redact('é@😀 jane@müller.de', all('mask'))).toBe('é@😀 **************');
  });

  test('tokenize mints', () => {
    expect(redact('jane@example.com', all('tokenize'))).toMatch(/^<EMAIL_ADDRESS_[a-z]{8}>$/);
  });

  test('an unknown operator is refused', () => {
    const rule = { types: ['*'], operator: 'encrypt' as Operator };
    expect(() => redact(TEXT, rule)).toThrow(expect.objectContaining({ code: 'unknown_operator' }));
  });
});

describe('rules', () => {
  test('match by type, kind or everything; the strictest wins', () => {
    expect(redact(TEXT, { types: ['CREDIT_CARD'], operator: 'mask' })).toBe(
      'Jane: jane@example.com, card **** **** **** 1111.',
    );
    expect(
      redact(TEXT, { types: ['pii'], operator: 'tokenize' }, { types: ['EMAIL_ADDRESS'], operator: 'replace' }),
    ).toMatch(/^Jane: <EMAIL_ADDRESS>, card <CREDIT_CARD_[a-z]+>\.$/);
    expect(redact(TEXT, { types: ['secret'], operator: 'redact' })).toBe(TEXT);
    expect(redact(TEXT)).toBe(TEXT);
  });
});

describe('overlapping findings', () => {
  const finding = (type: string, start: number, end: number): Finding => ({
    type,
    kind: 'pii',
    start: start as Utf16Offset,
    end: end as Utf16Offset,
    score: 500,
    recognizer: 'test',
  });
  const apply = (findings: Finding[], ...rules: RedactionRule[]): string =>
    redactText('0123456789', findings, rules, context()).text;

  test('become one span under the strictest operator and its type', () => {
    const rules: RedactionRule[] = [
      { types: ['A'], operator: 'mask' },
      { types: ['B'], operator: 'replace' },
    ];
    expect(apply([finding('A', 1, 5), finding('B', 4, 7)], ...rules)).toBe('0<B>789');
    expect(apply([finding('B', 4, 7), finding('A', 1, 5)], ...rules)).toBe('0<B>789');
    expect(apply([finding('A', 1, 5), finding('B', 5, 7)], ...rules)).toBe('0****<B>789');
  });

  test('without a rule neither change nor widen a span', () => {
    expect(apply([finding('A', 1, 5), finding('B', 4, 7)], { types: ['B'], operator: 'replace' })).toBe('0123<B>789');
  });

  test('of equal strictness take the longer name', () => {
    expect(apply([finding('A', 1, 4), finding('B', 2, 9)], all('replace'))).toBe('0<B>9');
  });
});

test('no character of a covered finding survives', () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      const marked = text.replaceAll('*', '.');
      const findings = analyzer.analyze(marked);
      const masked = redactText(marked, findings, [{ types: ['*'], operator: 'redact' }], context()).text;
      const covered = new Set<number>();
      for (const { start, end } of findings) for (let i: number = start; i < end; i++) covered.add(i);
      expect(masked).toBe(
        marked
          .split('')
          .filter((_, i) => !covered.has(i))
          .join(''),
      );
    }),
    { numRuns: 300 },
  );
});
