/**
 * The WebAssembly JavaScript interface (w3.org/TR/wasm-js-api-2), as far as the host uses it. The project compiles
 * without the DOM library, where TypeScript keeps these types.
 */

export interface WasmModule {
  readonly [Symbol.toStringTag]: 'WebAssembly.Module';
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  /** Throws RangeError when the maximum would be passed. */
  grow(pages: number): number;
}

export interface WasmGlobal {
  value: number;
}

export interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}

export type WasmImports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

interface WebAssemblyApi {
  readonly Memory: new (limits: { initial: number; maximum: number }) => WasmMemory;
  readonly Global: abstract new () => WasmGlobal;
  readonly Instance: new (module: WasmModule, imports: WasmImports) => WasmInstance;
  readonly RuntimeError: abstract new () => Error;
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<WasmModule>;
}

export const WebAssembly = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly;
