/**
 * The engines against each other: `npm install --no-save re2 && npx vitest run test/redaction/engine.test.ts`. Where the
 * native one is not installed there is nothing to compare; that is said, and the rest is tested.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ENGINE, loadNative, PORTABLE } from '../../redaction/engine.ts';
import { translateGate } from '../../redaction/presidio/expression.ts';
import { RECOGNIZERS } from '../../redaction/presidio/registry.ts';
import { createScanner } from '../../redaction/presidio/scanner.ts';
import { hostileText } from './texts.ts';

const native = loadNative();

test('the engine in use is the native one where it is installed', () => {
  expect(ENGINE.name).toBe((native ?? PORTABLE).name);
});

test('the portable engine is named with the version that is installed', () => {
  const { version } = JSON.parse(readFileSync('node_modules/re2js/package.json', 'utf8')) as { version: string };
  expect(PORTABLE.name).toBe(`re2js@${version}`);
});

test('what is no expression fails when it is compiled', () => {
  for (const engine of [PORTABLE, native ?? PORTABLE]) expect(() => engine.compileSet(['a', '('])).toThrow();
});

if (native === null) {
  process.stdout.write('The package re2 is not installed: the engines are not compared here.\n');
} else {
  describe('both engines', () => {
    const presidio = (isAscii: boolean): string[] =>
      RECOGNIZERS.flatMap(({ patterns, isCaseSensitive }) =>
        patterns.map(({ expression }) => translateGate(expression, isAscii, isCaseSensitive)),
      );
    test.each([
      ['gates of the Presidio profile for ASCII', presidio(true)],
      ['gates of the Presidio profile for every script', presidio(false)],
    ])('name the same expressions: %s', (_, expressions) => {
      const [one, other] = [PORTABLE, native].map((engine) => engine.compileSet(expressions));
      fc.assert(
        fc.property(hostileText, (text) => {
          expect(new Set(other?.match(text))).toEqual(new Set(one?.match(text)));
        }),
        { numRuns: 300 },
      );
    });

    test('give the same matches', () => {
      const english = RECOGNIZERS.filter(({ languages }) => languages.includes('en'));
      const scanners = [PORTABLE, native].map((engine) => createScanner(english, engine));
      fc.assert(
        fc.property(hostileText, (text) => {
          const [matches, more] = scanners.map((scanner) => [...scanner.scan(text, () => true)]);
          expect(more).toEqual(matches);
        }),
        { numRuns: 300 },
      );
    });
  });
}
