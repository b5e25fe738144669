import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createAnalyzer } from '../../redaction/index.ts';
import { STRICT } from '../../redaction/recognizers/catalogue.ts';
import { PRIVATE_KEY } from '../../redaction/recognizers/private-key.ts';

interface Case {
  readonly text: string;
  /** Type and text of every finding, in order. */
  readonly find: readonly (readonly [string, string])[];
  readonly why?: string;
}

const FOLDER = 'test/redaction/cases';
const analyzer = createAnalyzer();

function found(text: string): [string, string][] {
  return analyzer.analyze(text).map((finding) => [finding.type, text.slice(finding.start, finding.end)]);
}

for (const file of readdirSync(FOLDER)) {
  describe(file, () => {
    const cases = readFileSync(`${FOLDER}/${file}`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Case);
    test.each(cases)('$text', ({ text, find }) => {
      expect(found(text)).toEqual(find);
    });
  });
}

describe('every recognizer', () => {
  test.each(STRICT.map((one) => [one.id, one] as const))('%s finds its example in a sentence', (id, recognizer) => {
    const findings = analyzer.analyze(`see ${recognizer.example} .`);
    expect(findings.map((finding) => finding.recognizer)).toContain(id);
  });

  test.each(STRICT.map((one) => [one.id, one] as const))(
    '%s: its filters match where a match begins',
    (_, recognizer) => {
      const text = `see ${recognizer.example} .`;
      const match = new RegExp(recognizer.pattern).exec(text);
      if (recognizer.keywords.length === 0) expect(match?.[0].slice(0, 40)).toMatch(/[0-9]/);
      else expect(recognizer.keywords.some((keyword) => match?.[0].includes(keyword))).toBe(true);
    },
  );

  test('is named with its version among the detectors', () => {
    const ids = [...STRICT, PRIVATE_KEY].map((one) => `${one.id}@${String(one.version)}`);
    expect(analyzer.detectors).toEqual(ids);
  });
});

describe('context words', () => {
  test('count up to five words before, also across more than one line', () => {
    expect(found('SSN of the customer is:\n536221234')).toHaveLength(1);
    expect(found('SSN one two three four five 536221234')).toHaveLength(0);
  });

  test('count as whole words only', () => {
    expect(found('antisocially 536221234')).toHaveLength(0);
  });

  test('behind the match do not count', () => {
    expect(found('536221234 is my SSN')).toHaveLength(0);
  });
});
