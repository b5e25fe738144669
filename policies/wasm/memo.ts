import { writeU32 } from './binary.ts';
import { isInstruction as is, OP } from './instructions.ts';
import type { Edit, Instruction } from './instructions.ts';

/**
 * What a rule came to is kept for the rest of an evaluation. opa keeps it in a hash table with the rule's number as its key
 * (wasm/src/memoize.c in the compiler's sources), which took a sixth of the baseline's time; here each rule has a global.
 */

/** Indices of opa's functions. */
export interface MemoFunctions {
  /** `opa_memoize_init`, called once at the beginning of an evaluation. */
  readonly init: number;
  /** `opa_memoize_get` */
  readonly get: number;
  /** `opa_memoize_insert` */
  readonly insert: number;
}

/** Null: the table stays, because `with` puts it aside and takes it up again, or because nothing is known of the functions. */
export function memoFunctions(indices: ReadonlyMap<string, number>): MemoFunctions | null {
  const [init, get, insert] = ['init', 'get', 'insert'].map((name) => indices.get(`opa_memoize_${name}`));
  const known = init !== undefined && get !== undefined && insert !== undefined;
  return known && !indices.has('opa_memoize_push') ? { init, get, insert } : null;
}

/** `list` is the code of a rule. None when it has another form than opa gives it: then the rule keeps to the table. */
export function memoEdits(list: readonly Instruction[], { get, insert }: MemoFunctions, global: number): Edit[] {
  const rule = list[0]?.index ?? -1;
  const edits: Edit[] = [];
  for (const [at, { opcode, index, start, end }] of list.entries()) {
    if (opcode !== OP.call || (index !== get && index !== insert)) continue;
    const asks = index === get;
    const key = list[asks ? at - 1 : at - 2];
    if (key?.opcode !== OP.i32Const || key.index !== rule) return [];
    if (asks ? at !== 1 : !is(list, at - 1, OP.localGet)) return [];
    edits.push({ from: key.start, to: key.end, code: NOTHING });
    edits.push({ from: start, to: end, code: globalCode(asks ? OP.globalGet : OP.globalSet, global) });
  }
  return edits;
}

/** Sets all of the globals to "not known". */
export function forgetCode(first: number, count: number): Uint8Array {
  const forget = (_: unknown, i: number): Uint8Array =>
    Buffer.concat([Uint8Array.of(OP.i32Const, 0), globalCode(OP.globalSet, first + i)]);
  return Buffer.concat(Array.from({ length: count }, forget));
}

const NOTHING = new Uint8Array(0);

function globalCode(opcode: number, index: number): Uint8Array {
  return Buffer.concat([Uint8Array.of(opcode), writeU32(index)]);
}
