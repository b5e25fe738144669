/**
 * Reversible placeholders: `<EMAIL_ADDRESS_kqzvbtaw>`. The letters are a MAC under a key of tenant and principal, so the same
 * value gets the same placeholder in every turn and nobody without the key can predict one. Letters, because models drop or
 * renumber digits. Restoring knows only what this vault minted; a placeholder from anywhere else stays as it is.
 */
import { createHmac } from 'node:crypto';

/** Placeholders minted for the values of one request, and the way back. */
export interface TokenVault {
  /** The placeholder for a value of an entity type. */
  mint(type: string, value: string): string;
  /** Puts the exact values back for the placeholders minted here. */
  restore(text: string): { text: string; count: number };
  /** Number of values. */
  readonly size: number;
}

const BASE_LETTERS = 8;
const MORE_LETTERS = 4;
const MAC_LETTERS = 32;
const PLACEHOLDER = /<[A-Z][0-9A-Z_]{0,47}_[a-z]{8,64}>/g;

/** Matches at the end of a text that could still become a placeholder. */
export const UNFINISHED_PLACEHOLDER = /<(?:[A-Z][0-9A-Z_]{0,48}[a-z]{0,64})?$/;

/** `key`: 32 bytes, derived for one tenant and principal. */
export function createTokenVault(key: Uint8Array): TokenVault {
  const placeholders = new Map<string, string>();
  const values = new Map<string, string>();

  function mint(type: string, value: string): string {
    const id = `${type}\0${value}`;
    const known = placeholders.get(id);
    if (known !== undefined) return known;
    const placeholder = unused(type, value);
    placeholders.set(id, placeholder);
    values.set(placeholder, value);
    return placeholder;
  }

  /**
   * Spellings of one value (`Jane@x.com`, `jane@x.com`) share the first letters and differ in the rest: the model sees that
   * they belong together, and each is restored exactly as it was written. On a clash more letters are taken.
   */
  function unused(type: string, value: string): string {
    const normal = normalise(type, value);
    const label = type
      .toUpperCase()
      .replace(/[^0-9A-Z]/g, '_')
      .slice(0, 40);
    const letters = macLetters(key, type, normal, 0, BASE_LETTERS);
    for (let taken = value === normal ? 0 : MORE_LETTERS; ; taken += MORE_LETTERS) {
      const more = taken === 0 ? '' : macLetters(key, type, value, 1, taken);
      // 32 more letters are 150 bits; a clash that survives them would be a broken MAC.
      const placeholder = `<${label}_${letters}${more}>`;
      if (!values.has(placeholder) || taken >= MAC_LETTERS) return placeholder;
    }
  }

  function restore(text: string): { text: string; count: number } {
    if (values.size === 0 || !text.includes('<')) return { text, count: 0 };
    let count = 0;
    const restored = text.replace(PLACEHOLDER, (placeholder) => {
      const value = values.get(placeholder);
      if (value === undefined) return placeholder;
      count += 1;
      return value;
    });
    return { text: restored, count };
  }

  return {
    mint,
    restore,
    get size() {
      return values.size;
    },
  };
}

/** The first letters, at most 32, of HMAC-SHA-256. The purpose keeps the two MACs of one value apart. */
function macLetters(key: Uint8Array, type: string, value: string, purpose: number, count: number): string {
  const mac = createHmac('sha256', key)
    .update(`${String(purpose)}\0${type}\0${value}`)
    .digest();
  let letters = '';
  for (const byte of mac.subarray(0, count)) letters += String.fromCharCode(97 + (byte % 26));
  return letters;
}

/** What makes two spellings one value: case for mail, separators for numbers. */
export function normalise(type: string, value: string): string {
  switch (type) {
    case 'EMAIL_ADDRESS':
    case 'IP_ADDRESS':
      return value.toLowerCase();
    case 'CREDIT_CARD':
    case 'IBAN_CODE':
    case 'PHONE_NUMBER':
    case 'US_SSN':
      return value.replace(/[^0-9A-Za-z+]/g, '').toUpperCase();
    default:
      return value;
  }
}
