/**
 * Which linear-time engine asks whether any of many expressions can match in a stretch of text: RE2 itself where its Node
 * binding (`re2`, an optional peer) is installed, otherwise its port to JavaScript. Both take RE2's syntax and give the
 * same answers; the choice is made once, when this module is loaded, and stands in the evidence.
 */
import { createRequire } from 'node:module';
import { RE2Set } from 're2js';
import { RedactionError } from './errors.ts';

/** Expressions that are asked together. */
export interface PatternSet {
  /** Indices of those that match somewhere in the text, in no order. */
  match(text: string): readonly number[];
}

export interface Engine {
  /** Package and version, as the evidence names it. */
  readonly name: string;
  /** Throws where an expression is none in RE2's syntax. */
  compileSet(expressions: readonly string[]): PatternSet;
}

/** Kept in step with package.json by a test; it is part of the evidence. */
const PORTABLE: Engine = {
  name: 're2js@2.10.0',
  compileSet(expressions) {
    const set = new RE2Set(RE2Set.UNANCHORED);
    for (const expression of expressions) set.add(expression);
    // Without this call the first match compiles silently; a bad pattern would then fail a request, not the start.
    set.compile();
    return { match: (text) => set.match(text) };
  },
};

/** What is used of the binding. */
interface NativeModule {
  readonly Set: new (expressions: readonly string[], flags: string, options: { readonly maxMem: number }) => PatternSet;
}

/** The automaton of all recognizers of a language does not fit into RE2's default of 8 MiB. */
const NATIVE_MEMORY = 64 * 2 ** 20;

/** RE2 by its binding for Node; null where that is not installed. @throws RedactionError `engine_failed` where it is, but cannot be loaded */
export function loadNative(): Engine | null {
  const require = createRequire(import.meta.url);
  try {
    const native = require('re2') as NativeModule;
    const { version } = require('re2/package.json') as { version: string };
    return {
      name: `re2@${version}`,
      compileSet: (expressions) => new native.Set(expressions, 'u', { maxMem: NATIVE_MEMORY }),
    };
  } catch (cause) {
    if (isMissing(cause)) return null;
    throw new RedactionError(
      'engine_failed',
      'Expected the installed package re2 to load; it did not. Build it for this version of Node (npm rebuild re2), or remove it.',
      { cause },
    );
  }
}

/** The binding itself is missing, not something it needs. */
function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'MODULE_NOT_FOUND' && /'re2'/.test(cause.message);
}

export { PORTABLE };
/** The engine in use, chosen when this module is loaded. */
export const ENGINE: Engine = loadNative() ?? PORTABLE;
