import { ENTRYPOINT } from '../bundle.ts';
import { PolicyError } from '../errors.ts';
import { HOST_BUILTINS } from './builtins.ts';
import { Unsupported } from './builtins/builtin.ts';
import type { Charge, HostBuiltin } from './builtins/builtin.ts';
import { FUEL_EXPORT } from './meter.ts';
import { WebAssembly } from './webassembly.ts';
import { readValue, writeValue } from './value.ts';
import type { Value, WrittenValue } from './value.ts';
import type { WasmGlobal, WasmMemory } from './webassembly.ts';

/**
 * Our host for policies compiled by opa (ABI 1.2 and 1.3, openpolicyagent.org/docs/wasm). A module is untrusted: it
 * reaches nothing but its own memory, which has a maximum, and runs on fuel. Whatever goes wrong inside ends that one
 * evaluation as a PolicyTrap; the instance it happened in is not used again.
 */

export type TrapCode = 'trap' | 'fuel' | 'memory';

/** An evaluation that did not end. `message` names the limit or the policy's own position, never a value. */
export class PolicyTrap extends Error {
  readonly code: TrapCode;

  constructor(code: TrapCode, message: string) {
    super(message);
    this.name = 'PolicyTrap';
    this.code = code;
  }
}

/** What an opa module offers, with the counter metering added. */
export interface PolicyExports {
  readonly opa_wasm_abi_version: WasmGlobal;
  readonly opa_wasm_abi_minor_version: WasmGlobal;
  readonly [FUEL_EXPORT]: WasmGlobal;
  opa_eval(reserved: 0, entry: number, data: number, input: number, length: number, heap: number, format: 0): number;
  opa_malloc(size: number): number;
  opa_json_parse(address: number, length: number): number;
  /** As opa_json_parse, and knows sets and keys of any type. */
  opa_value_parse(address: number, length: number): number;
  opa_json_dump(value: number): number;
  /** As opa_json_dump, and tells sets from arrays. */
  opa_value_dump(value: number): number;
  opa_heap_ptr_get(): number;
  builtins(): number;
  entrypoints(): number;
}

/** Where an instance has what every evaluation begins with: addresses in its memory. */
export interface Prepared {
  readonly entry: number;
  readonly data: number;
  /** Everything below it stays; inputs are written there. */
  readonly heap: number;
}

type Builtins = ReadonlyMap<number, { readonly name: string; readonly builtin: HostBuiltin }>;

/** All that sets an instance with data apart from one just made. opa keeps its own state in memory only. */
export interface Image {
  readonly prepared: Prepared;
  readonly memory: Uint8Array;
  readonly builtins: Builtins;
}

const PAGE_BYTES = 65_536;
/** What a call of the host and a character it reads or writes take in time, in units of a loop's turn (measured). */
const FUEL_PER_CALL = 1000;
const FUEL_PER_CHAR = 2;
const OUT_OF_FUEL = 'the evaluation was longer than its limit';

/** The other side of a module's imports: its memory, its aborts and the built-ins it leaves to us. */
export class Host {
  readonly #memory: WasmMemory;
  #bytes: Buffer;
  #exports: PolicyExports | null = null;
  #builtins: Builtins = new Map();

  constructor(memory: WasmMemory) {
    this.#memory = memory;
    this.#bytes = Buffer.from(memory.buffer);
  }

