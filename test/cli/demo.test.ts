import { expect, test } from 'vitest';
import { run } from '../support/program.ts';

test('the demonstration comes out as told', async () => {
  const { status, stdout, stderr } = await run(['demo']);
  expect([status, stderr]).toEqual([0, expect.any(String)]);
  const sent = /the application sent {3}(.*)/.exec(stdout)?.[1] ?? '';
  const received = /the model received {5}(.*)/.exec(stdout)?.[1] ?? '';
  expect(sent).toContain('ada.lovelace@example.com');
  expect(received).toMatch(/<EMAIL_ADDRESS_[a-z]+>/);
  expect(stdout).toContain('HTTP 403 policy_denied');
  expect(stdout).toMatch(/the application got {4}.*\|Mail \|ada\.lovelace@example\.com \|/);
  expect(stdout).toMatch(/model +sandbox +settled +2 /);
  expect(stdout).toContain('CONSISTENT, UNANCHORED');
  expect(stdout).toMatch(/TAMPERED: .*facts/);
  expect(stdout).toMatch(/entry \d+, section facts/);
  expect(stdout).toContain('the byte is put back: CONSISTENT, UNANCHORED');
});
