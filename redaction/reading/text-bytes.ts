/** Bytes that may stand in a text, and the characters they make (RFC 3629). */

/** Printable ASCII, tab and line ends, and what may begin a longer sequence. */
export function isTextByte(byte: number): boolean {
  return byte >= 0x20 ? byte !== 0x7f && (byte < 0x80 || byte >= 0xc2) : byte === 9 || byte === 10 || byte === 13;
}

/** Bytes of a sequence by its first byte; 0 for what cannot begin one. */
export function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  return first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

const LEAST = [0, 0, 0x80, 0x800, 0x10000];

/** What a sequence of this many bytes may not stand for: a shorter one's character, half a pair, nothing at all. */
export function isCharacter(code: number, length: number): boolean {
  return code >= (LEAST[length] ?? 0) && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

/** Writes a code point as one or two code units at `at`; returns how many. */
export function writeCodePoint(code: number, units: Uint16Array, at: number): number {
  if (code <= 0xffff) {
    units[at] = code;
    return 1;
  }
  units[at] = 0xd800 + ((code - 0x10000) >> 10);
  units[at + 1] = 0xdc00 + ((code - 0x10000) & 0x3ff);
  return 2;
}

/** Puts bytes together to characters; only those of readable text are accepted. */
export class TextBytes {
  #missing = 0;
  #length = 0;
  #code = 0;
  /** The code units of what came out; the caller takes them and sets `count` to 0. */
  readonly units = new Uint16Array(8);
  count = 0;

  /** A character has begun and is not complete. */
  get isOpen(): boolean {
    return this.#missing > 0;
  }

  reset(): void {
    this.#missing = 0;
    this.count = 0;
  }

  /** False: the byte does not belong here. */
  push(byte: number): boolean {
    if (this.#missing > 0) return this.#continue(byte);
    if (!isTextByte(byte) || byte > 0xf4) return false;
    if (byte < 0x80) {
      this.units[this.count++] = byte;
      return true;
    }
    this.#length = sequenceLength(byte);
    this.#missing = this.#length - 1;
    this.#code = byte & (0x3f >> this.#missing);
    return true;
  }

  #continue(byte: number): boolean {
    if ((byte & 0xc0) !== 0x80) return false;
    this.#code = (this.#code << 6) | (byte & 0x3f);
    this.#missing -= 1;
    if (this.#missing > 0) return true;
    if (!isCharacter(this.#code, this.#length)) return false;
    this.count += writeCodePoint(this.#code, this.units, this.count);
    return true;
  }
}
