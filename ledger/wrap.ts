import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { LedgerError } from './error.ts';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts a key under another (AES-256-GCM): version 1, IV, tag, ciphertext. `name` says what it is and is bound to it. */
export function wrapKey(wrapping: Uint8Array, key: Uint8Array, name: readonly string[]): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', wrapping, iv);
  cipher.setAAD(bound(name));
  const body = Buffer.concat([cipher.update(key), cipher.final()]);
  return Buffer.concat([Buffer.from([1]), iv, cipher.getAuthTag(), body]);
}

/** @throws {LedgerError} `root_key` when the wrapping key or the name is another one, or a byte was changed. */
export function unwrapKey(wrapping: Uint8Array, wrapped: Uint8Array, name: readonly string[]): Buffer {
  try {
    const decipher = createDecipheriv('aes-256-gcm', wrapping, wrapped.subarray(1, 1 + IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(bound(name));
    decipher.setAuthTag(wrapped.subarray(1 + IV_BYTES, 1 + IV_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(wrapped.subarray(1 + IV_BYTES + TAG_BYTES)), decipher.final()]);
  } catch (error) {
    throw new LedgerError(
      'root_key',
      `expected the stored ${name[0] ?? ''} key to open, it does not; it was changed or belongs to another root key`,
      { cause: error },
    );
  }
}

function bound(name: readonly string[]): Buffer {
  return Buffer.from(['countersign/wrap/v1', ...name].join('\n'), 'utf8');
}
