import { LedgerError } from './error.ts';

/** A JSON document. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Deepest nesting of arrays and objects. */
export const MAX_DEPTH = 32;

/** Longer strings are checked by a regular expression and copied whole, shorter ones by a loop, which is faster for them. */
const SHORT_CHARS = 64;
/** Up to so many members an insertion sort beats the built-in one. */
const FEW_MEMBERS = 32;
/** A buffer that had to grow beyond this is not kept. */
const KEPT_BYTES = 1 << 20;

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
  const writer = new CanonicalWriter();
  writer.value(value);
  return writer.text(0);
}

const sharedBytes = new WeakMap<object, Uint8Array>();

/**
 * Marks a value that goes into many entries: its canonical text is made once. The value is frozen, at every level, because
 * the text would not follow a change.
 *
 * @throws {LedgerError} `invalid_value`
 */
export function shareJson<T extends object>(value: T): T {
  if (!sharedBytes.has(value)) {
    const writer = new CanonicalWriter();
    writer.value(value as JsonValue);
    sharedBytes.set(value, Uint8Array.from(writer.bytes(0, writer.length)));
    freeze(value);
  }
  return value;
}

function freeze(value: object): void {
  Object.freeze(value);
  for (const member of Object.values(value) as unknown[])
    if (typeof member === 'object' && member !== null) freeze(member);
}

/** Given from one writer to the next. */
let kept = Buffer.allocUnsafe(1 << 16);

/**
 * Canonical texts as UTF-8 in one buffer, to be hashed and encrypted from there: strings would be joined, flattened and
 * encoded again for each. Only the newest writer may be used: the buffer is shared.
 */
export class CanonicalWriter {
  length = 0;
  #buffer = kept;

  /** Characters of ASCII as they are. */
  ascii(text: string): void {
    const end = this.length + text.length;
    const buffer = this.#room(text.length);
    for (let at = this.length, index = 0; at < end; at += 1, index += 1) buffer[at] = text.charCodeAt(index);
    this.length = end;
  }

  /** @throws {LedgerError} `invalid_value` */
  value(value: JsonValue): void {
    this.#write(value, 0);
  }

  /** A view; it holds until the next use of any writer. */
  bytes(from: number, to: number): Buffer {
    return this.#buffer.subarray(from, to);
  }

  text(from: number): string {
    return this.#buffer.toString('utf8', from, this.length);
  }

  #write(value: JsonValue | undefined, depth: number): void {
    if (typeof value === 'string') this.#string(value);
    else if (typeof value === 'number') this.#number(value);
    else if (value === null) this.ascii('null');
    else if (value === true) this.ascii('true');
    else if (value === false) this.ascii('false');
    else if (typeof value !== 'object')
      throw new LedgerError('invalid_value', `expected a JSON value, found ${typeof value}`);
    else if (depth === MAX_DEPTH)
      throw new LedgerError('invalid_value', `expected at most ${MAX_DEPTH} levels of nesting, found more`);
    else if (Array.isArray(value)) this.#array(value, depth + 1);
    else this.#object(value, depth + 1);
  }

  #array(values: readonly JsonValue[], depth: number): void {
    this.#byte(0x5b);
    for (let index = 0; index < values.length; index += 1) {
      if (index > 0) this.#byte(0x2c);
      this.#write(values[index], depth);
    }
    this.#byte(0x5d);
  }

  #object(value: { [key: string]: JsonValue }, depth: number): void {
    const shared = sharedBytes.get(value);
    if (shared !== undefined) {
      this.#room(shared.length).set(shared, this.length);
      this.length += shared.length;
      return;
    }
    this.#byte(0x7b);
    const keys = sortedKeys(value);
    for (let index = 0; index < keys.length; index += 1) {
      const key = keys[index] ?? '';
      if (index > 0) this.#byte(0x2c);
      this.#string(key);
      this.#byte(0x3a);
      this.#write(value[key], depth);
    }
    this.#byte(0x7d);
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      throw new LedgerError(
        'invalid_value',
        'expected an integer between -(2^53-1) and 2^53-1, found another number; write decimals as strings',
      );
    }
    this.ascii(String(value));
  }

  #string(value: string): void {
    if (value.length > SHORT_CHARS || !this.#short(value)) this.#long(value);
  }

  /** False, with nothing written, when the string is not plain ASCII. */
  #short(value: string): boolean {
    const buffer = this.#room(value.length + 2);
    let at = this.length;
    buffer[at++] = 0x22;
    for (let index = 0; index < value.length; index += 1) {
      const code = value.charCodeAt(index);
      if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false;
      buffer[at++] = code;
    }
    buffer[at++] = 0x22;
    this.length = at;
    return true;
  }

  #long(value: string): void {
    const text = PLAIN.test(value) ? value : escaped(value);
    const buffer = this.#room(text.length * 3 + 2);
    buffer[this.length] = 0x22;
    const end = this.length + 1 + buffer.write(text, this.length + 1, 'utf8');
    buffer[end] = 0x22;
    this.length = end + 1;
  }

  #byte(code: number): void {
    this.#room(1)[this.length++] = code;
  }

  /** The buffer, with room for so many more bytes. */
  #room(bytes: number): Buffer {
    if (this.length + bytes <= this.#buffer.length) return this.#buffer;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.length + bytes));
    this.#buffer.copy(larger, 0, 0, this.length);
    this.#buffer = larger;
    if (larger.length <= KEPT_BYTES) kept = larger;
    return larger;
  }
}

/** JSON.stringify escapes a well-formed string exactly as RFC 8785 section 3.2.2.2 demands; its quotes are taken off. */
function escaped(value: string): string {
  if (value.includes('\u0000')) throw new LedgerError('invalid_value', 'expected a string without U+0000, found one');
  if (LONE_SURROGATE.test(value))
    throw new LedgerError('invalid_value', 'expected well-formed UTF-16, found a lone surrogate');
  return JSON.stringify(value).slice(1, -1);
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
