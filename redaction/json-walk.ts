/** One pass over JSON source text that reports every string, member names included, with its position. */
import { RedactionError } from './errors.ts';
import { decodeString, endOfScalar, endOfString, invalidJson, skipSpace } from './json-scan.ts';
import { appendToken } from './pointer.ts';

export interface WalkedString {
  readonly pointer: string;
  readonly text: string;
  readonly isKey: boolean;
  /** Offsets of the token, quotes included. */
  readonly start: number;
  readonly end: number;
  /** Number of the object a member name belongs to, unique within one walk; 0 for values. */
  readonly object: number;
  /** Own member name ('' for array elements) and that of the nearest container with a name. */
  readonly key: string;
  readonly parentKey: string;
}

export interface Walk {
  readonly maxDepth: number;
  /** Nesting the walk starts with: embedded JSON counts on. */
  readonly depth: number;
  readonly pointer: string;
  onString(found: WalkedString): void;
  /** Numbers of seven digits and more before the point, as they are written but for an exponent. */
  onNumber(found: WalkedNumber): void;
}

export type WalkedNumber = Pick<WalkedString, 'pointer' | 'text' | 'start' | 'end'>;

/** Fewer digits are an amount, an index, a port; no recognizer looks at them. */
const LONG_NUMBER = /^-?[0-9]{7}/;
const LONG_NUMBER_LENGTH = 7;

const EXPONENT = /^(-?)([0-9]+)(?:\.([0-9]+))?[eE]([+-]?[0-9]{1,9})$/;
/** A double has no more than 17 digits of its own; longer numbers are nobody's. */
const MAX_DIGITS = 20;

/** `4.111111111111111E15`, as some languages write a double, as `4111111111111111`; a short mantissa is an amount and stays. */
function withoutExponent(number: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = ''] = EXPONENT.exec(number) ?? [];
  const digits = whole + fraction;
  const first = digits.search(/[1-9]/);
  const point = whole.length + Number(exponent);
  if (exponent === '' || digits.length < LONG_NUMBER_LENGTH || first === -1) return number;
  if (point <= first || point - first > MAX_DIGITS) return number;
  const behind = digits.slice(point);
  const isWhole = !/[1-9]/.test(behind);
  return `${sign}${digits.slice(first, point).padEnd(point - first, '0')}${isWhole ? '' : `.${behind}`}`;
}

/** Throws RedactionError `invalid_json`, `duplicate_key` (RFC 8259 section 4: unpredictable) or `too_deep`. */
export function walkJson(source: string, walk: Walk): void {
  new Walker(source, walk).run();
}

/** What a value is called: own member name ('' in arrays) and that of the nearest container with a name. */
interface Naming {
  readonly pointer: string;
  readonly key: string;
  readonly parentKey: string;
}

class Walker {
  readonly #source: string;
  readonly #walk: Walk;
  #at = 0;
  #objects = 0;

  constructor(source: string, walk: Walk) {
    this.#source = source;
    this.#walk = walk;
  }

  run(): void {
    this.#value({ pointer: this.#walk.pointer, key: '', parentKey: '' }, this.#walk.depth);
    this.#skipSpace();
    if (this.#at < this.#source.length) throw invalidJson('the end of the text', this.#at);
  }

  #value(naming: Naming, depth: number): void {
    switch (this.#skipSpace()) {
      case 34: {
        const start = this.#at;
        const text = this.#string();
        this.#report(naming, text, start, 0);
        return;
      }
      case 123:
        this.#object(naming, depth + 1);
        return;
      case 91:
        this.#array(naming, depth + 1);
        return;
      default:
        this.#scalar(naming);
    }
  }

  #scalar({ pointer }: Naming): void {
    const start = this.#at;
    const end = endOfScalar(this.#source, start);
    this.#at = end;
    if (end - start < LONG_NUMBER_LENGTH) return;
    const text = withoutExponent(this.#source.slice(start, end));
    if (LONG_NUMBER.test(text)) this.#walk.onNumber({ pointer, text, start, end });
  }

  #object({ pointer, key, parentKey }: Naming, depth: number): void {
    const object = this.#open(depth);
    const ownKey = key === '' ? parentKey : key;
    const names = new MemberNames();
    if (this.#closes(125)) return;
    do {
      if (this.#skipSpace() !== 34) throw invalidJson('a member name', this.#at);
      const start = this.#at;
      const name = this.#string();
      if (!names.add(name)) throw duplicate(start);
      const naming = { pointer: appendToken(pointer, name), key: name, parentKey: ownKey };
      this.#report(naming, name, start, object);
      if (this.#skipSpace() !== 58) throw invalidJson('":"', this.#at);
      this.#at += 1;
      this.#value(naming, depth);
    } while (!this.#ends(125));
  }

  #array({ pointer, key, parentKey }: Naming, depth: number): void {
    this.#open(depth);
    const ownKey = key === '' ? parentKey : key;
    if (this.#closes(93)) return;
    let index = 0;
    do this.#value({ pointer: `${pointer}/${String(index++)}`, key: '', parentKey: ownKey }, depth);
    while (!this.#ends(93));
  }

  /** `object` 0: a value. Spelled out: spreading the naming made the walk thirty times slower. */
  #report({ pointer, key, parentKey }: Naming, text: string, start: number, object: number): void {
    this.#walk.onString({ pointer, text, isKey: object > 0, start, end: this.#at, object, key, parentKey });
  }

  /** Past the opening bracket; the number of the container. */
  #open(depth: number): number {
    if (depth > this.#walk.maxDepth) {
      throw new RedactionError(
        'too_deep',
        `The body nests deeper than ${String(this.#walk.maxDepth)} levels; flatten it.`,
      );
    }
    this.#at += 1;
    this.#objects += 1;
    return this.#objects;
  }

  /** An empty container closes at once. */
  #closes(bracket: number): boolean {
    if (this.#skipSpace() !== bracket) return false;
    this.#at += 1;
    return true;
  }

  /** After an element: true past the closing bracket, false past a comma. */
  #ends(bracket: number): boolean {
    const char = this.#skipSpace();
    if (char !== bracket && char !== 44) throw invalidJson('"," or a closing bracket', this.#at);
    this.#at += 1;
    return char === bracket;
  }

  #string(): string {
    const start = this.#at;
    this.#at = endOfString(this.#source, start);
    return decodeString(this.#source, start, this.#at);
  }

  /** The character at the next place that is not white space. */
  #skipSpace(): number {
    this.#at = skipSpace(this.#source, this.#at);
    return this.#source.charCodeAt(this.#at);
  }
}

/** Above this many members a set finds duplicates faster than a list. */
const SMALL_OBJECT = 12;

class MemberNames {
  readonly #list: string[] = [];
  #set: Set<string> | null = null;

  /** False: the name was there already. */
  add(name: string): boolean {
    if (this.#set !== null ? this.#set.has(name) : this.#list.includes(name)) return false;
    if (this.#set !== null) this.#set.add(name);
    else if (this.#list.push(name) > SMALL_OBJECT) this.#set = new Set(this.#list);
    return true;
  }
}

function duplicate(at: number): RedactionError {
  return new RedactionError(
    'duplicate_key',
    `The body names a member twice, again at offset ${String(at)}; readers would disagree on which one counts. Send it once.`,
  );
}
