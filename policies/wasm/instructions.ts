import { BinaryReader, unsupported } from './binary.ts';

/**
 * The instructions a metered module may hold (WebAssembly 1.0 with sign extension and saturating conversions, which is
 * what opa emits) and how many immediates each carries. Bulk memory and vector instructions are refused: one of them
 * may touch megabytes for the price of a single instruction.
 */

export const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  end: 0x0b,
  call: 0x10,
  callIndirect: 0x11,
  localGet: 0x20,
  localSet: 0x21,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Const: 0x41,
  i32LtS: 0x48,
  i32Sub: 0x6b,
  i32Or: 0x72,
} as const;

const BR_TABLE = 0x0e;
const SATURATING = 0xfc;

/** Integers that follow each opcode; opcodes that are not here are not allowed. */
const INTEGERS = integerTable();

function integerTable(): Int8Array {
  const table = new Int8Array(256).fill(-1);
  const set = (from: number, to: number, integers: number): void => {
    table.fill(integers, from, to + 1);
  };
  set(0x00, 0x01, 0); // unreachable, nop
  set(0x02, 0x04, 1); // block, loop, if: block type
  set(0x05, 0x05, 0); // else
  set(0x0b, 0x0b, 0); // end
  set(0x0c, 0x0d, 1); // br, br_if
  set(0x0f, 0x0f, 0); // return
  set(0x10, 0x10, 1); // call
  set(0x11, 0x11, 2); // call_indirect: type, table
  set(0x1a, 0x1b, 0); // drop, select
  set(0x20, 0x24, 1); // local.*, global.*
  set(0x28, 0x3e, 2); // loads and stores: alignment, offset
  set(0x3f, 0x40, 1); // memory.size, memory.grow
  set(0x41, 0x42, 1); // i32.const, i64.const
  set(0x45, 0xc4, 0); // comparison, arithmetic, conversion, sign extension
  return table;
}

/** Reads one instruction and leaves the reader behind it. Returns its opcode. */
export function readInstruction(reader: BinaryReader): number {
  const opcode = reader.byte();
  if (opcode === 0x43) reader.skip(4);
  else if (opcode === 0x44) reader.skip(8);
  else if (opcode === BR_TABLE) {
    for (let targets = reader.u32() + 1; targets > 0; targets -= 1) reader.skipInteger();
  } else if (opcode === SATURATING) {
    const extended = reader.u32();
    if (extended > 7) throw unsupported(`it uses instruction 0xfc ${extended}`);
  } else {
    const integers = INTEGERS[opcode] ?? -1;
    if (integers < 0) throw unsupported(`it uses instruction 0x${opcode.toString(16)}`);
    for (let left = integers; left > 0; left -= 1) reader.skipInteger();
  }
  return opcode;
}

/** An instruction where it stands in a function's code. */
export interface Instruction {
  readonly opcode: number;
  readonly start: number;
  readonly end: number;
  /** The local or function it names, or the bytes of a constant read as an unsigned number; -1 for others. */
  readonly index: number;
}

/** What stands between two offsets of a function's code gives way to something else. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly code: Uint8Array;
}

const INDEXED = new Set<number>([OP.call, OP.localGet, OP.localSet, OP.i32Const]);

/** `body` is a function's, with its first instruction at `from`; offsets are into `body`. */
export function readInstructions(body: Uint8Array, from: number): Instruction[] {
  const reader = new BinaryReader(body);
  reader.at = from;
  const list: Instruction[] = [];
  while (!reader.done) {
    const start = reader.at;
    const opcode = readInstruction(reader);
    list.push({ opcode, start, end: reader.at, index: INDEXED.has(opcode) ? indexAt(body, start + 1) : -1 });
  }
  return list;
}

function indexAt(body: Uint8Array, at: number): number {
  const reader = new BinaryReader(body);
  reader.at = at;
  return reader.u32();
}

/** Whether that instruction stands at a position of a list; without an index, with any. */
export function isInstruction(list: readonly Instruction[], at: number, opcode: number, index = -1): boolean {
  const found = list[at];
  return found !== undefined && found.opcode === opcode && (index === -1 || found.index === index);
}
