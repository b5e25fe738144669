import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAnalyzer, createStreamRedactor, createTokenVault, redactText } from '../../redaction/index.ts';
import type { Operator, RedactionRule, StreamRedactor, TokenVault } from '../../redaction/index.ts';
import { PIECE_LENGTH, PRIVATE_KEY } from '../../redaction/recognizers/private-key.ts';
import { STRICT } from '../../redaction/recognizers/catalogue.ts';
import { cutAt, hostileText } from './texts.ts';

const analyzer = createAnalyzer();
const hashKey = new Uint8Array(32).fill(7);
const vaultKey = new Uint8Array(32).fill(9);
const REPLACE_ALL: RedactionRule[] = [{ types: ['*'], operator: 'replace' }];

function vault(): TokenVault {
  const fresh = createTokenVault(vaultKey);
  fresh.mint('EMAIL_ADDRESS', 'jane.doe@example.com');
  return fresh;
}

const LIVE = vault().mint('EMAIL_ADDRESS', 'jane.doe@example.com');

function open(rules: readonly RedactionRule[], restore?: TokenVault): StreamRedactor {
  const context = { hashKey, vault: createTokenVault(vaultKey) };
  return createStreamRedactor({
    analyzer,
    rules,
    context,
    pointer: '/p',
    ...(restore === undefined ? {} : { restore }),
  });
}

function stream(chunks: readonly string[], rules: readonly RedactionRule[]) {
  const redactor = open(rules, vault());
  const out: string[] = [];
  for (const chunk of chunks) {
    const before = redactor.held;
    out.push(redactor.push(chunk));
    expect(redactor.held).toBeGreaterThanOrEqual(0);
    expect(redactor.held).toBeLessThanOrEqual(before + chunk.length);
  }
  out.push(redactor.end());
  expect(redactor.held).toBe(0);
  return {
    text: out.join(''),
    out,
    applied: redactor.applied(),
    summary: redactor.summary(),
    restored: redactor.restored,
  };
}

function whole(text: string, rules: readonly RedactionRule[]) {
  const findings = analyzer.analyze(text);
  const redacted = redactText(text, findings, rules, { hashKey, vault: createTokenVault(vaultKey) });
  const restored = vault().restore(redacted.text);
  return { ...restored, applied: redacted.applied, findings };
}

function expectSame(text: string, chunks: readonly string[], rules: readonly RedactionRule[] = REPLACE_ALL): void {
  const streamed = stream(chunks, rules);
  const expected = whole(text, rules);
  expect(streamed.text).toBe(expected.text);
  expect(streamed.applied).toEqual(expected.applied);
  expect(streamed.restored).toBe(expected.count);
  const total = streamed.summary.reduce((sum, row) => sum + row.count, 0);
  expect(total).toBe(expected.findings.length);
}

const operator = fc.constantFrom<Operator[]>('redact', 'replace', 'hash', 'surrogate', 'mask', 'tokenize');
const rules = fc.array(
  fc.record({
    types: fc.subarray(['*', 'pii', 'secret', 'EMAIL_ADDRESS', 'PHONE_NUMBER', 'PRIVATE_KEY'], {
      minLength: 1,
      maxLength: 2,
    }),
    operator,
  }),
  { maxLength: 3 },
);

/** Hostile pieces with live placeholders strewn in. */
const text = fc
  .tuple(hostileText, hostileText, fc.boolean())
  .map(([a, b, isLive]) => (isLive ? `${a}${LIVE}${b}` : `${a}${b}`));

