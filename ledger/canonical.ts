import { LedgerError } from './error.ts';

/** A JSON document. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Deepest nesting of arrays and objects. */
export const MAX_DEPTH = 32;

/** Longer strings are checked by the regular expression, shorter ones by a loop, which is faster for them. */
const SHORT_CHARS = 48;
/** Names of members come again and again; so many of them are kept in their written form. */
const KEPT_NAMES = 4096;
/** Up to so many members an insertion sort beats the built-in one. */
const FEW_MEMBERS = 32;

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

const sharedTexts = new WeakMap<object, string>();

/**
 * Marks a value that goes into many entries: its canonical text is made once. The value is frozen, at every level, because
 * the text would not follow a change.
 *
 * @throws {LedgerError} `invalid_value`
 */
export function shareJson<T extends object>(value: T): T {
  if (!sharedTexts.has(value)) {
    sharedTexts.set(value, canonicalJson(value as JsonValue));
    freeze(value);
  }
  return value;
}

function freeze(value: object): void {
  Object.freeze(value);
  for (const member of Object.values(value) as unknown[])
    if (typeof member === 'object' && member !== null) freeze(member);
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
  const shared = sharedTexts.get(value);
  if (shared !== undefined) return shared;
  let text = '{';
  for (const key of sortedKeys(value)) {
    text += (text.length > 1 ? ',' : '') + writeName(key) + write(value[key], depth);
  }
  return text + '}';
}

/** By UTF-16 code units, as RFC 8785 section 3.2.3 asks for and as strings compare. */
function sortedKeys(value: object): string[] {
  const keys = Object.keys(value);
  if (keys.length > FEW_MEMBERS) return keys.sort();
  for (let index = 1; index < keys.length; index += 1) {
    const key = keys[index] ?? '';
    let place = index;
    for (let before = keys[place - 1]; before !== undefined && before > key; before = keys[place - 1]) {
      keys[place] = before;
      place -= 1;
    }
    keys[place] = key;
  }
  return keys;
}

const names = new Map<string, string>();

/** A member's name with its colon. */
function writeName(name: string): string {
  const known = names.get(name);
  if (known !== undefined) return known;
  const text = writeString(name) + ':';
  if (names.size < KEPT_NAMES && name.length <= SHORT_CHARS) names.set(name, text);
  return text;
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
  if (value.length <= SHORT_CHARS ? isPlain(value) : PLAIN.test(value)) return '"' + value + '"';
  if (value.includes('\u0000')) throw new LedgerError('invalid_value', 'expected a string without U+0000, found one');
  if (LONE_SURROGATE.test(value))
    throw new LedgerError('invalid_value', 'expected well-formed UTF-16, found a lone surrogate');
  // JSON.stringify escapes a well-formed string exactly as RFC 8785 section 3.2.2.2 demands.
  return JSON.stringify(value);
}

/** The same as PLAIN. */
function isPlain(value: string): boolean {
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (code < 0x20 || code === 0x22 || code === 0x5c || (code >= 0xd800 && code <= 0xdfff)) return false;
  }
  return true;
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
