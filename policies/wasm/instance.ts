import { PolicyError } from '../errors.ts';
import { FUEL_EXPORT, MARKS_EXPORT, meterModule } from './meter.ts';
import type { RuleBody } from './meter.ts';
import { Host, PolicyTrap } from './host.ts';
import type { Image, PolicyExports, Prepared } from './host.ts';
import { WebAssembly } from './webassembly.ts';
import type { WasmGlobal, WasmInstance, WasmMemory, WasmModule } from './webassembly.ts';

/** From a module's bytes to something that answers: metering, compiling, checking the ABI, loading data. */

export interface CompiledPolicy {
  readonly module: WasmModule;
  readonly minimumPages: number;
  /** What each mark of an answer stands for. */
  readonly bodies: readonly RuleBody[];
}

export interface InstanceLimits {
  /** Loop turns and calls of one evaluation, beyond what reading its input takes. */
  readonly fuel: number;
  /** Most pages of 64 KiB the memory may have. */
  readonly maximumPages: number;
}

export interface Answer {
  /** JSON: `[{"result": …}]`, or `[]` when the entry point is undefined. */
  readonly text: string;
  /** The bodies that held, a bit each in words of 32. */
  readonly marks: readonly number[];
}

export interface PolicyInstance {
  /** Throws PolicyTrap, after which the instance must not be used again. */
  evaluate(inputJson: string): Answer;
  /** Bytes of memory in use; WebAssembly memory never shrinks. */
  readonly memoryBytes: number;
}

const FUNCTIONS = [
  'opa_eval',
  'opa_malloc',
  'opa_json_parse',
  'opa_value_parse',
  'opa_json_dump',
  'opa_value_dump',
  'opa_heap_ptr_get',
  'builtins',
  'entrypoints',
] as const;
const GLOBALS = ['opa_wasm_abi_version', 'opa_wasm_abi_minor_version', FUEL_EXPORT] as const;
const MINIMUM_PAGES = 5;
/** Fuel for making an instance: reading its tables, and its data by their length. */
const SETUP_FUEL = 5_000_000;
const SETUP_FUEL_PER_BYTE = 200;
/** Reading an input takes 2.2 units a byte (measured), so that a long one leaves no less for the rules. */
const INPUT_FUEL_PER_BYTE = 3;
const MAX_FUEL = 2 ** 31 - 1;
/** A larger memory is made anew instead of kept twice. */
const MAX_IMAGE_BYTES = 32 * 1024 * 1024;

/** Meters and compiles a module. Throws PolicyError `unsupported_module`. */
export async function compilePolicy(wasm: Uint8Array): Promise<CompiledPolicy> {
  const { bytes, minimumPages, bodies } = meterModule(wasm);
  try {
    return { module: await WebAssembly.compile(bytes), minimumPages, bodies };
  } catch (cause) {
    throw new PolicyError('unsupported_module', 'expected a valid WebAssembly module; build the bundle again', {
      cause,
    });
  }
}

/**
 * Makes an instance holding `dataJson` as `data`. Throws PolicyError `unsupported_module`, `unsupported_builtin`,
 * `unknown_entrypoint` or `data_too_large`.
 */
export function createInstance(policy: CompiledPolicy, dataJson: string, limits: InstanceLimits): PolicyInstance {
  return instanceMaker(policy, dataJson, limits)();
}

/**
 * Makes instances of one policy with its data, each throwing as createInstance. The first one reads the data; what its memory
 * holds then is kept, so that one that is replaced in the middle of the traffic costs a copy (docs/decisions/0029).
 */
