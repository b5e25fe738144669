import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { HOST_BUILTINS } from '../../policies/wasm/builtins.ts';
import { sprintf } from '../../policies/wasm/sprintf.ts';
import { findTools, required } from './toolchain.ts';

/** Our built-ins against the pinned opa's own, argument by argument. */
const tools = await findTools();
const run = test.skipIf(tools === null);

function askOpa(query: string): unknown {
  const out = execFileSync(required(tools).opa, ['eval', '--format', 'json', query], { encoding: 'utf8' });
  const parsed = JSON.parse(out) as { result?: { expressions: { value: unknown }[] }[] };
  return parsed.result?.[0]?.expressions[0]?.value;
}

const ARGUMENTS = [
  '"text"',
  '"naïve 🦊"',
  '""',
  '5',
  '-5',
  '0',
  '9007199254740993',
  '123456789012345678901234567890',
  '1.5',
  '-0.25',
  '1e21',
  '1.25e-7',
  'true',
  'null',
];
const FORMATS = [
  '%s',
  '%v',
  '%d',
  '[%5v]',
  '[%-8v]',
  '[%3d]',
  '[%04d]',
  '[%-4d]',
  '100%% %v',
  '%v %v',
  '%',
  'none',
  '%x',
];
const cases = FORMATS.flatMap((format) => ARGUMENTS.map((argument): [string, string] => [format, argument]));

run('sprintf prints what Go prints, or refuses', () => {
  const calls = cases.map(([format, argument]) => `sprintf(${JSON.stringify(format)}, [${argument}])`);
  const wanted = askOpa(`[${calls.join(', ')}]`) as string[];
  let refused = 0;
  cases.forEach(([format, argument], i) => {
    let printed: string;
    try {
      printed = sprintf(format, `[${argument}]`);
    } catch (error) {
      expect(error).toMatchObject({ name: 'UnsupportedFormat' });
      refused += 1;
      return;
    }
    expect(printed, `${format} of ${argument}`).toBe(wanted[i]);
  });
  expect(refused).toBeLessThan(cases.length / 5);
});

describe('sprintf', () => {
  test('several arguments, in order, and what is missing or too much', () => {
    expect(sprintf('%s=%d', '["a", 1]')).toBe('a=1');
    expect(sprintf('%s %s', '["a"]')).toBe('a %!s(MISSING)');
    expect(sprintf('%s', '["a", 2, "c"]')).toBe('a%!(EXTRA int64=2, string=c)');
    expect(sprintf('%s', '["brackets [{ in \\" text"]')).toBe('brackets [{ in " text');
  });

  test.each([
    ['%q', '["a"]'],
    ['%t', '[true]'],
    ['%.2f', '[1.5]'],
    ['%+d', '[1]'],
    ['%v', '[[1]]'],
    ['%v', '[{"a": 1}]'],
    ['%[1]d', '[1]'],
    ['%*d', '[1, 2]'],
    ['%99999d', '[1]'],
  ])('refuses %s of %s', (format, json) => {
    expect(() => sprintf(format, json)).toThrow('not supported');
  });
});

run.each([
  ['strings.any_prefix_match', '"hello"', '"he"'],
  ['strings.any_prefix_match', '["a", "hello"]', '["x", "he"]'],
  ['strings.any_prefix_match', '["a"]', '[]'],
  ['strings.any_suffix_match', '"hello"', '["lo"]'],
  ['strings.any_suffix_match', '["hello"]', '"he"'],
  ['strings.count', '"banana"', '"an"'],
  ['strings.count', '"aaa"', '"aa"'],
  ['strings.count', '"naïve🦊"', '""'],
  ['crypto.sha256', '"naïve"'],
])('%s answers as opa does', (name, ...args) => {
  expect(HOST_BUILTINS.get(name)?.(args)).toEqual(askOpa(`${name}(${args.join(', ')})`));
});

test('arguments of the wrong type are undefined, as in opa', () => {
  expect(HOST_BUILTINS.get('strings.count')?.(['5', '"a"'])).toBeUndefined();
  expect(HOST_BUILTINS.get('strings.any_prefix_match')?.(['[1]', '"a"'])).toBeUndefined();
  expect(HOST_BUILTINS.get('crypto.sha256')?.(['{}'])).toBeUndefined();
  expect(HOST_BUILTINS.get('sprintf')?.(['5', '[]'])).toBeUndefined();
  expect(HOST_BUILTINS.get('sprintf')?.(['"%s"', '"no list"'])).toBeUndefined();
});
