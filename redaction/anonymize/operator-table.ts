/**
 * Presidio's operators with their parameter rules and messages, and ours: `surrogate`. A parameter is judged when an
 * operator is used, not when it is configured.
 */
import { hash } from 'node:crypto';
import { decryptText, encryptText, isKeySize } from './cipher.ts';
import { codePointLength, codePointText, isWellFormed } from './code-points.ts';
import { display, invalidParam, isTruthy, notOperable, requireParam, requireType } from './python-value.ts';
import type { PythonValue } from './python-value.ts';
import { surrogateFor } from './surrogate.ts';

/** The parameters of one use; `entity_type` is set by the engine. */
export type OperatorParams = ReadonlyMap<string, PythonValue>;

/** Cryptographically strong bytes. */
export type RandomBytes = (bytes: number) => Uint8Array;

/** One way of changing a value. */
export interface ValueOperator {
  /** @throws RedactionError `invalid_request` (Presidio's own message), `not_operable` */
  validate(params: OperatorParams): void;
  /** @throws RedactionError `invalid_request`, `not_operable` */
  operate(text: string, params: OperatorParams, random: RandomBytes): string;
}

const HASH_TYPES = ['sha256', 'sha512'] as const;
const SALT_BYTES = 32;
const MIN_SALT_BYTES = 16;
const MIN_SURROGATE_KEY_BYTES = 16;

const replace: ValueOperator = {
  validate: (params) => requireType(params.get('new_value'), 'new_value', 'string'),
  operate: (_text, params) => {
    const value = params.get('new_value');
    return typeof value === 'string' && value !== '' ? value : `<${display(params.get('entity_type'))}>`;
  },
};

const redact: ValueOperator = { validate: () => undefined, operate: () => '' };

const keep: ValueOperator = { validate: () => undefined, operate: (text) => text };

const mask: ValueOperator = {
  validate: (params) => {
    const char = params.get('masking_char');
    requireParam(char, 'masking_char');
    requireType(char, 'masking_char', 'string');
    if (typeof char !== 'string') throw notOperable('masking_char to be a string');
    if (codePointLength(char) > 1) throw invalidParam('Invalid input, masking_char must be a character');
    requireParam(params.get('chars_to_mask'), 'chars_to_mask');
    requireType(params.get('chars_to_mask'), 'chars_to_mask', 'number');
    requireParam(params.get('from_end'), 'from_end');
    requireType(params.get('from_end'), 'from_end', 'boolean');
  },
  operate: (text, params) => {
    const wanted = params.get('chars_to_mask');
    if (typeof wanted !== 'number' && typeof wanted !== 'boolean') throw notOperable('chars_to_mask to be a number');
    const char = params.get('masking_char');
    const { length, slice } = codePointText(text);
    const count = Math.max(0, Math.min(length, Math.trunc(Number(wanted))));
    const masked = (typeof char === 'string' ? char : '').repeat(count);
    return isTruthy(params.get('from_end')) ? slice(0, length - count) + masked : masked + slice(count, length);
  },
};

const hashed: ValueOperator = {
  validate: (params) => {
    hashTypeOf(params);
  },
  operate: (text, params, random) => {
    const salt = params.has('salt') ? saltOf(params.get('salt')) : random(SALT_BYTES);
    if (!isWellFormed(text)) throw notOperable('text without unpaired surrogates');
    return hash(hashTypeOf(params), Buffer.concat([Buffer.from(text, 'utf8'), salt]), 'hex');
  },
};

function hashTypeOf(params: OperatorParams): (typeof HASH_TYPES)[number] {
  const wanted = params.has('hash_type') ? params.get('hash_type') : 'sha256';
  requireParam(wanted, 'hash_type');
  const type = HASH_TYPES.find((name) => name === wanted);
  if (type !== undefined) return type;
  throw invalidParam(`Parameter hash_type value ${display(wanted)} is not in range of values ['sha256', 'sha512']`);
}

/** Equal values have equal hashes under one salt; without one every hash is different. */
function saltOf(value: PythonValue): Uint8Array {
  const salt = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  const length = lengthOf(salt);
  if (length === 0) {
    throw invalidParam(
      'Salt parameter cannot be empty. Either omit the salt parameter to auto-generate a random salt, or provide a salt of at least 16 bytes (128 bits).',
    );
  }
  if (length < MIN_SALT_BYTES) {
    throw invalidParam(`Salt must be at least 16 bytes (128 bits). Provided salt is ${String(length)} bytes.`);
  }
  if (salt instanceof Uint8Array) return salt;
  throw notOperable('salt to be a string');
}

function lengthOf(value: PythonValue): number {
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length;
  throw notOperable('a value with a length');
}

function requireAesKey(params: OperatorParams): void {
  const key = params.get('key');
  if (typeof key !== 'string') {
    requireParam(key, 'key');
    requireType(key, 'key', 'bytes');
  }
  if (!isKeySize(typeof key === 'string' ? Buffer.byteLength(key) : lengthOf(key))) {
    throw invalidParam('Invalid input, key must be of length 128, 192 or 256 bits');
  }
}

function keyBytes(params: OperatorParams): Uint8Array {
  const key = params.get('key');
  if (key instanceof Uint8Array) return key;
  if (typeof key === 'string') return Buffer.from(key, 'utf8');
  throw notOperable('key to be a string');
}

const encrypt: ValueOperator = {
  validate: requireAesKey,
  operate: (text, params, random) => encryptText(keyBytes(params), text, random),
};

const decrypt: ValueOperator = {
  validate: requireAesKey,
  operate: (text, params) => decryptText(keyBytes(params), text),
};

/** A function of the caller's own code; over HTTP there is none. */
const custom: ValueOperator = {
  validate: (params) => {
    if (typeof params.get('lambda') !== 'function') throw invalidParam('New value must be a callable function');
  },
  operate: (text, params) => {
    const change = params.get('lambda');
    const value: unknown = typeof change === 'function' ? change(text) : null;
    if (typeof value !== 'string') throw invalidParam('Function return type must be a str');
    return value;
  },
};

const surrogate: ValueOperator = {
  validate: (params) => {
    const key = params.get('key');
    requireParam(key, 'key');
    requireType(key, 'key', typeof key === 'string' ? 'string' : 'bytes');
    if (keyBytes(params).length < MIN_SURROGATE_KEY_BYTES) {
      throw invalidParam('Invalid input, key must be at least 16 bytes (128 bits)');
    }
  },
  operate: (text, params) => surrogateFor(display(params.get('entity_type')), text, keyBytes(params)),
};

/** Presidio lists it; the service it needs is none of ours, so that using it fails as it does where that is missing. */
const remoteSurrogate: ValueOperator = {
  validate: () => {
    throw notOperable('a de-identification service');
  },
  operate: (text) => text,
};

/** In Presidio's order. */
export const ANONYMIZERS: ReadonlyMap<string, ValueOperator> = new Map([
  ['custom', custom],
  ['encrypt', encrypt],
  ['hash', hashed],
  ['keep', keep],
  ['mask', mask],
  ['redact', redact],
  ['replace', replace],
  ['surrogate_ahds', remoteSurrogate],
]);

export const DEANONYMIZERS: ReadonlyMap<string, ValueOperator> = new Map([
  ['decrypt', decrypt],
  ['deanonymize_keep', keep],
]);

/** Usable like an anonymizer, but not listed among them: clients compare that list with the one they know. */
export const OWN_ANONYMIZERS: ReadonlyMap<string, ValueOperator> = new Map([['surrogate', surrogate]]);
