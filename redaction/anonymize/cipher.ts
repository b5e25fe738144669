/**
 * The `encrypt` and `decrypt` operators: AES in CBC mode with PKCS #7 padding, a random IV in front, URL-safe base64. It is
 * what Presidio's clients exchange. It has no authentication: a changed ciphertext is not noticed as such.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { isWellFormed } from './code-points.ts';
import { notOperable } from './python-value.ts';

const IV_BYTES = 16;
const BLOCK_BYTES = 16;
const ALGORITHMS = new Map([
  [16, 'aes-128-cbc'],
  [24, 'aes-192-cbc'],
  [32, 'aes-256-cbc'],
]);

export function isKeySize(bytes: number): boolean {
  return ALGORITHMS.has(bytes);
}

/** @throws RedactionError `not_operable` for text that has no UTF-8 form */
export function encryptText(key: Uint8Array, text: string, random: (bytes: number) => Uint8Array): string {
  if (!isWellFormed(text)) throw notOperable('text without unpaired surrogates');
  const iv = random(IV_BYTES);
  const cipher = createCipheriv(algorithm(key), key, iv);
  const bytes = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final()]);
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/** @throws RedactionError `not_operable` for anything but a ciphertext under this key */
export function decryptText(key: Uint8Array, text: string): string {
  const bytes = decodeBase64(text);
  if (bytes.length < IV_BYTES || bytes.length % BLOCK_BYTES !== 0) throw notOperable('a ciphertext with its IV');
  const decipher = createDecipheriv(algorithm(key), key, bytes.subarray(0, IV_BYTES));
  try {
    const plain = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES)), decipher.final()]);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plain);
  } catch {
    throw notOperable('a ciphertext under this key');
  }
}

function algorithm(key: Uint8Array): string {
  const name = ALGORITHMS.get(key.length);
  if (name === undefined) throw notOperable('a key of 16, 24 or 32 bytes');
  return name;
}

/** As Python's `urlsafe_b64decode`: other characters are skipped, the padding has to be there, what follows it is not read. */
function decodeBase64(text: string): Buffer {
  let digits = '';
  let pads = 0;
  for (const char of text) {
    if (char > '\u007f') throw notOperable('ASCII');
    if (char === '=') {
      pads += 1;
      const used = digits.length % 4;
      if (used >= 2 && used + pads >= 4) return Buffer.from(digits, 'base64url');
    } else if (/[A-Za-z0-9+/_-]/.test(char)) {
      digits += char;
      pads = 0;
    }
  }
  if (digits.length % 4 !== 0) throw notOperable('base64 with its padding');
  return Buffer.from(digits, 'base64url');
}
