import { BinaryReader, readSections, SECTION, unsupported, writeSections, writeU32 } from './binary.ts';
import type { Section } from './binary.ts';
import { findBodyEnds } from './bodies.ts';
import type { ResultFunctions } from './bodies.ts';
import { OP, readInstruction, readInstructions } from './instructions.ts';
import type { Edit, Instruction } from './instructions.ts';
import { forgetCode, memoEdits, memoFunctions } from './memo.ts';
import type { MemoFunctions } from './memo.ts';
import { readLayout } from './module.ts';
import type { ModuleLayout } from './module.ts';

/**
 * Rewrites a policy's module before it is compiled, for two things WebAssembly does not offer and one it does better (memo.ts).
 *
 * Fuel bounds how long a policy runs. Node cannot interrupt WebAssembly, so every turn of a loop and every entry of a
 * function that calls others takes one unit from a counter, and an empty counter traps. The count depends on module,
 * data and input only, so an exhausted evaluation replays as exhausted, which a time limit never does. Functions without
 * calls and loops are bounded by their length and stay as they are.
 *
 * Marks tell which rules fired: wherever the body of a rule holds, one bit of a few globals is set.
 */

/** The counter's export in a metered module: a mutable i32, set by the host before each evaluation. */
export const FUEL_EXPORT = 'countersign_fuel';
/** Exports of the marks, 32 in each mutable i32, from `countersign_fired_0` on. */
export const MARKS_EXPORT = 'countersign_fired_';

/** What a module may use before the first evaluation sets the counter. */
const INITIAL_FUEL = 1_000_000;
/** Bodies a module may have marked; what is beyond could slow its evaluations by reading marks alone. */
const MAX_BODIES = 16_384;
const MARKS_PER_GLOBAL = 32;

const I32 = 0x7f;
const MUTABLE = 0x01;
const VOID_BLOCK = 0x40;
const EXPORT_GLOBAL = 0x03;
/** How opa names the function of a rule: `g0.data.<package>.<rule>`. */
const RULE_FUNCTION = /^g\d+\.data\./;
/** Input and data; a rule's function with more of them is one of its author's. */
const RULE_PARAMETERS = 2;

/** One body of a rule in a module. */
export interface RuleBody {
  /** Package and rule, such as `countersign.rules.models.deny`. */
  readonly path: string;
  /** Which body of the rule, from 1, in the order opa planned them. */
  readonly body: number;
  /** Whether the rule takes arguments. */
  readonly isFunction: boolean;
}

export interface MeteredModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Pages of 64 KiB the module needs to start with. */
  readonly minimumPages: number;
  /** What each mark stands for, by its position. Empty when the module carries no names. */
  readonly bodies: readonly RuleBody[];
}

/** Throws PolicyError `unsupported_module` for anything that cannot be metered. */
export function meterModule(module: Uint8Array): MeteredModule {
  const sections = readSections(module);
  const layout = readLayout(sections);
  const plan = planOf(layout);
  const bodies: RuleBody[] = [];
  const metered = sections.map((section) =>
    section.id === SECTION.code ? { id: section.id, body: meterCode(section.body, layout, plan, bodies) } : section,
  );
  const marks = Math.ceil(bodies.length / MARKS_PER_GLOBAL);
  const rewritten = metered.map((section) => addGlobals(section, plan, marks));
  return { bytes: writeSections(rewritten), minimumPages: layout.minimumPages, bodies };
}

/** Where the added globals stand, in this order, and which functions of opa matter. */
interface Plan {
  readonly fuel: number;
  /** The first of one for each rule. */
  readonly memos: number;
  /** The first of those that hold marks. */
  readonly marks: number;
  readonly memo: MemoFunctions | null;
  readonly result: ResultFunctions;
}

function planOf({ globals, names, importedFunctions, parameters }: ModuleLayout): Plan {
  const indices = new Map([...names].map(([index, name]) => [name, index]));
  const isRule = ([index, name]: readonly [number, string]): boolean =>
    RULE_FUNCTION.test(name) && parameters(index - importedFunctions) === RULE_PARAMETERS;
  const memo = memoFunctions(indices);
  const memos = globals + 1;
  return {
    fuel: globals,
    memos,
    marks: memos + (memo === null ? 0 : [...names].filter(isRule).length),
    memo,
    result: { setAdd: indices.get('opa_set_add') ?? -2, objectInsert: indices.get('opa_object_insert') ?? -2 },
  };
}

function addGlobals(section: Section, { fuel, memos, marks }: Plan, words: number): Section {
  if (section.id === SECTION.global) {
    const zeros = Array.from({ length: marks - memos + words }, () => mutableGlobal(0));
    return { id: section.id, body: appendToVector(section.body, [mutableGlobal(INITIAL_FUEL), ...zeros]) };
  }
  if (section.id !== SECTION.export) return section;
  const exports = Array.from({ length: words }, (_, i) => globalExport(`${MARKS_EXPORT}${i}`, marks + i));
  return { id: section.id, body: appendToVector(section.body, [globalExport(FUEL_EXPORT, fuel), ...exports]) };
}

