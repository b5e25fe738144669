/**
 * Rego values as the host sees them: what a module hands to a built-in, with everything JSON would lose. Integers are
 * bigints and keep every digit; a number with a fraction or an exponent is a number; sets are not arrays.
 */
export type Value = null | boolean | string | bigint | number | readonly Value[] | ValueObject | ValueSet;

/** Keys may be any value. */
export class ValueObject {
  readonly entries: readonly (readonly [Value, Value])[];

  constructor(entries: readonly (readonly [Value, Value])[]) {
    this.entries = entries;
  }
}

export class ValueSet {
  readonly items: readonly Value[];

  constructor(items: readonly Value[]) {
    this.items = items;
  }
}

const MAX_DEPTH = 256;
const TOKEN = /\s*(set\(\)|[[\]{},:]|true|false|null|"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*)/y;

/** Reads what `opa_value_dump` writes: JSON, `{…}` also for sets, `set()`, and keys of any type. Throws TypeError. */
export function readValue(text: string): Value {
  const reader = new Reader(text);
  const value = reader.value(0);
  if (!reader.done) throw new TypeError('expected one value');
  return value;
}

class Reader {
  readonly #text: string;
  #at = 0;
  #token = '';

  constructor(text: string) {
    this.#text = text;
    this.#next();
  }

  get done(): boolean {
    return this.#token === '';
  }

  value(depth: number): Value {
    if (depth > MAX_DEPTH) throw new TypeError('a value is nested too deeply');
    const token = this.#token;
    this.#next();
    if (token === '[') return this.#list(']', depth);
    if (token === '{') return this.#braces(depth);
    if (token.startsWith('"')) return String(JSON.parse(token));
    if (token === 'set()') return new ValueSet([]);
    if (token === 'null') return null;
    if (token === 'true' || token === 'false') return token === 'true';
    if (!/^-?\d/.test(token)) throw new TypeError('expected a value');
    return /[.eE]/.test(token) ? Number(token) : BigInt(token);
  }

  #list(end: string, depth: number): Value[] {
    const items: Value[] = [];
    while (this.#token !== end) {
      items.push(this.value(depth + 1));
      if (this.#token !== end) this.#expect(',');
    }
    this.#next();
    return items;
  }

  #braces(depth: number): Value {
    if (this.#token === '}') {
      this.#next();
      return new ValueObject([]);
    }
    const first = this.value(depth + 1);
    if (this.#token !== ':') {
      if (this.#token === ',') this.#next();
      return new ValueSet([first, ...this.#list('}', depth)]);
    }
    return this.#object(first, depth);
  }

  #object(first: Value, depth: number): ValueObject {
    this.#expect(':');
    const entries = [[first, this.value(depth + 1)] as const];
    while (this.#token !== '}') {
      this.#expect(',');
      const key = this.value(depth + 1);
      this.#expect(':');
      entries.push([key, this.value(depth + 1)]);
    }
    this.#next();
    return new ValueObject(entries);
  }

  #expect(token: string): void {
    if (this.#token !== token) throw new TypeError(`expected ${token}`);
    this.#next();
  }

  #next(): void {
    TOKEN.lastIndex = this.#at;
    this.#token = TOKEN.exec(this.#text)?.[1] ?? '';
    if (this.#token !== '') this.#at = TOKEN.lastIndex;
    else if (this.#text.slice(this.#at).trim() !== '') throw new TypeError('expected a value');
  }
}

/** The value as opa prints it in text: sets and objects in their order. Equal values print the same. */
export function printValue(value: Value): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value).toString();
  if (value instanceof ValueSet) {
    const items = value.items.toSorted(compareValues).map(printValue);
    return items.length === 0 ? 'set()' : `{${items.join(', ')}}`;
  }
  if (value instanceof ValueObject) {
    const entries = value.entries.toSorted(([a], [b]) => compareValues(a, b));
    return `{${entries.map(([key, item]) => `${printValue(key)}: ${printValue(item)}`).join(', ')}}`;
  }
  return isList(value) ? `[${value.map(printValue).join(', ')}]` : String(value);
}

/** Go's strconv.Quote, as far as it is JSON's. */
function quote(text: string): string {
  return JSON.stringify(text).replace(/\\u00([0-9a-f]{2})/g, '\\x$1');
}

export function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

/** Rego's order over all values (openpolicyagent.org/docs/policy-reference): by type, then by content. */
export function compareValues(a: Value, b: Value): number {
  const [left, right] = [rank(a), rank(b)];
  if (left !== right) return left - right;
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (isList(a) && isList(b)) return compareLists(a, b);
  if (a instanceof ValueSet && b instanceof ValueSet) return compareLists(sorted(a), sorted(b));
  if (a instanceof ValueObject && b instanceof ValueObject) return compareObjects(a, b);
  if (isOrdered(a) && isOrdered(b)) return a < b ? -1 : Number(a > b);
  return 0;
}

function rank(value: Value): number {
  if (value === null) return 0;
  if (typeof value === 'boolean') return 1;
  if (typeof value === 'bigint' || typeof value === 'number') return 2;
  if (typeof value === 'string') return 3;
  if (isList(value)) return 4;
  return value instanceof ValueObject ? 5 : 6;
}

function isOrdered(value: Value): value is boolean | bigint | number {
  return typeof value === 'boolean' || typeof value === 'bigint' || typeof value === 'number';
}

function sorted(set: ValueSet): Value[] {
  return set.items.toSorted(compareValues);
}

function compareLists(a: readonly Value[], b: readonly Value[]): number {
  for (const [i, item] of a.entries()) {
    const other = b[i];
    if (other === undefined) return 1;
    const order = compareValues(item, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareObjects(a: ValueObject, b: ValueObject): number {
  const flat = ({ entries }: ValueObject): Value[] =>
    entries.toSorted(([x], [y]) => compareValues(x, y)).flatMap(([key, item]) => [key, item]);
  return compareLists(flat(a), flat(b));
}

/** What a module reads a value from. */
export interface WrittenValue {
  readonly text: string;
  /** False where sets, or keys that are no texts, need opa's own form. */
  readonly isJson: boolean;
}

export function writeValue(value: Value): WrittenValue {
  let isJson = true;
  const write = (one: Value): string => {
    if (typeof one === 'bigint') return one.toString();
    if (isList(one)) return `[${one.map(write).join(',')}]`;
    if (one instanceof ValueObject) {
      isJson &&= one.entries.every(([key]) => typeof key === 'string');
      return `{${one.entries.map(([key, item]) => `${write(key)}:${write(item)}`).join(',')}}`;
    }
    if (!(one instanceof ValueSet)) return JSON.stringify(one);
    isJson = false;
    return one.items.length === 0 ? 'set()' : `{${one.items.map(write).join(',')}}`;
  };
  const text = write(value);
  return { text, isJson };
}
