import { isInstruction as is, OP } from './instructions.ts';
import type { Instruction } from './instructions.ts';

/**
 * Finds where a rule's body has held. opa plans a rule as a function whose result is the local after its parameters; each
 * body ends by giving that result a value, in one of the three forms below (internal/compiler/wasm in the compiler's
 * sources). A mark at that place is reached exactly when the body held. What a `default` gives is no body and has none.
 */

/** Where in a function's bytes a body has held. */
export type BodyEnd = number;

export interface ResultFunctions {
  /** Index of `opa_set_add`. */
  readonly setAdd: number;
  /** Index of `opa_object_insert`. */
  readonly objectInsert: number;
}

/** `list` is the code of a function, `result` the local of its result. */
export function findBodyEnds(list: readonly Instruction[], result: number, called: ResultFunctions): BodyEnd[] {
  const locals = new Set(list.flatMap((_, at) => (assigns(list, at, result) ? [list[at - 1]?.index ?? -1] : [])));
  return list.flatMap(({ end }, at) => {
    const held =
      endsSet(list, at, result, called) ||
      (endsObject(list, at, result, called) && !endsObject(list, at + 4, result, called)) ||
      endsValue(list, at, locals);
    return held ? [end] : [];
  });
}

/** A value is read from a local or is a constant's address. */
function reads(list: readonly Instruction[], at: number): boolean {
  return is(list, at, OP.localGet) || is(list, at, OP.i32Const);
}

/** `result := local` of a body's own local: local.get, local.set, end. */
function assigns(list: readonly Instruction[], at: number, result: number): boolean {
  return is(list, at - 1, OP.localGet) && is(list, at, OP.localSet, result) && is(list, at + 1, OP.end);
}

/** `rule contains value`: the result and the value are read and opa_set_add called. */
function endsSet(list: readonly Instruction[], at: number, result: number, { setAdd }: ResultFunctions): boolean {
  return is(list, at - 2, OP.localGet, result) && reads(list, at - 1) && is(list, at, OP.call, setAdd);
}

/** `rule[key] := value`: the result, key and value are read and opa_object_insert called. */
function endsObject(
  list: readonly Instruction[],
  at: number,
  result: number,
  { objectInsert }: ResultFunctions,
): boolean {
  const values = reads(list, at - 2) && reads(list, at - 1);
  return is(list, at - 3, OP.localGet, result) && values && is(list, at, OP.call, objectInsert);
}

/** `rule := value`: the body's own local is given its value, at the end of a block. */
function endsValue(list: readonly Instruction[], at: number, locals: ReadonlySet<number>): boolean {
  const local = list[at]?.index ?? -1;
  if (!is(list, at, OP.localSet) || !locals.has(local)) return false;
  // A body's local starts as 0, which is no end of a body: only a value that is read counts there.
  return reads(list, at - 1) && is(list, at + 1, OP.end);
}
