import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recognize } from '../../../redaction/presidio/recognize.ts';
import type { PresidioRecognizer } from '../../../redaction/presidio/recognizer.ts';
import { RECOGNIZERS } from '../../../redaction/presidio/registry.ts';
import { createScanner } from '../../../redaction/presidio/scanner.ts';
import { judgeAll } from '../../../redaction/presidio/recognize.ts';
import { readRows } from './rows.ts';

const TEXTS = [...readRows('analyzer_recognizers.jsonl'), ...readRows('observed_unicode.jsonl')].map(
  ({ text }) => text,
);
const FILLERS = [
  ' ',
  '\n',
  ', ',
  ' and some words between them, ',
  'é',
  '🙂',
  '.',
  '. '.repeat(100),
  '-',
  ':',
  '2',
  'x@',
  '﹣',
  '\ud800',
  '\u0301',
];
const LANGUAGES = [...new Set(RECOGNIZERS.flatMap(({ languages }) => languages))];

const texts = fc
  .array(fc.tuple(fc.constantFrom(...TEXTS), fc.constantFrom(...FILLERS)), { maxLength: 8 })
  .map((parts) => parts.flat().join(''));

type Spans = readonly string[];

const alone = (recognizer: PresidioRecognizer, text: string): Spans =>
  recognize(recognizer, text).map(({ start, end, score }) => `${String(start)}-${String(end)} ${String(score)}`);

/** A recognizer may fail on digits of other scripts; both ways must. */
function attempt(find: () => Spans): Spans {
  try {
    return find();
  } catch (error) {
    return [(error as Error).message];
  }
}

describe('one pass finds what each recognizer finds by itself', () => {
  test.each(LANGUAGES)('language %s', (language) => {
    const recognizers = RECOGNIZERS.filter(({ languages }) => languages.includes(language));
    const scanner = createScanner(recognizers);
    fc.assert(
      fc.property(texts, (text) => {
        const matches = scanner.scan(text, () => true);
        for (const recognizer of recognizers) {
          const together = attempt(() =>
            judgeAll(recognizer, text, matches.get(recognizer) ?? []).map(
              ({ start, end, score }) => `${String(start)}-${String(end)} ${String(score)}`,
            ),
          );
          expect([recognizer.name, text, together]).toEqual([
            recognizer.name,
            text,
            attempt(() => alone(recognizer, text)),
          ]);
        }
      }),
      { numRuns: 60 },
    );
  });
});
