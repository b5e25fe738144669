import { BinaryReader, SECTION, unsupported } from './binary.ts';
import type { Section } from './binary.ts';

/** What the host has to know of a module before it rewrites its code. */
export interface ModuleLayout {
  readonly importedFunctions: number;
  readonly globals: number;
  /** Pages of 64 KiB the module needs to start with. */
  readonly minimumPages: number;
  /** By function index, from the name section that opa writes; empty in a stripped module. */
  readonly names: ReadonlyMap<number, string>;
  /** How many parameters the code entry at a position has. */
  readonly parameters: (codeEntry: number) => number;
}

const IMPORT = { function: 0, table: 1, memory: 2, global: 3 } as const;
const FUNCTION_TYPE = 0x60;
const FUNCTION_NAMES = 1;

/** Throws PolicyError `unsupported_module` for a module that is cut off or imports what no policy needs. */
export function readLayout(sections: readonly Section[]): ModuleLayout {
  const imports = readImports(find(sections, SECTION.import));
  const types = readTypes(find(sections, SECTION.type));
  const functions = readVector(find(sections, SECTION.function), (reader) => reader.u32());
  return {
    importedFunctions: imports.functions,
    globals: imports.globals + new BinaryReader(find(sections, SECTION.global)).u32(),
    minimumPages: imports.minimumPages,
    names: readNames(sections),
    parameters: (codeEntry) => types[functions[codeEntry] ?? -1] ?? 0,
  };
}

function find(sections: readonly Section[], id: number): Uint8Array {
  const matching = sections.filter((section) => section.id === id);
  if (matching.length !== 1 || matching[0] === undefined) throw unsupported(`it has ${matching.length} sections ${id}`);
  return matching[0].body;
}

/** No item is empty, so a section cannot announce more of them than it has bytes for. */
function readVector<T>(body: Uint8Array, read: (reader: BinaryReader) => T): T[] {
  const reader = new BinaryReader(body);
  const items: T[] = [];
  for (let left = reader.u32(); left > 0; left -= 1) items.push(read(reader));
  return items;
}

/** The number of parameters of each function type. */
function readTypes(body: Uint8Array): number[] {
  return readVector(body, (reader) => {
    if (reader.byte() !== FUNCTION_TYPE) throw unsupported('it has a type that is no function');
    const parameters = reader.u32();
    reader.skip(parameters);
    reader.skip(reader.u32());
    return parameters;
  });
}

function readImports(body: Uint8Array): { functions: number; globals: number; minimumPages: number } {
  const reader = new BinaryReader(body);
  const found = { functions: 0, globals: 0, minimumPages: 1 };
  for (let left = reader.u32(); left > 0; left -= 1) {
    reader.name();
    reader.name();
    const kind = reader.byte();
    if (kind === IMPORT.function) {
      reader.u32();
      found.functions += 1;
    } else if (kind === IMPORT.memory) found.minimumPages = readMinimum(reader);
    else if (kind === IMPORT.global) {
      reader.skip(2);
      found.globals += 1;
    } else throw unsupported('it imports something other than functions and a memory');
  }
  return found;
}

function readMinimum(reader: BinaryReader): number {
  const flags = reader.byte();
  const minimum = reader.u32();
  if ((flags & 1) === 1) reader.u32();
  return minimum;
}

/** The `name` section, webassembly.github.io/spec/core/appendix/custom.html#name-section. */
function readNames(sections: readonly Section[]): Map<number, string> {
  const names = new Map<number, string>();
  for (const section of sections) {
    if (section.id !== SECTION.custom) continue;
    const reader = new BinaryReader(section.body);
    if (reader.name() !== 'name') continue;
    while (!reader.done) {
      const kind = reader.byte();
      const body = reader.take(reader.u32());
      if (kind !== FUNCTION_NAMES) continue;
      for (const [index, name] of readVector(body, (entry) => [entry.u32(), entry.name()] as const)) {
        names.set(index, name);
      }
    }
  }
  return names;
}
