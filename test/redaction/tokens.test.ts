import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTokenVault } from '../../redaction/index.ts';

const key = new Uint8Array(32).fill(3);

describe('placeholders', () => {
  test('are stable over vaults of one key and differ between keys, types and values', () => {
    const mint = (k: Uint8Array, type: string, value: string): string => createTokenVault(k).mint(type, value);
    const one = mint(key, 'EMAIL_ADDRESS', 'jane@example.com');
    expect(one).toMatch(/^<EMAIL_ADDRESS_[a-z]{8}>$/);
    expect(mint(key, 'EMAIL_ADDRESS', 'jane@example.com')).toBe(one);
    expect(mint(new Uint8Array(32), 'EMAIL_ADDRESS', 'jane@example.com')).not.toBe(one);
    expect(mint(key, 'EMAIL_ADDRESS', 'john@example.com')).not.toBe(one);
    expect(mint(key, 'URL_PASSWORD', 'jane@example.com').slice(-9)).not.toBe(one.slice(-9));
  });

  test('of spellings of one value share their first letters, whatever the order, and are restored exactly', () => {
    const vault = createTokenVault(key);
    const upper = vault.mint('EMAIL_ADDRESS', 'Jane@Example.com');
    const lower = vault.mint('EMAIL_ADDRESS', 'jane@example.com');
    expect(upper).not.toBe(lower);
    expect(upper.startsWith(lower.slice(0, -1))).toBe(true);
    expect(createTokenVault(key).mint('EMAIL_ADDRESS', 'Jane@Example.com')).toBe(upper);
    expect(vault.restore(`${upper} ${lower}`)).toEqual({ text: 'Jane@Example.com jane@example.com', count: 2 });
  });

  test('never clash: any set of values comes back', () => {
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom('A@x.com', 'a@x.com', 'a@X.com', '<', '$&', '<EMAIL_ADDRESS_aaaaaaaa>'),
    );
    const typed = fc.tuple(fc.constantFrom('EMAIL_ADDRESS', 'PHONE_NUMBER', 'JWT'), value);
    fc.assert(
      fc.property(fc.array(typed), (values) => {
        const vault = createTokenVault(key);
        const placeholders = values.map(([type, one]) => vault.mint(type, one));
        for (const [i, [, one]] of values.entries()) {
          expect(vault.restore(`a ${placeholders[i] ?? ''} b`)).toEqual({ text: `a ${one} b`, count: 1 });
        }
        expect(vault.size).toBe(new Set(values.map((one) => one.join('\0'))).size);
      }),
    );
  });
});

describe('restoring', () => {
  test('knows only what this vault minted', () => {
    const foreign = createTokenVault(key).mint('EMAIL_ADDRESS', 'john@example.com');
    const vault = createTokenVault(key);
    vault.mint('EMAIL_ADDRESS', 'jane@example.com');
    expect(vault.restore(`hi ${foreign}`)).toEqual({ text: `hi ${foreign}`, count: 0 });
    expect(vault.restore('<EMAIL_ADDRESS_aaaaaaaa> <EMAIL_ADDRESS>')).toMatchObject({ count: 0 });
  });

  test('is exact: no other case, no missing bracket, no more letters', () => {
    const vault = createTokenVault(key);
    const token = vault.mint('EMAIL_ADDRESS', 'jane@example.com');
    for (const altered of [
      token.toLowerCase(),
      token.slice(1),
      token.slice(0, -1),
      token.replace('>', 'a>'),
      token.replace('_', ' '),
    ]) {
      expect(vault.restore(altered).count).toBe(0);
    }
    expect(vault.restore(`<${token}>`).text).toBe('<jane@example.com>');
  });

  test('puts a value back once, also when it looks like a placeholder', () => {
    const vault = createTokenVault(key);
    const inner = vault.mint('JWT', 'x');
    const outer = vault.mint('JWT', inner);
    expect(vault.restore(outer)).toEqual({ text: inner, count: 1 });
  });
});
