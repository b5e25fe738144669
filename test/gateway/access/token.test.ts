import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { mintToken, parseToken, secretMatches } from '../../../gateway/access/token.ts';

test('a minted token parses and matches its own hash only', () => {
  const one = mintToken(randomBytes);
  const two = mintToken(randomBytes);
  const parsed = parseToken(one.token);
  expect(parsed?.id).toBe(one.id);
  expect(one.token).toMatch(/^cs_[a-z0-9]{12}_[A-Za-z0-9]{43}$/);
  expect(secretMatches(parsed?.secret ?? '', one.secretSha256)).toBe(true);
  expect(secretMatches(parsed?.secret ?? '', two.secretSha256)).toBe(false);
});

test('characters are drawn without bias: bytes past the alphabet are thrown away', () => {
  const bytes = [255, 254, 253, 252, 251, 250, 249, 248, 0, 61];
  let at = 0;
  const { token } = mintToken((n) => Uint8Array.from({ length: n }, () => bytes[at++ % bytes.length] ?? 0));
  expect(parseToken(token)?.secret).toMatch(/^[A9]+$/);
});

test.each([
  '',
  'cs_',
  'cs_abc_def',
  `cs_${'a'.repeat(12)}_${'b'.repeat(44)}`,
  `cs_${'A'.repeat(12)}_${'b'.repeat(43)}`,
  'Bearer x',
])('%j is no token', (text) => expect(parseToken(text)).toBeNull());
