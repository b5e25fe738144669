import { expect, test } from 'vitest';
import { createLog } from '../../gateway/log.ts';

function logged(cause: unknown): Record<string, unknown> {
  const lines: string[] = [];
  const log = createLog({ level: 'error', destination: { write: (line: string) => void lines.push(line) } });
  log.unexpected('cs-1', cause);
  return JSON.parse(lines.join('')) as Record<string, unknown>;
}

test('an unexpected error is logged with its first frame and without its message', () => {
  expect(logged(new TypeError('no word of this'))).toEqual({
    level: 50,
    time: expect.any(String) as string,
    call: 'cs-1',
    error: 'TypeError',
    error_code: null,
    at: expect.stringMatching(/^\/.*log\.test\.ts:[0-9]+$/) as string,
    event: 'unexpected',
  });
});

test('a message that looks like a frame, or is long, is not taken for one', () => {
  const forged = logged(new Error('x\n    at secret (/etc/secret:1:1)\n' + '\n\tat '.repeat(100_000)));
  expect(forged['at']).toMatch(/log\.test\.ts:[0-9]+$/);
  expect(JSON.stringify(forged)).not.toContain('secret');
});

test('what is no error has a type and no place', () => {
  expect(logged('text')).toMatchObject({ error: 'string', at: null });
});
