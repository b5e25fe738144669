/**
 * Escapes that other programs undo: percent-encoding (RFC 3986 section 2.1), the escapes of JSON and JavaScript strings
 * (RFC 8259 section 7), numeric character references (HTML Living Standard section 13.5).
 */
import { indexOf } from './fold.ts';
import type { Place, StageRule, Step } from './stage.ts';

const CUES = /[%&\\]/g;

export const UNESCAPE: StageRule = {
  next: ({ text, at }) => indexOf(CUES, text, at),
  step(place) {
    const char = place.text.charAt(place.at);
    return char === '%' ? percent(place) : char === '\\' ? backslash(place) : reference(place);
  },
};

/** Bytes of a UTF-8 sequence by its first byte (RFC 3629 section 4); 0 for what cannot begin one. */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  return first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

const PERCENT_BYTE = /^%[0-9A-Fa-f]{2}$/;
const PERCENT_START = /^%[0-9A-Fa-f]?$/;

function percent({ text, at, isFinal }: Place): Step {
  const first = text.slice(at, at + 3);
  if (!PERCENT_BYTE.test(first)) return !isFinal && PERCENT_START.test(first) ? 'more' : null;
  const length = 3 * sequenceLength(Number.parseInt(first.slice(1), 16));
  if (length === 0) return null;
  const written = text.slice(at, at + length);
  const open = written.length % 3;
  if (!isFinal && written.length < length && (open === 0 || PERCENT_START.test(written.slice(-open)))) return 'more';
  try {
    return { length, text: decodeURIComponent(written) };
  } catch {
    return null;
  }
}

const SIMPLE: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['b', ' '],
  ['f', ' '],
  ['"', '"'],
  ["'", "'"],
  ['/', '/'],
  ['\\', '\\'],
]);

const CODE = /^\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})/;
const CODE_START = /^\\(?:u[0-9A-Fa-f]{0,3}|x[0-9A-Fa-f]?)?$/;

function backslash({ text, at, isFinal }: Place): Step {
  const simple = SIMPLE.get(text.charAt(at + 1));
  if (simple !== undefined) return { length: 2, text: simple };
  const written = text.slice(at, at + 6);
  const code = CODE.exec(written)?.[0];
  if (code !== undefined) return { length: code.length, text: String.fromCharCode(Number.parseInt(code.slice(2), 16)) };
  return !isFinal && CODE_START.test(written) ? 'more' : null;
}

const NAMED: ReadonlyMap<string, string> = new Map([
  ['commat', '@'],
  ['period', '.'],
  ['amp', '&'],
  ['nbsp', ' '],
  ['hyphen', '-'],
  ['dash', '-'],
  ['shy', ''],
  ['colon', ':'],
  ['sol', '/'],
  ['equals', '='],
  ['plus', '+'],
]);
const LONGEST_REFERENCE = 10;
const REFERENCE = /^&(?:#([0-9]{1,7})|#[xX]([0-9A-Fa-f]{1,6})|([a-z]{3,6}));/;
const REFERENCE_START = /^&(?:#(?:[0-9]{0,7}|[xX][0-9A-Fa-f]{0,6})|[a-z]{0,6})?$/;

function reference({ text, at, isFinal }: Place): Step {
  const written = text.slice(at, at + LONGEST_REFERENCE);
  const match = REFERENCE.exec(written);
  if (match === null) return !isFinal && REFERENCE_START.test(written) ? 'more' : null;
  const [whole, decimal, hex, name] = match;
  const decoded = name === undefined ? character(decimal, hex) : NAMED.get(name);
  return decoded === undefined ? null : { length: whole.length, text: decoded };
}

function character(decimal: string | undefined, hex: string | undefined): string | undefined {
  const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number.parseInt(decimal, 10);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
