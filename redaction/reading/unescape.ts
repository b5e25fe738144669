/**
 * Escapes that other programs undo: percent-encoding (RFC 3986 section 2.1), the escapes of JSON and JavaScript strings
 * (RFC 8259 section 7), numeric character references (HTML Living Standard section 13.5).
 */
import type { StageOutput, StageRule } from './stage.ts';
import { isCharacter, sequenceLength, writeCodePoint } from './text-bytes.ts';

const PERCENT = 0x25;
const AMPERSAND = 0x26;
const BACKSLASH = 0x5c;

/** What was decoded last. One rule serves one text at a time. */
const units = new Uint16Array(2);

/** What a reader returns instead of the end of the escape: it depends on text that has not come, or there is none. */
const MORE = -1;
const NONE = -2;

export const UNESCAPE: StageRule = {
  apply(text, _, isFinal, out) {
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code !== PERCENT && code !== AMPERSAND && code !== BACKSLASH) continue;
      const read = code === PERCENT ? percent : code === BACKSLASH ? backslash : reference;
      const end = read(text, at, out);
      if (end === MORE && !isFinal) return at;
      if (end >= 0) at = end - 1;
    }
    return text.length;
  },
};

const HEX = new Uint8Array(128).fill(16);
for (const [value, digits] of [
  '0',
  '1',
  '2',
  '3',
  '4',
  '5',
  '6',
  '7',
  '8',
  '9',
  'aA',
  'bB',
  'cC',
  'dD',
  'eE',
  'fF',
].entries())
  for (const digit of digits) HEX[digit.charCodeAt(0)] = value;

/** The value of `count` hexadecimal digits at `at`; `MORE` where the text ends in them, `NONE` where others stand. */
function hexAt(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    if (i >= text.length) return MORE;
    const digit = HEX[text.charCodeAt(i)] ?? 16;
    if (digit === 16) return NONE;
    value = value * 16 + digit;
  }
  return value;
}

/** The byte of `%XX` at `at`. */
function percentByte(text: string, at: number): number {
  if (at >= text.length) return MORE;
  return text.charCodeAt(at) === PERCENT ? hexAt(text, at + 1, 2) : NONE;
}

function percent(text: string, at: number, out: StageOutput): number {
  const first = percentByte(text, at);
  if (first < 0) return first;
  const length = sequenceLength(first);
  if (length === 0) return NONE;
  let code = length === 1 ? first : first & (0xff >> (length + 1));
  for (let i = 1; i < length; i++) {
    const byte = percentByte(text, at + 3 * i);
    if (byte < 0) return byte;
    if ((byte & 0xc0) !== 0x80) return NONE;
    code = (code << 6) | (byte & 0x3f);
  }
  if (!isCharacter(code, length)) return NONE;
  return replaced(out, at, at + 3 * length, code);
}

function replaced(out: StageOutput, start: number, end: number, code: number): number {
  out.replace(start, end, units, writeCodePoint(code, units, 0));
  return end;
}

/** What stands for what behind a backslash; 0: nothing. */
const SIMPLE = new Uint8Array(128);
for (const [escape, char] of ['n\n', 't\t', 'r\r', 'b ', 'f ', '""', "''", '//', '\\\\'].map((pair) => pair.split('')))
  SIMPLE[escape?.charCodeAt(0) ?? 0] = char?.charCodeAt(0) ?? 0;

function backslash(text: string, at: number, out: StageOutput): number {
  if (at + 1 >= text.length) return MORE;
  const kind = text.charCodeAt(at + 1);
  const simple = SIMPLE[kind] ?? 0;
  if (simple !== 0) return replaced(out, at, at + 2, simple);
  const digits = kind === 0x75 ? 4 : kind === 0x78 ? 2 : 0;
  if (digits === 0) return NONE;
  const code = hexAt(text, at + 2, digits);
  return code < 0 ? code : replaced(out, at, at + 2 + digits, code);
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
const MAX_NAME = 6;

function reference(text: string, at: number, out: StageOutput): number {
  if (at + 1 >= text.length) return MORE;
  if (text.charCodeAt(at + 1) !== 0x23) return named(text, at, out);
  const isHex = at + 2 < text.length && (text.charCodeAt(at + 2) | 0x20) === 0x78;
  return numeric(text, at, out, isHex);
}

/** `&#` with one to seven decimal digits, or `&#x` with one to six hexadecimal ones. */
function numeric(text: string, start: number, out: StageOutput, isHex: boolean): number {
  const base = isHex ? 16 : 10;
  const first = start + (isHex ? 3 : 2);
  const limit = first + (isHex ? 6 : 7);
  let value = 0;
  let at = first;
  for (; at < limit && at < text.length; at++) {
    const digit = HEX[text.charCodeAt(at)] ?? 16;
    if (digit >= base) break;
    value = value * base + digit;
  }
  if (at === text.length) return MORE;
  if (at === first || text.charAt(at) !== ';' || value === 0 || value > 0x10ffff) return NONE;
  return replaced(out, start, at + 1, value);
}

function named(text: string, start: number, out: StageOutput): number {
  let at = start + 1;
  while (at <= start + MAX_NAME && at < text.length && isLower(text.charCodeAt(at))) at += 1;
  if (at === text.length) return MORE;
  if (text.charAt(at) !== ';') return NONE;
  const char = NAMED.get(text.slice(start + 1, at));
  if (char === undefined) return NONE;
  units[0] = char === '' ? 0 : char.charCodeAt(0);
  out.replace(start, at + 1, units, char.length);
  return at + 1;
}

function isLower(code: number): boolean {
  return code >= 0x61 && code <= 0x7a;
}
