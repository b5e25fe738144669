import { BinaryReader, readSections, SECTION, unsupported, writeSections, writeU32 } from './binary.ts';
import type { Section } from './binary.ts';
import { OP, readInstruction } from './instructions.ts';

/**
 * Bounds how long a policy runs. Node cannot interrupt WebAssembly, so the module is rewritten before it is compiled:
 * every turn of a loop and every entry of a function that calls others takes one unit from a counter, and an empty
 * counter traps. The count depends on module, data and input only, so an exhausted evaluation replays as exhausted,
 * which a time limit never does. Functions without calls and loops are bounded by their length and stay as they are.
 */

/** The counter's export in a metered module: a mutable i32, set by the host before each evaluation. */
export const FUEL_EXPORT = 'countersign_fuel';

/** What a module may use before the first evaluation sets the counter. */
const INITIAL_FUEL = 1_000_000;

const I32 = 0x7f;
const MUTABLE = 0x01;
const VOID_BLOCK = 0x40;
const EXPORT_GLOBAL = 0x03;
const IMPORT = { function: 0, table: 1, memory: 2, global: 3 } as const;

export interface MeteredModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Pages of 64 KiB the module needs to start with. */
  readonly minimumPages: number;
}

/** Throws PolicyError `unsupported_module` for anything that cannot be metered. */
export function meterModule(module: Uint8Array): MeteredModule {
  const sections = readSections(module);
  const imports = readImports(find(sections, SECTION.import));
  const globals = new BinaryReader(find(sections, SECTION.global)).u32();
  const counter = imports.globals + globals;
  const rewritten = sections.map((section) => rewriteSection(section, counter));
  return { bytes: writeSections(rewritten), minimumPages: imports.minimumPages };
}

function find(sections: readonly Section[], id: number): Uint8Array {
  const matching = sections.filter((section) => section.id === id);
  if (matching.length !== 1 || matching[0] === undefined) throw unsupported(`it has ${matching.length} sections ${id}`);
  return matching[0].body;
}

function rewriteSection(section: Section, counter: number): Section {
  if (section.id === SECTION.global) return { id: section.id, body: appendToVector(section.body, counterGlobal()) };
  if (section.id === SECTION.export)
    return { id: section.id, body: appendToVector(section.body, counterExport(counter)) };
  if (section.id === SECTION.code) return { id: section.id, body: meterCode(section.body, chargeCode(counter)) };
  return section;
}

function counterGlobal(): Uint8Array {
  return Buffer.concat([Uint8Array.of(I32, MUTABLE, OP.i32Const), writeSigned(INITIAL_FUEL), Uint8Array.of(OP.end)]);
}

function counterExport(counter: number): Uint8Array {
  const name = Buffer.from(FUEL_EXPORT);
  return Buffer.concat([writeU32(name.length), name, Uint8Array.of(EXPORT_GLOBAL), writeU32(counter)]);
}

function appendToVector(body: Uint8Array, item: Uint8Array): Uint8Array {
  const reader = new BinaryReader(body);
  const count = reader.u32();
  return Buffer.concat([writeU32(count + 1), body.subarray(reader.at), item]);
}

/** `if counter = 0 then trap; counter := counter - 1`. Leaves the operand stack as it was. */
function chargeCode(counter: number): Uint8Array {
  const index = writeU32(counter);
  return Buffer.concat([
    Uint8Array.of(OP.globalGet),
    index,
    Uint8Array.of(OP.i32Eqz, OP.if, VOID_BLOCK, OP.unreachable, OP.end, OP.globalGet),
    index,
    Uint8Array.of(OP.i32Const, 1, OP.i32Sub, OP.globalSet),
    index,
  ]);
}

function meterCode(body: Uint8Array, charge: Uint8Array): Uint8Array {
  const reader = new BinaryReader(body);
  const count = reader.u32();
  const parts: Uint8Array[] = [writeU32(count)];
  for (let left = count; left > 0; left -= 1) {
    const metered = meterFunction(reader.take(reader.u32()), charge);
    parts.push(writeU32(metered.length), metered);
  }
  return Buffer.concat(parts);
}

function meterFunction(body: Uint8Array, charge: Uint8Array): Uint8Array {
  const reader = new BinaryReader(body);
  for (let groups = reader.u32(); groups > 0; groups -= 1) {
    reader.u32();
    reader.skip(1);
  }
  const start = reader.at;
  const loops: number[] = [];
  let calls = false;
  while (!reader.done) {
    const opcode = readInstruction(reader);
    if (opcode === OP.loop) loops.push(reader.at);
    if (opcode === OP.call || opcode === OP.callIndirect) calls = true;
  }
  const places = calls ? [start, ...loops] : loops;
  return places.length === 0 ? body : insertAt(body, places, charge);
}

function insertAt(body: Uint8Array, places: readonly number[], code: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const place of places) {
    parts.push(body.subarray(from, place), code);
    from = place;
  }
  parts.push(body.subarray(from));
  return Buffer.concat(parts);
}

function readImports(body: Uint8Array): { globals: number; minimumPages: number } {
  const reader = new BinaryReader(body);
  let globals = 0;
  let minimumPages = 1;
  for (let left = reader.u32(); left > 0; left -= 1) {
    reader.name();
    reader.name();
    const kind = reader.byte();
    if (kind === IMPORT.function) reader.u32();
    else if (kind === IMPORT.memory) minimumPages = readMinimum(reader);
    else if (kind === IMPORT.global) {
      reader.skip(2);
      globals += 1;
    } else throw unsupported('it imports something other than functions and a memory');
  }
  return { globals, minimumPages };
}

function readMinimum(reader: BinaryReader): number {
  const flags = reader.byte();
  const minimum = reader.u32();
  if ((flags & 1) === 1) reader.u32();
  return minimum;
}

function writeSigned(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  while (rest >= 64) {
    out.push((rest & 0x7f) | 0x80);
    rest >>= 7;
  }
  out.push(rest);
  return Uint8Array.from(out);
}
