import fc from 'fast-check';
import { RE2JS } from 're2js';
import { expect, test } from 'vitest';
import {
  codePointsOf,
  compilePython,
  createReadBudget,
  firstMatch,
  matchAll,
} from '../../../redaction/presidio/pattern-machine.ts';

const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '\\w', 'é', '^', '$');
const quantifier = fc.constantFrom('', '', '', '?', '*', '+', '{2}', '{1,3}', '*?', '+?', '??');

const { expression } = fc.letrec<{ expression: string; piece: string }>((tie) => ({
  piece: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    atom,
    fc.tuple(tie('expression'), quantifier).map(([inner, times]) => `(?:${inner}c)${times}`),
    fc.tuple(fc.constantFrom('a', 'b', '.', '[ab1]'), quantifier).map(([one, times]) => `${one}${times}`),
  ),
  expression: fc.oneof(
    { maxDepth: 3 },
    fc.array(tie('piece'), { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join('')),
    fc.array(tie('piece'), { minLength: 2, maxLength: 3 }).map((options) => options.join('|')),
  ),
}));

const texts = fc
  .array(fc.constantFrom('a', 'b', 'c', '1', '\n', 'é', 'ab', '🙂'), { maxLength: 14 })
  .map((parts) => parts.join(''));

/** The first match, in code points. */
function machineSpan(source: string, text: string): readonly number[] | null {
  return firstMatch(compilePython(source, 26), codePointsOf(text), createReadBudget(10_000));
}

function engineSpan(source: string, text: string): readonly number[] | null {
  const flags = RE2JS.CASE_INSENSITIVE | RE2JS.MULTILINE | RE2JS.DOTALL;
  const matcher = RE2JS.compile(source, flags).matcher(text);
  const point = (offset: number): number => Array.from(text.slice(0, offset)).length;
  return matcher.find() ? [point(matcher.start()), point(matcher.end())] : null;
}

/** A lazy part inside of a group that is repeated: where such a group matches nothing, RE2 ends the repetition earlier than we do. */
const REPEATED_LAZY = /[*+?}]\?.*\)[*+?{]/;

test('the first match is RE2’s', () => {
  fc.assert(
    fc.property(expression, texts, (source, text) => {
      fc.pre(!REPEATED_LAZY.test(source));
      const ascii = source.replaceAll('\\w', '[0-9a-zé]').replaceAll('\\d', '[0-9]');
      expect([source, text, machineSpan(source, text)]).toEqual([source, text, engineSpan(ascii, text)]);
    }),
    { numRuns: 3000 },
  );
});

test('a match may begin where an empty one was', () => {
  const spans = [...matchAll(compilePython('a??', 0), codePointsOf('aab'), createReadBudget(100))];
  expect(spans).toEqual([
    [0, 1],
    [1, 2],
  ]);
});
