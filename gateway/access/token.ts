/**
 * The text of an API key: `cs_<id>_<secret>`, id 12 characters a-z0-9 (public, names the key everywhere), secret 43
 * characters of base 62, which is 256 bits. Only the SHA-256 of the secret is ever stored.
 */
import { hash, timingSafeEqual } from 'node:crypto';

export const TOKEN_PREFIX = 'cs_';

const ID_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
const SECRET_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const ID_LENGTH = 12;
/** 62^43 > 2^256. */
const SECRET_LENGTH = 43;
const TOKEN = /^cs_([a-z0-9]{12})_([A-Za-z0-9]{43})$/;

/** `n` unpredictable bytes; `crypto.randomBytes` fits. */
export type RandomBytes = (n: number) => Uint8Array;

export interface MintedToken {
  readonly id: string;
  /** Shown once, to whoever asked for the key. */
  readonly token: string;
  readonly secretSha256: Buffer;
}

export function mintToken(random: RandomBytes): MintedToken {
  const id = draw(ID_ALPHABET, ID_LENGTH, random);
  const secret = draw(SECRET_ALPHABET, SECRET_LENGTH, random);
  return { id, token: `${TOKEN_PREFIX}${id}_${secret}`, secretSha256: hash('sha256', secret, 'buffer') };
}

/** Id and secret of a presented token, or null when it is not one. */
export function parseToken(token: string): { readonly id: string; readonly secret: string } | null {
  const match = TOKEN.exec(token);
  return match === null ? null : { id: match[1] ?? '', secret: match[2] ?? '' };
}

/** Constant time in the secret. */
export function secretMatches(secret: string, secretSha256: Uint8Array): boolean {
  return timingSafeEqual(hash('sha256', secret, 'buffer'), secretSha256);
}

/** Uniform characters: bytes beyond the largest multiple of the alphabet's size are thrown away. */
function draw(alphabet: string, length: number, random: RandomBytes): string {
  const usable = 256 - (256 % alphabet.length);
  let text = '';
  while (text.length < length) {
    for (const byte of random(length)) {
      if (byte < usable && text.length < length) text += alphabet.charAt(byte % alphabet.length);
    }
  }
  return text;
}