  get exports(): PolicyExports {
    if (this.#exports === null) throw new PolicyTrap('trap', 'the module called its host before it was ready');
    return this.#exports;
  }

  imports(): Readonly<Record<string, unknown>> {
    const call = (id: number, _context: number, ...args: number[]): number => this.#callBuiltin(id, args);
    return {
      memory: this.#memory,
      opa_abort: (address: number): never => {
        const message = this.text(address);
        throw message === 'opa_malloc: failed'
          ? new PolicyTrap('memory', 'the memory limit was reached')
          : new PolicyTrap('trap', `aborted: ${message.slice(0, 200)}`);
      },
      // A policy's print() goes nowhere: it could carry what it is deciding about.
      opa_println: (): void => undefined,
      opa_builtin0: call,
      opa_builtin1: call,
      opa_builtin2: call,
      opa_builtin3: call,
      opa_builtin4: call,
    };
  }

  connect(exports: PolicyExports): void {
    this.#exports = exports;
  }

  findBuiltins(): void {
    const { exports } = this;
    const wanted = JSON.parse(this.text(exports.opa_json_dump(exports.builtins()))) as Record<string, number>;
    const found = Object.entries(wanted).map(([name, id]) => {
      const builtin = HOST_BUILTINS.get(name);
      if (builtin !== undefined) return [id, { name, builtin }] as const;
      const message = `the built-in function ${name} is not available to policies; remove it or build with the capabilities file`;
      throw new PolicyError('unsupported_builtin', message);
    });
    this.#builtins = new Map(found);
  }

  /** Null when the memory is larger than that. */
  image(prepared: Prepared, mostBytes: number): Image | null {
    if (prepared.heap > mostBytes) return null;
    const memory = new Uint8Array(this.#memory.buffer.slice(0, prepared.heap));
    return { prepared, memory, builtins: this.#builtins };
  }

  /** What an instance of the same module had. */
  restore({ prepared, memory, builtins }: Image): Prepared {
    const missing = memory.length - this.#memory.buffer.byteLength;
    if (missing > 0) this.#grow(Math.ceil(missing / PAGE_BYTES));
    this.#view().set(memory);
    this.#builtins = builtins;
    return prepared;
  }

  entrypoint(): number {
    const known = JSON.parse(this.text(this.exports.opa_json_dump(this.exports.entrypoints()))) as Record<
      string,
      number
    >;
    const id = Object.hasOwn(known, ENTRYPOINT) ? known[ENTRYPOINT] : undefined;
    if (id === undefined) throw new PolicyError('unknown_entrypoint', `expected the entry point ${ENTRYPOINT}`);
    return id;
  }

  loadData(json: string): number {
    try {
      return this.#parse({ text: json, isJson: true });
    } catch (cause) {
      throw new PolicyError('data_too_large', 'the policy data does not fit its memory; make it smaller', { cause });
    }
  }

  /** Runs and turns every way a module can fail into a PolicyTrap. */
  run(evaluate: () => string): string {
    try {
      return evaluate();
    } catch (error) {
      if (error instanceof PolicyTrap) throw error;
      if (!(error instanceof Error)) throw new PolicyTrap('trap', 'an unknown fault');
      const outOfFuel = error instanceof WebAssembly.RuntimeError && this.exports[FUEL_EXPORT].value < 0;
      if (outOfFuel) throw new PolicyTrap('fuel', OUT_OF_FUEL);
      throw new PolicyTrap('trap', error instanceof RangeError ? 'the stack was exhausted' : error.name);
    }
  }

  /** Writes text as UTF-8 at an address, growing the memory when it must. Returns the length in bytes. */
  write(text: string, address: number): number {
    const length = Buffer.byteLength(text);
    const missing = address + length - this.#memory.buffer.byteLength;
    if (missing > 0) this.#grow(Math.ceil(missing / PAGE_BYTES));
    // Nearly every text is ASCII, which is written several times faster as what it is.
    return this.#view().write(text, address, length, length === text.length ? 'latin1' : 'utf8');
  }

  /** The zero-terminated UTF-8 text at an address. */
  text(address: number): string {
    const bytes = this.#view();
    const end = bytes.indexOf(0, address);
    if (end === -1) throw new PolicyTrap('trap', 'an answer has no end');
    return bytes.toString('utf8', address, end);
  }

  #grow(pages: number): void {
    try {
      this.#memory.grow(pages);
    } catch {
      throw new PolicyTrap('memory', 'the memory limit was reached');
    }
  }

  /** Growing detaches the old buffer. */
  #view(): Buffer {
    if (this.#bytes.length !== this.#memory.buffer.byteLength) this.#bytes = Buffer.from(this.#memory.buffer);
    return this.#bytes;
  }

  #parse({ text, isJson }: WrittenValue): number {
    const { exports } = this;
    const address = exports.opa_malloc(Buffer.byteLength(text));
    const length = this.write(text, address);
    const value = isJson ? exports.opa_json_parse(address, length) : exports.opa_value_parse(address, length);
    if (value === 0) throw new PolicyTrap('trap', 'the module could not read a value');
    return value;
  }

  /** Zero tells the module that the built-in is undefined for these arguments. */
  #callBuiltin(id: number, args: readonly number[]): number {
    const known = this.#builtins.get(id);
    if (known === undefined) throw new PolicyTrap('trap', 'a built-in function the module did not declare');
    const texts = args.map((address) => this.text(this.exports.opa_value_dump(address)));
    this.#charge(FUEL_PER_CALL + texts.reduce((total, text) => total + text.length, 0) * FUEL_PER_CHAR);
    const result = callSafely(known, texts, (fuel) => this.#charge(fuel));
    if (result === undefined) return 0;
    this.#charge(result.text.length * FUEL_PER_CHAR);
    return this.#parse(result);
  }

  /** What a built-in does outside of the module is paid for like what is done in it. */
  #charge(fuel: number): void {
    const counter = this.exports[FUEL_EXPORT];
    const left = counter.value - Math.ceil(fuel);
    if (!(left >= 0)) throw new PolicyTrap('fuel', OUT_OF_FUEL);
    counter.value = left;
  }
}

function callSafely(
  { name, builtin }: { name: string; builtin: HostBuiltin },
  texts: readonly string[],
  charge: Charge,
): WrittenValue | undefined {
  try {
    const args: Value[] = texts.map(readValue);
    charge(builtin.cost?.(args) ?? 0);
    const result = builtin.call(args, charge);
    return result === undefined ? undefined : writeValue(result);
  } catch (error) {
    if (error instanceof PolicyTrap) throw error;
    throw new PolicyTrap('trap', error instanceof Unsupported ? error.message : `${name} failed`);
  }
}
