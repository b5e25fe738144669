import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { sprintf as print } from '../../policies/wasm/builtins/sprintf.ts';
import { isList, readValue } from '../../policies/wasm/value.ts';
import { findTools, required } from './toolchain.ts';

/** Our sprintf against the pinned opa's own, argument by argument. */
const tools = await findTools();
const run = test.skipIf(tools === null);

function askOpa(query: string): unknown {
  const out = execFileSync(required(tools).opa, ['eval', '--format', 'json', query], { encoding: 'utf8' });
  const parsed = JSON.parse(out) as { result?: { expressions: { value: unknown }[] }[] };
  return parsed.result?.[0]?.expressions[0]?.value;
}

function sprintf(format: string, list: string): string {
  const values = readValue(list);
  return print(format, isList(values) ? values : []);
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
  '[]',
  '[1, "a", [2.5]]',
  '{}',
  '{"b": {3, 1}, "a": null}',
  'set()',
  '{"b", "a\\n", 10, 9, true}',
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
      expect(error).toMatchObject({ name: 'Unsupported' });
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
    ['%[1]d', '[1]'],
    ['%*d', '[1, 2]'],
    ['%99999d', '[1]'],
  ])('refuses %s of %s', (format, json) => {
    expect(() => sprintf(format, json)).toThrow('not supported');
  });
});
