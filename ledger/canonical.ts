import { LedgerError } from './error.ts';

/** A JSON document. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Deepest nesting of arrays and objects. */
export const MAX_DEPTH = 32;

/** Strings that `"…"` may hold as they are: no quote, no backslash, no control character, no surrogate. */
const PLAIN = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/**
 * The canonical form of RFC 8785, for the profile the ledger allows: integers of at most 2^53-1 only (no fractions, no -0),
 * no lone surrogates, no U+0000 (PostgreSQL text cannot hold it), at most 32 levels. Inside the profile the output equals RFC 8785.
 *
 * @throws {LedgerError} `invalid_value` for a value outside the profile.
 */
export function canonicalJson(value: JsonValue): string {
  return write(value, 0);
}

function write(value: JsonValue | undefined, depth: number): string {
  if (typeof value === 'string') return writeString(value);
  if (typeof value === 'number') return writeNumber(value);
  if (value === null) return 'null';
  if (value === true) return 'true';
  if (value === false) return 'false';
  if (typeof value !== 'object') throw new LedgerError('invalid_value', `expected a JSON value, found ${typeof value}`);
  if (depth === MAX_DEPTH)
    throw new LedgerError('invalid_value', `expected at most ${MAX_DEPTH} levels of nesting, found more`);
  return Array.isArray(value) ? writeArray(value, depth + 1) : writeObject(value, depth + 1);
}

function writeArray(values: readonly JsonValue[], depth: number): string {
  if (values.length === 0) return '[]';
  let text = '[' + write(values[0], depth);
  for (let index = 1; index < values.length; index += 1) text += ',' + write(values[index], depth);
  return text + ']';
}

function writeObject(value: { [key: string]: JsonValue }, depth: number): string {
  // Array.prototype.sort without a comparator orders by UTF-16 code units, which is what RFC 8785 section 3.2.3 asks for.
  const keys = Object.keys(value).sort();
  let text = '{';
  for (const key of keys) {
    if (text.length > 1) text += ',';
    text += writeString(key) + ':' + write(value[key], depth);
  }
  return text + '}';
}

function writeNumber(value: number): string {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    throw new LedgerError(
      'invalid_value',
      'expected an integer between -(2^53-1) and 2^53-1, found another number; write decimals as strings',
    );
  }
  return String(value);
}

function writeString(value: string): string {
  if (PLAIN.test(value)) return '"' + value + '"';
  if (value.includes('\u0000')) throw new LedgerError('invalid_value', 'expected a string without U+0000, found one');
  if (LONE_SURROGATE.test(value))
    throw new LedgerError('invalid_value', 'expected well-formed UTF-16, found a lone surrogate');
  // JSON.stringify escapes a well-formed string exactly as RFC 8785 section 3.2.2.2 demands.
  return JSON.stringify(value);
}

/**
 * Reads text that must be in canonical form. Duplicate keys, spaces, other escapes, -0 and 1e2 all fail, because writing the
 * value again must give the same text.
 *
 * @throws {LedgerError} `invalid_value`
 */
export function parseCanonical(text: string): JsonValue {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new LedgerError('invalid_value', 'expected canonical JSON, found text that is not JSON', { cause: error });
  }
  if (canonicalJson(value) !== text)
    throw new LedgerError('invalid_value', 'expected canonical JSON, found another spelling');
  return value;
}