describe('streamed redaction equals redaction of the whole', () => {
  test('for random texts, rules and cuts', () => {
    fc.assert(
      fc.property(text, rules, fc.array(fc.nat(), { maxLength: 40 }), (body, someRules, cuts) => {
        expectSame(body, cutAt(body, cuts), someRules);
      }),
      { numRuns: 1500 },
    );
  });

  test('for chunks of single UTF-16 code units', () => {
    fc.assert(
      fc.property(text, rules, (body, someRules) => {
        expectSame(body, body.split(''), someRules);
      }),
      { numRuns: 300 },
    );
  });

  const EXAMPLES = [...STRICT.map((one) => one.example), PRIVATE_KEY.example, LIVE, '😀'];
  const expectCut = (body: string, cut: number, expected: string): void => {
    const redactor = open(REPLACE_ALL, vault());
    expect(redactor.push(body.slice(0, cut)) + redactor.push(body.slice(cut)) + redactor.end()).toBe(expected);
  };

  test('for every single cut of a finding of each kind', () => {
    for (const example of EXAMPLES) {
      const body = `either ${example} or`;
      const expected = whole(body, REPLACE_ALL).text;
      for (let cut = 0; cut <= body.length; cut++) expectCut(body, cut, expected);
    }
  });

  test('for cuts of a text with one finding of each kind', () => {
    const body = EXAMPLES.join(' or ');
    const expected = whole(body, REPLACE_ALL).text;
    for (let cut = 0; cut <= body.length; cut += 41) expectCut(body, cut, expected);
  });

  test('for private keys longer than a piece, with and without their END line', () => {
    const [begin, end] = PRIVATE_KEY.example.split('\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n');
    const body = 'aB3/'.repeat(PIECE_LENGTH / 3);
    for (const tail of [`\n${end ?? ''} after jane.doe@example.com`, '']) {
      const source = `before ${begin ?? ''}\n${body}${tail}`;
      for (const step of [1, 7, 4096, 20_000]) {
        expectSame(source, source.match(new RegExp(`[^]{1,${String(step)}}`, 'g')) ?? []);
      }
    }
  });

  test('for random texts around private keys of about one piece', () => {
    const around = fc.tuple(hostileText, fc.integer({ min: -90, max: 90 }), hostileText, fc.boolean());
    fc.assert(
      fc.property(around, fc.array(fc.integer({ min: -150, max: 150 })), ([before, extra, after, hasEnd], cuts) => {
        const begin = `${before}-----BEGIN PRIVATE KEY-----`;
        const body = 'x'.repeat(PIECE_LENGTH + extra - before.length - 27);
        const source = `${begin}${body}${hasEnd ? '-----END PRIVATE KEY-----' : ''}${after}`;
        const places = cuts.map((cut) => Math.max(0, begin.length + body.length + cut));
        expectSame(source, cutAt(source, places));
      }),
      { numRuns: 150 },
    );
  });

  test('where the END line lies across the end of a piece', () => {
    const [begin, end] = PRIVATE_KEY.example.split('\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n');
    for (let shift = 0; shift < 40; shift += 3) {
      const source = `${begin ?? ''}${'x'.repeat(PIECE_LENGTH - (begin ?? '').length - shift)}${end ?? ''} and 1.2.3.4`;
      expectSame(source, cutAt(source, [PIECE_LENGTH - 5, PIECE_LENGTH, PIECE_LENGTH + 3]));
    }
  });

  test('for a chain of overlapping findings without end', () => {
    const chain = '01 '.repeat(2000);
    for (const operatorName of ['replace', 'tokenize', 'mask'] as const) {
      const some = [{ types: ['*'], operator: operatorName }];
      expectSame(chain, chain.match(/[^]{1,5}/g) ?? [], some);
    }
  });

  test('where an unfinished word begins between a match and the part of it that is reported', () => {
    const signature = `sig=${'aB3d'.repeat(10)}xyz%3D`;
    for (const before of ['://user:pa@ss@ ', '://user:pa@ss@ Hello jane.doe@example.com ', '']) {
      const body = `${before}<x_${signature}`;
      for (let cut = 0; cut <= body.length; cut++) expectSame(body, cutAt(body, [cut]));
    }
  });

  test('with context words before the match in an earlier chunk', () => {
    const body = 'the SSN of that customer is: 536221234';
    expectSame(body, body.split(/(?<= )/));
    expect(stream(body.split(/(?<= )/), REPLACE_ALL).text).toContain('<US_SSN>');
  });
});

describe('what is held back', () => {
  test('ordinary prose comes out word by word', () => {
    const redactor = open(REPLACE_ALL, vault());
    expect(redactor.push('Hello')).toBe('');
    expect(redactor.push(' there')).toBe('Hello ');
    expect(redactor.push(', I ')).toBe('there, I ');
    expect(redactor.held).toBe(0);
    expect(redactor.push('have 3 ')).toBe('have ');
    expect(redactor.push('apples. ')).toBe('3 apples. ');
    expect(redactor.held).toBe(0);
  });

  test('is at most an unfinished word on average', () => {
    const prose =
      'It was a bright cold day in April, and the clocks were striking thirteen; nobody (not even he) cared. ';
    const redactor = open(REPLACE_ALL, vault());
    let held = 0;
    let steps = 0;
    for (const chunk of prose.repeat(20).match(/[^]{1,4}/g) ?? []) {
      redactor.push(chunk);
      held += redactor.held;
      steps += 1;
    }
    expect(held / steps).toBeLessThan(5);
  });

  test('is bounded by the longest match, whatever comes', () => {
    for (const unit of ['a', 'a-', '1 ', '@', 'eyJ', '://a:', 'ghp_', 'DE89 ', '<A']) {
      const redactor = open(REPLACE_ALL, vault());
      let most = 0;
      for (let i = 0; i < 3000; i++) {
        redactor.push(unit);
        most = Math.max(most, redactor.held);
      }
      expect(most).toBeLessThan(2500);
    }
  });

  test('half a surrogate pair waits for the other half', () => {
    const redactor = open(REPLACE_ALL);
    expect(redactor.push('! \ud83d')).toBe('! ');
    expect(redactor.push('\ude00 ')).toBe('😀 ');
    expect(redactor.push('\ud83d')).toBe('');
    expect(redactor.end()).toBe('\ud83d');
  });

  test('a placeholder cut in pieces is restored, a foreign one stays', () => {
    const redactor = open(REPLACE_ALL, vault());
    const text = `Dear ${LIVE}, not <EMAIL_ADDRESS_aaaaaaaa>!`;
    const out =
      text
        .split('')
        .map((char) => redactor.push(char))
        .join('') + redactor.end();
    expect(out).toBe('Dear jane.doe@example.com, not <EMAIL_ADDRESS_aaaaaaaa>!');
    expect(redactor.restored).toBe(1);
  });
});

describe('work and memory', () => {
  const cpuMs = (body: string, step: number): number => {
    const redactor = open(REPLACE_ALL, vault());
    const before = process.cpuUsage();
    for (let i = 0; i < body.length; i += step) redactor.push(body.slice(i, i + step));
    redactor.end();
    return process.cpuUsage(before).user / 1000;
  };

  test.each(['a-', '1 ', '01 ', 'a@b.', '://a:', 'eyJ', '4111 ', 'word and ', '-----BEGIN PRIVATE KEY----- '])(
    'grow linearly with a stream of "%s"',
    (unit) => {
      const sized = (chars: number): string => unit.repeat(Math.ceil(chars / unit.length));
      cpuMs(sized(4000), 3);
      const small = Math.min(cpuMs(sized(8000), 3), cpuMs(sized(8000), 3));
      const large = Math.min(cpuMs(sized(32_000), 3), cpuMs(sized(32_000), 3));
      // Four times the text: a quadratic way would take sixteen times as long.
      expect(large).toBeLessThan(10 * small + 60);
    },
  );
});
