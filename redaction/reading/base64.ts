/**
 * Text in base64 (RFC 4648 sections 4 and 5), found anywhere in a run of its alphabet: sixteen characters that decode to
 * printable text are not there by chance (the odds of a random run are one in a hundred thousand a place).
 */
import { isTextByte, TextBytes } from './text-bytes.ts';
import type { StageOutput, StageRule } from './stage.ts';

/** Characters that must decode to text before any are taken for base64. */
export const MIN_BASE64 = 16;

const NOT_BASE64 = 255;
const VALUES = new Uint8Array(128).fill(NOT_BASE64);
for (const [i, char] of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.split('').entries())
  VALUES[char.charCodeAt(0)] = i;
VALUES['-'.charCodeAt(0)] = 62;
VALUES['_'.charCodeAt(0)] = 63;

/** 1 for three values whose first two bytes may begin a text: most places fail here. Made when first needed. */
let openings: Uint8Array | null = null;

function makeOpenings(): Uint8Array {
  const table = new Uint8Array(64 ** 3);
  for (let three = 0; three < table.length; three++) {
    const missing = continued(0, three >> 10);
    if (missing >= 0 && continued(missing, (three >> 2) & 0xff) >= 0) table[three] = 1;
  }
  return table;
}

/** The six bits a character stands for; 255 when it is none of the alphabet, or past the end. */
function valueAt(text: string, at: number): number {
  if (at >= text.length) return NOT_BASE64;
  const code = text.charCodeAt(at);
  return code < 128 ? (VALUES[code] ?? NOT_BASE64) : NOT_BASE64;
}

/** True when text in base64 begins somewhere; looks at about every tenth character of prose. */
export function hasBase64Text(text: string): boolean {
  return nextText(text, 0, true) < text.length;
}

/** The first place at or after `from` where base64 text begins, or may begin once more text has come; else the length. */
function nextText(text: string, from: number, isFinal: boolean): number {
  const { length } = text;
  let at = from;
  while (at < length) {
    const end = Math.min(at + MIN_BASE64, length);
    if (isFinal && end < at + MIN_BASE64) return length;
    let last = end - 1;
    while (last >= at && valueAt(text, last) !== NOT_BASE64) last -= 1;
    if (last < at) {
      const found = nextInRun(text, at, end, isFinal);
      if (found >= 0) return found;
      last = -found;
    }
    at = last + 1;
  }
  return length;
}

/** The same within a run of the alphabet, known up to `known`; negative: the first place behind that is not of it. */
function nextInRun(text: string, from: number, known: number, isFinal: boolean): number {
  openings ??= makeOpenings();
  let three = (valueAt(text, from) << 6) | valueAt(text, from + 1);
  let end = known;
  for (let at = from; end >= at + 3; at++) {
    three = ((three << 6) | valueAt(text, at + 2)) & 0x3ffff;
    if (openings[three] === 1 && begins(text, at, end) !== false) return at;
    if (end === text.length) {
      if (isFinal) return end;
      continue;
    }
    if (valueAt(text, end) === NOT_BASE64) return -end;
    end += 1;
  }
  return Math.max(from, end - 2);
}

/** Whether the characters [at, end), all of the alphabet, are the beginning of a text; null: they are too few to say. */
function begins(text: string, at: number, end: number): boolean | null {
  let missing = 0;
  for (let i = at; i < end; i += 4) {
    const first = valueAt(text, i);
    const second = valueAt(text, i + 1);
    if (i + 1 >= end) return null;
    missing = continued(missing, ((first << 2) | (second >> 4)) & 0xff);
    if (missing < 0) return false;
    if (i + 2 >= end) return null;
    const third = valueAt(text, i + 2);
    missing = continued(missing, ((second << 4) | (third >> 2)) & 0xff);
    if (missing < 0) return false;
    if (i + 3 >= end) return null;
    missing = continued(missing, ((third << 6) | valueAt(text, i + 3)) & 0xff);
    if (missing < 0) return false;
  }
  return end - at === MIN_BASE64 ? true : null;
}

