/**
 * Text in base64 (RFC 4648 sections 4 and 5), found anywhere in a run of its alphabet: sixteen characters that decode to
 * printable text are not there by chance (the odds of a random run are one in a hundred thousand a place).
 */
import type { Place, StageRule, Step } from './stage.ts';

/** Characters that must decode to text before any are taken for base64. */
export const MIN_BASE64 = 16;

const NOT_BASE64 = 255;
const VALUES = new Uint8Array(128).fill(NOT_BASE64);
for (const [i, char] of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.split('').entries())
  VALUES[char.charCodeAt(0)] = i;
VALUES['-'.charCodeAt(0)] = 62;
VALUES['_'.charCodeAt(0)] = 63;

/** The six bits a character stands for; 255 when it is none of the alphabet. NaN, past the end, is none. */
function valueAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 128 ? (VALUES[code] ?? NOT_BASE64) : NOT_BASE64;
}

/** True when text in base64 begins somewhere; looks at about every third character of prose. */
export function hasBase64Text(text: string): boolean {
  for (let i = MIN_BASE64 - 1; i < text.length; i += MIN_BASE64) {
    if (valueAt(text, i) === NOT_BASE64) continue;
    // Every run that is long enough has one of the characters looked at; all of it is behind the last one that was.
    let start = i;
    while (start > i - MIN_BASE64 && valueAt(text, start - 1) !== NOT_BASE64) start -= 1;
    let end = i + 1;
    while (end < text.length && valueAt(text, end) !== NOT_BASE64) end += 1;
    for (let at = start; at + MIN_BASE64 <= end; at++) {
      if (mayBegin(text, at) && begins(text, at) === true) return true;
    }
    while (i + MIN_BASE64 < end) i += MIN_BASE64;
  }
  return false;
}

/** Puts bytes together to characters; only those of readable text are accepted (RFC 3629). */
class TextBytes {
  #missing = 0;
  #code = 0;
  #least = 0;
  /** What came out, and whether everything so far was text. */
  text = '';

  /** A character has begun and is not complete. */
  get isOpen(): boolean {
    return this.#missing > 0;
  }

  push(byte: number): boolean {
    if (this.#missing > 0) return this.#continue(byte);
    if (byte < 0x80) {
      if (!isText(byte)) return false;
      this.text += String.fromCharCode(byte);
      return true;
    }
    if (byte < 0xc2 || byte > 0xf4) return false;
    this.#missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    this.#code = byte & (0x3f >> this.#missing);
    this.#least = this.#missing === 1 ? 0x80 : this.#missing === 2 ? 0x800 : 0x10000;
    return true;
  }

  #continue(byte: number): boolean {
    if ((byte & 0xc0) !== 0x80) return false;
    this.#code = (this.#code << 6) | (byte & 0x3f);
    this.#missing -= 1;
    if (this.#missing > 0) return true;
    const isSurrogate = this.#code >= 0xd800 && this.#code <= 0xdfff;
    if (this.#code < this.#least || this.#code > 0x10ffff || isSurrogate) return false;
    this.text += String.fromCodePoint(this.#code);
    return true;
  }
}

/** How many of the four characters at `at` are of the alphabet. */
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

/** Most places fail here: a first character that begins a text. */
function mayBegin(text: string, at: number): boolean {
  const first = valueAt(text, at);
  return first !== NOT_BASE64 && (isText((first << 2) | (valueAt(text, at + 1) >> 4)) || at + 1 === text.length);
}

/** At `at` a run begins that is long enough, or may become so. */
function isLong(text: string, at: number, isFinal: boolean): boolean {
  let end = at + 1;
  while (end < at + MIN_BASE64 && valueAt(text, end) !== NOT_BASE64) end += 1;
  return end === at + MIN_BASE64 || (end === text.length && !isFinal);
}

function isText(byte: number): boolean {
  return byte >= 0x20 ? byte !== 0x7f && (byte < 0x80 || byte >= 0xc2) : byte === 9 || byte === 10 || byte === 13;
}

/** Whether base64 text begins at `at`; null: the text ends too early to say. Without allocations: nearly all places fail. */
function begins(text: string, at: number): boolean | null {
  let missing = 0;
  for (let i = at; i < at + MIN_BASE64; i += 4) {
    const count = runAt(text, i);
    if (count < 4 && i + count < text.length) return false;
    for (let k = 0; k + 1 < count; k++) {
      missing = continued(
        missing,
        ((valueAt(text, i + k) << (2 + 2 * k)) | (valueAt(text, i + k + 1) >> (4 - 2 * k))) & 0xff,
      );
      if (missing < 0) return false;
    }
    if (count < 4) return null;
  }
  return true;
}

/** Continuation bytes that must follow after this one; -1: it does not belong into text. */
function continued(missing: number, byte: number): number {
  if (missing > 0) return (byte & 0xc0) === 0x80 ? missing - 1 : -1;
  if (!isText(byte) || byte > 0xf4) return -1;
  return byte < 0x80 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
}

/** The rule of one stream: it knows where the decoding of a run goes on. */
export function base64Rule(): StageRule {
  let continuesAt = -1;
  let bytes = new TextBytes();
  let openUnits = 0;

  function next({ text, at, position, isFinal }: Place): number {
    if (position === continuesAt) return at;
    let i = at;
    while (i < text.length && !(mayBegin(text, i) && isLong(text, i, isFinal))) i += 1;
    return i;
  }

  function step(place: Place): Step {
    const { text, at, position, isFinal } = place;
    if (position === continuesAt) {
      const step = group(place);
      if (step !== null) return step;
      continuesAt = -1;
      openUnits = 0;
    }
    const isBegin = begins(text, at);
    if (isBegin === null && !isFinal) return 'more';
    if (isBegin !== true) return null;
    bytes = new TextBytes();
    openUnits = 0;
    return group(place);
  }

  /** Four characters, or what is left of the run with its padding, or the line break inside it. */
  function group({ text, at, position, isFinal }: Place): Step {
    const count = runAt(text, at);
    if (count < 4 && at + count === text.length && !isFinal) return 'more';
    if (count === 0) return lineBreak({ text, at, position, isFinal });
    if (count === 1) return null;
    let length = count;
    while (count < 4 && length < 4 && text.charAt(at + length) === '=') length += 1;
    if (count < 4 && length < 4 && at + length === text.length && !isFinal) return 'more';
    const behind = openUnits;
    bytes.text = '';
    openUnits = 0;
    if (!decode(text, at, count, bytes)) return null;
    openUnits = bytes.isOpen ? behind + length : 0;
    continuesAt = count === 4 ? position + length : -1;
    return { length, text: bytes.text, behind };
  }

  /** Lines of 64 or 76 characters (RFC 2045 section 6.8, RFC 7468 section 2). */
  function lineBreak({ text, at, position, isFinal }: Place): Step {
    const length = text.charAt(at) === '\r' ? 2 : 1;
    if (text.charAt(at + length - 1) !== '\n' && !(at + 1 === text.length && !isFinal && length === 2)) return null;
    if (at + length >= text.length) return isFinal ? null : 'more';
    if (runAt(text, at + length) === 0) return null;
    continuesAt = position + length;
    return { length, text: '' };
  }

  return { next, step, open: () => openUnits };
}
