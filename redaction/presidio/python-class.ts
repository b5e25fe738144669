/** Character classes of callers' expressions, as tests of one code point. */
import { translate } from './expression.ts';

export type CharacterTest = (codePoint: number) => boolean;

const CONTROL: Readonly<Record<string, string>> = {
  n: '\\n',
  t: '\\t',
  r: '\\r',
  f: '\\f',
  v: '\\v',
  a: '\\x07',
  0: '\\x00',
};
const HEX_LENGTHS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };
const LARGEST = 0x10ffff;
/** Complements cannot stand inside a class of their own, so each is a property or a range list. */
const COMPLEMENT: Readonly<Record<string, string>> = {
  D: String.raw`\P{Nd}`,
  S: String.raw`\P{White_Space}`,
};

interface Escape {
  /** Null: no such escape. */
  readonly members: string | null;
  /** Characters after the backslash. */
  readonly length: number;
}

/** Parts of a class in JavaScript's syntax. */
export const classMembers = {
  literal(character: string): string {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  },

  /** The escape whose letter stands at `at`. */
  escaped(source: readonly string[], at: number): Escape {
    const letter = source[at] ?? '';
    const hexLength = HEX_LENGTHS[letter];
    if (hexLength !== undefined) return hexEscape(source.slice(at + 1, at + 1 + hexLength).join(''), hexLength);
    if (letter === 'p' || letter === 'P') return propertyEscape(source.slice(at, at + 40).join(''));
    if ('dws'.includes(letter) && letter !== '') return { members: translateMembers(letter), length: 1 };
    if (letter === 'W') return { members: NOT_WORD, length: 1 };
    const known = COMPLEMENT[letter] ?? CONTROL[letter];
    if (known !== undefined) return { members: known, length: 1 };
    const isUnknown = /^[A-Za-z0-9]$/.test(letter);
    return { members: isUnknown ? null : classMembers.literal(letter), length: 1 };
  },

  isRange(low: string, high: string): boolean {
    const [from, to] = [codeOf(low), codeOf(high)];
    return from !== null && to !== null && from <= to;
  },
};

/** A placeholder that `characterTest` turns into a test of its own: a complement cannot be spelled inside a class. */
const NOT_WORD = '\\k<W>';

function translateMembers(letter: string): string {
  return translate(`[\\${letter}]`).slice(1, -1);
}

function hexEscape(digits: string, length: number): Escape {
  const isHex = new RegExp(`^[0-9A-Fa-f]{${String(length)}}$`).test(digits) && parseInt(digits, 16) <= LARGEST;
  return { members: isHex ? `\\u{${digits}}` : null, length: 1 + length };
}

function propertyEscape(text: string): Escape {
  const property = /^[pP]\{\^?[A-Za-z_=]{1,32}\}/.exec(text)?.[0];
  if (property === undefined || !isKnown(`\\${property}`)) return { members: null, length: 1 };
  return { members: `\\${property}`, length: property.length };
}

function isKnown(expression: string): boolean {
  try {
    return new RegExp(expression, 'u').source !== '';
  } catch {
    return false;
  }
}

function codeOf(member: string): number | null {
  const hex = /^\\u\{([0-9A-Fa-f]+)\}$/.exec(member)?.[1];
  return hex === undefined ? null : parseInt(hex, 16);
}

/** Tests one code point against the members of a class; ASCII by table. */
export function characterTest(members: string, ignoresCase: boolean): CharacterTest {
  const isNegated = members.startsWith('^');
  const plain = (isNegated ? members.slice(1) : members).replaceAll(NOT_WORD, '');
  const hasNotWord = members.includes(NOT_WORD);
  const flags = ignoresCase ? 'iu' : 'u';
  const inside = plain === '' ? null : new RegExp(`^[${plain}]$`, flags);
  const word = new RegExp(`^${translate('\\w')}$`, flags);
  const matches = (codePoint: number): boolean => {
    const character = String.fromCodePoint(codePoint);
    const isInside = (inside?.test(character) ?? false) || (hasNotWord && !word.test(character));
    return isInside !== isNegated;
  };
  const ascii = Uint8Array.from({ length: 128 }, (_, codePoint) => (matches(codePoint) ? 1 : 0));
  return (codePoint) => (codePoint < 128 ? ascii[codePoint] === 1 : matches(codePoint));
}