export function instanceMaker(policy: CompiledPolicy, dataJson: string, limits: InstanceLimits): () => PolicyInstance {
  let image: Image | null = null;
  return () => {
    try {
      const made = instantiate(policy, limits);
      const prepared = image === null ? prepare(made.host, dataJson) : made.host.restore(image);
      image ??= made.host.image(prepared, MAX_IMAGE_BYTES);
      return answering(made, prepared, limits.fuel);
    } catch (cause) {
      if (cause instanceof PolicyError) throw cause;
      const why = cause instanceof PolicyTrap ? cause.message : 'it does not fit its host';
      throw new PolicyError('unsupported_module', `expected a module built by opa; ${why}; build the bundle again`, {
        cause,
      });
    }
  };
}

interface Instantiated {
  readonly memory: WasmMemory;
  readonly host: Host;
  readonly marks: readonly WasmGlobal[];
}

function instantiate(policy: CompiledPolicy, { maximumPages }: InstanceLimits): Instantiated {
  const initial = Math.max(policy.minimumPages, MINIMUM_PAGES);
  if (initial > maximumPages) {
    throw new PolicyError('unsupported_module', `the module asks for ${initial} pages, ${maximumPages} are allowed`);
  }
  const memory = new WebAssembly.Memory({ initial, maximum: maximumPages });
  const host = new Host(memory);
  const all = new WebAssembly.Instance(policy.module, { env: host.imports() }).exports;
  host.connect(readExports(all));
  return { memory, host, marks: readMarks(all, policy.bodies.length) };
}

function prepare(host: Host, dataJson: string): Prepared {
  const { exports } = host;
  exports[FUEL_EXPORT].value = Math.min(MAX_FUEL, SETUP_FUEL + SETUP_FUEL_PER_BYTE * dataJson.length);
  host.findBuiltins();
  const entry = host.entrypoint();
  const data = host.loadData(dataJson);
  return { entry, data, heap: align(exports.opa_heap_ptr_get()) };
}

function answering({ memory, host, marks }: Instantiated, prepared: Prepared, fuel: number): PolicyInstance {
  return {
    evaluate: (inputJson) => {
      for (const mark of marks) mark.value = 0;
      const text = host.run(() => evaluateOnce(host, prepared, fuel, inputJson));
      return { text, marks: marks.map(({ value }) => value) };
    },
    get memoryBytes() {
      return memory.buffer.byteLength;
    },
  };
}

/** The input is written where the last evaluation's heap began, so evaluations do not add up in memory. */
function evaluateOnce(host: Host, { entry, data, heap }: Prepared, fuel: number, inputJson: string): string {
  const { exports } = host;
  const length = host.write(inputJson, heap);
  exports[FUEL_EXPORT].value = Math.min(MAX_FUEL, fuel + INPUT_FUEL_PER_BYTE * length);
  const end = align(heap + length);
  return host.text(exports.opa_eval(0, entry, data, heap, length, end, 0));
}

function align(address: number): number {
  return Math.ceil(address / 8) * 8;
}

function readMarks(exports: WasmInstance['exports'], bodies: number): WasmGlobal[] {
  return Array.from({ length: Math.ceil(bodies / 32) }, (_, i) => {
    const mark = exports[`${MARKS_EXPORT}${i}`];
    if (mark instanceof WebAssembly.Global) return mark;
    throw new PolicyError('unsupported_module', 'expected the marks of a metered module; build the bundle again');
  });
}

function readExports(exports: WasmInstance['exports']): PolicyExports {
  const functions = FUNCTIONS.every((name) => typeof exports[name] === 'function');
  if (!functions || !GLOBALS.every((name) => exports[name] instanceof WebAssembly.Global)) {
    throw new PolicyError(
      'unsupported_module',
      'expected the exports of an opa module (ABI 1.2 or 1.3); build it again',
    );
  }
  const known = exports as unknown as PolicyExports;
  const version = Number(known.opa_wasm_abi_version.value);
  const minor = Number(known.opa_wasm_abi_minor_version.value);
  if (version === 1 && (minor === 2 || minor === 3)) return known;
  throw new PolicyError(
    'unsupported_module',
    `expected ABI 1.2 or 1.3, found ${version}.${minor}; build the bundle again`,
  );
}