function mutableGlobal(value: number): Uint8Array {
  return Buffer.concat([Uint8Array.of(I32, MUTABLE, OP.i32Const), writeSigned(value), Uint8Array.of(OP.end)]);
}

function globalExport(text: string, index: number): Uint8Array {
  const name = Buffer.from(text);
  return Buffer.concat([writeU32(name.length), name, Uint8Array.of(EXPORT_GLOBAL), writeU32(index)]);
}

function appendToVector(body: Uint8Array, items: readonly Uint8Array[]): Uint8Array {
  const reader = new BinaryReader(body);
  const count = reader.u32();
  return Buffer.concat([writeU32(count + items.length), body.subarray(reader.at), ...items]);
}

/** `counter := counter - 1; if counter < 0 then trap`. Leaves the operand stack as it was. */
function chargeCode(counter: number): Uint8Array {
  const index = writeU32(counter);
  return Buffer.concat([
    Uint8Array.of(OP.globalGet),
    index,
    Uint8Array.of(OP.i32Const, 1, OP.i32Sub, OP.globalSet),
    index,
    Uint8Array.of(OP.globalGet),
    index,
    Uint8Array.of(OP.i32Const, 0, OP.i32LtS, OP.if, VOID_BLOCK, OP.unreachable, OP.end),
  ]);
}

/** `marks := marks | bit`. */
function markCode(global: number, bit: number): Uint8Array {
  const index = writeU32(global);
  return Buffer.concat([
    Uint8Array.of(OP.globalGet),
    index,
    Uint8Array.of(OP.i32Const),
    writeSigned(1 << bit),
    Uint8Array.of(OP.i32Or, OP.globalSet),
    index,
  ]);
}

function meterCode(section: Uint8Array, layout: ModuleLayout, plan: Plan, bodies: RuleBody[]): Uint8Array {
  const reader = new BinaryReader(section);
  const count = reader.u32();
  const charge = chargeCode(plan.fuel);
  const parts: Uint8Array[] = [writeU32(count)];
  let memo = plan.memos;
  for (let entry = 0; entry < count; entry += 1) {
    const body = reader.take(reader.u32());
    const start = codeStart(body);
    const edits = chargePlaces(body, start).map((at) => insertion(at, charge));
    const index = layout.importedFunctions + entry;
    const name = layout.names.get(index) ?? '';
    if (index === plan.memo?.init) edits.push(insertion(start, forgetCode(plan.memos, plan.marks - plan.memos)));
    if (RULE_FUNCTION.test(name)) {
      const list = readInstructions(body, start);
      const parameters = layout.parameters(entry);
      edits.push(...markEdits(list, { path: name.replace(RULE_FUNCTION, ''), parameters }, plan, bodies));
      if (plan.memo !== null && parameters === RULE_PARAMETERS) edits.push(...memoEdits(list, plan.memo, memo++));
    }
    const metered = edit(body, edits);
    parts.push(writeU32(metered.length), metered);
  }
  return Buffer.concat(parts);
}

/** Adds the bodies of a rule to those that are known. */
function markEdits(
  list: readonly Instruction[],
  { path, parameters }: { readonly path: string; readonly parameters: number },
  { marks, result }: Plan,
  bodies: RuleBody[],
): Edit[] {
  const edits = findBodyEnds(list, parameters, result).map((end, i) => {
    const mark = bodies.push({ path, body: i + 1, isFunction: parameters > RULE_PARAMETERS }) - 1;
    return insertion(end, markCode(marks + Math.floor(mark / MARKS_PER_GLOBAL), mark % MARKS_PER_GLOBAL));
  });
  if (bodies.length > MAX_BODIES) throw unsupported(`its rules have more than ${MAX_BODIES} bodies`);
  return edits;
}

/** The first instruction stands after the declarations of locals. */
function codeStart(body: Uint8Array): number {
  const reader = new BinaryReader(body);
  for (let groups = reader.u32(); groups > 0; groups -= 1) {
    reader.u32();
    reader.skip(1);
  }
  return reader.at;
}

function chargePlaces(body: Uint8Array, start: number): number[] {
  const reader = new BinaryReader(body);
  reader.at = start;
  const loops: number[] = [];
  let calls = false;
  while (!reader.done) {
    const opcode = readInstruction(reader);
    if (opcode === OP.loop) loops.push(reader.at);
    if (opcode === OP.call || opcode === OP.callIndirect) calls = true;
  }
  return calls ? [start, ...loops] : loops;
}

function insertion(at: number, code: Uint8Array): Edit {
  return { from: at, to: at, code };
}

/** Edits of one place keep their order. */
function edit(body: Uint8Array, edits: readonly Edit[]): Uint8Array {
  if (edits.length === 0) return body;
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { from, to, code } of edits.toSorted((a, b) => a.from - b.from)) {
    parts.push(body.subarray(at, from), code);
    at = to;
  }
  parts.push(body.subarray(at));
  return Buffer.concat(parts);
}

/** Signed LEB128 of an i32. */
function writeSigned(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const last = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    out.push(last ? low : low | 0x80);
    if (last) return Uint8Array.from(out);
  }
}
