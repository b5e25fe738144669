import { expect, test } from 'vitest';
import { run } from '../support/program.ts';

test('the generated documents and golden files are what the code says', async () => {
  const result = await run(['docs', '--check']);
  expect([result.status, result.stdout]).toEqual([0, expect.stringContaining('are current')]);
});