/** Continuation bytes that must follow after this one; -1: it does not belong into text. */
function continued(missing: number, byte: number): number {
  if (missing > 0) return (byte & 0xc0) === 0x80 ? missing - 1 : -1;
  if (!isTextByte(byte) || byte > 0xf4) return -1;
  return byte < 0x80 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
}

/** Of the four characters at `at`, how many are of the alphabet up to the first that is not. */
function runAt(text: string, at: number): number {
  let count = 0;
  while (count < 4 && valueAt(text, at + count) !== NOT_BASE64) count += 1;
  return count;
}

/** Decodes `count` characters (two to four) at `at`; false when they are no text. */
function decode(text: string, at: number, count: number, bytes: TextBytes): boolean {
  const first = (valueAt(text, at) << 2) | (valueAt(text, at + 1) >> 4);
  if (!bytes.push(first)) return false;
  if (count === 2) return true;
  const third = valueAt(text, at + 2);
  if (!bytes.push(((valueAt(text, at + 1) << 4) | (third >> 2)) & 0xff)) return false;
  return count === 3 || bytes.push(((third << 6) | valueAt(text, at + 3)) & 0xff);
}

/** What became of a group of characters: the place behind it, or one of these. */
const MORE = -1;
const NOT_TEXT = -2;

const NOTHING: readonly number[] = [];

/** Lines of 64 or 76 characters (RFC 2045 section 6.8, RFC 7468 section 2). */
function lineBreak(text: string, at: number, isFinal: boolean, out: StageOutput): number {
  const length = text.charAt(at) === '\r' ? 2 : 1;
  if (text.charAt(at + length - 1) !== '\n' && !(at + 1 === text.length && !isFinal && length === 2)) return NOT_TEXT;
  if (at + length >= text.length) return isFinal ? NOT_TEXT : MORE;
  if (runAt(text, at + length) === 0) return NOT_TEXT;
  out.replace(at, at + length, NOTHING, 0);
  return at + length;
}

/** The rule of one stream: it knows where the decoding of a run goes on. */
export function base64Rule(): StageRule {
  let isDecoding = false;
  const bytes = new TextBytes();
  let openUnits = 0;

  /** Four characters, or what is left of the run with its padding, or the line break inside it. */
  function group(text: string, at: number, isFinal: boolean, out: StageOutput): number {
    const count = runAt(text, at);
    if (count < 4 && at + count === text.length && !isFinal) return MORE;
    if (count === 0) return lineBreak(text, at, isFinal, out);
    if (count === 1) return NOT_TEXT;
    let length = count;
    while (count < 4 && length < 4 && text.charAt(at + length) === '=') length += 1;
    if (count < 4 && length < 4 && at + length === text.length && !isFinal) return MORE;
    const behind = openUnits;
    bytes.count = 0;
    openUnits = 0;
    if (!decode(text, at, count, bytes)) return NOT_TEXT;
    openUnits = bytes.isOpen ? behind + length : 0;
    isDecoding = count === 4;
    out.replace(at, at + length, bytes.units, bytes.count, behind);
    return at + length;
  }

  /** Decodes from `at` on; where a text ends in the middle of a character, what was read of it is gone. */
  function decodeRun(text: string, from: number, isFinal: boolean, out: StageOutput): number {
    let at = from;
    while (isDecoding && at < text.length) {
      const next = group(text, at, isFinal, out);
      if (next === MORE) return at;
      if (next !== NOT_TEXT) at = next;
      else isDecoding = false;
    }
    if (!isDecoding) openUnits = 0;
    return at;
  }

  return {
    apply(text, _, isFinal, out) {
      let at = 0;
      while (at < text.length) {
        if (isDecoding) {
          at = decodeRun(text, at, isFinal, out);
          if (isDecoding) return at;
        }
        at = nextText(text, at, isFinal);
        if (at === text.length) break;
        if (begins(text, at, Math.min(at + MIN_BASE64, text.length)) !== true) return at;
        bytes.reset();
        openUnits = 0;
        isDecoding = true;
        const next = decodeRun(text, at, isFinal, out);
        if (isDecoding) return next;
        // Bytes that look like a character and are none.
        at = next === at ? at + 1 : next;
      }
      return text.length;
    },
    open: () => openUnits,
  };
}
