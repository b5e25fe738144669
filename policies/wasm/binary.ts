import { PolicyError } from '../errors.ts';

/**
 * Reading and writing the WebAssembly binary format (webassembly.github.io/spec/core/binary), as far as metering needs
 * it. Anything not known here is refused: code that cannot be read cannot be bounded.
 */

export const SECTION = { custom: 0, type: 1, import: 2, function: 3, global: 6, export: 7, code: 10 } as const;

export interface Section {
  readonly id: number;
  readonly body: Uint8Array;
}

export class BinaryReader {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) throw unsupported('it is cut off');
    this.at += 1;
    return value;
  }

  skip(count: number): void {
    if (this.at + count > this.bytes.length) throw unsupported('it is cut off');
    this.at += count;
  }

  take(count: number): Uint8Array {
    const start = this.at;
    this.skip(count);
    return this.bytes.subarray(start, start + count);
  }

  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw unsupported('an integer is too long');
  }

  /** Steps over a signed or unsigned LEB128 integer of up to 64 bits. */
  skipInteger(): void {
    for (let length = 0; length < 10; length += 1) {
      if (this.byte() < 0x80) return;
    }
    throw unsupported('an integer is too long');
  }

  name(): string {
    return Buffer.from(this.take(this.u32())).toString('utf8');
  }
}

const HEADER = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);

export function readSections(module: Uint8Array): Section[] {
  const reader = new BinaryReader(module);
  if (Buffer.compare(reader.take(HEADER.length), HEADER) !== 0) throw unsupported('it is not a version 1 module');
  const sections: Section[] = [];
  while (!reader.done) sections.push({ id: reader.byte(), body: reader.take(reader.u32()) });
  return sections;
}

export function writeSections(sections: readonly Section[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [HEADER];
  for (const section of sections) parts.push(Uint8Array.of(section.id), writeU32(section.body.length), section.body);
  return Uint8Array.from(Buffer.concat(parts));
}

export function writeU32(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    out.push(rest === 0 ? low : low + 128);
  } while (rest !== 0);
  return Uint8Array.from(out);
}

export function unsupported(found: string): PolicyError {
  return new PolicyError(
    'unsupported_module',
    `expected a WebAssembly module built by the pinned opa; ${found}; build the bundle again`,
  );
}
