type Encoding = 'utf8' | 'latin1' | 'hex' | 'base64' | 'base64url';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** As much of Node's Buffer as the verifier uses, for the page: in a browser there is none. */
class PageBuffer extends Uint8Array {
  override toString(encoding: Encoding = 'utf8', from = 0, to = this.length): string {
    const bytes = from === 0 && to === this.length ? this : this.subarray(from, to);
    if (encoding === 'utf8') return decoder.decode(bytes);
    if (encoding === 'hex') return toHex(bytes);
    const binary = toBinary(bytes);
    if (encoding === 'latin1') return binary;
    const text = btoa(binary);
    return encoding === 'base64' ? text : text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  }

  write(text: string, at: number, encoding: Encoding = 'utf8'): number {
    const bytes = fromText(text, encoding);
    this.set(bytes, at);
    return bytes.length;
  }

  equals(other: Uint8Array): boolean {
    return compare(this, other) === 0;
  }

  copy(target: Uint8Array, at: number, from: number, to: number): void {
    target.set(this.subarray(from, to), at);
  }

  readUInt32BE(at: number): number {
    return this.#view().getUint32(at);
  }

  readBigUInt64BE(at: number): bigint {
    return this.#view().getBigUint64(at);
  }

  #view(): DataView {
    return new DataView(this.buffer, this.byteOffset, this.byteLength);
  }
}

function fromText(text: string, encoding: Encoding): Uint8Array {
  if (encoding === 'utf8') return encoder.encode(text);
  if (encoding === 'hex') return fromHex(text);
  if (encoding === 'latin1') return codeUnits(text);
  return fromBase64(text);
}

function codeUnits(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = text.charCodeAt(at) & 0xff;
  return bytes;
}

/** Like Node's: up to the first pair that is none. */
function fromHex(text: string): Uint8Array {
  const digits = /^(?:[0-9a-fA-F]{2})*/.exec(text)?.[0] ?? '';
  const bytes = new Uint8Array(digits.length / 2);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

/** Like Node's: both alphabets, what is in neither is left out. */
function fromBase64(text: string): Uint8Array {
  const [plain = ''] = text.replaceAll('-', '+').replaceAll('_', '/').split('=');
  const digits = plain.replaceAll(/[^A-Za-z0-9+/]/g, '');
  // A digit too much holds no whole byte.
  const whole = digits.length % 4 === 1 ? digits.slice(0, -1) : digits;
  return codeUnits(atob(whole));
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte] ?? '';
  return text;
}

/** In pieces: a call takes only so many arguments. */
function toBinary(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at += 1) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return Math.sign(a.length - b.length);
}

/** The functions of Node's Buffer that the verifier calls. */
export const Buffer = {
  from(value: string | Uint8Array | readonly number[], encoding: Encoding = 'utf8'): PageBuffer {
    return new PageBuffer(typeof value === 'string' ? fromText(value, encoding) : value);
  },
  alloc: (bytes: number): PageBuffer => new PageBuffer(bytes),
  allocUnsafe: (bytes: number): PageBuffer => new PageBuffer(bytes),
  of: (...bytes: number[]): PageBuffer => new PageBuffer(bytes),
  concat(parts: readonly Uint8Array[]): PageBuffer {
    const whole = new PageBuffer(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  },
  compare,
};
