import { printValue } from '../value.ts';
import type { Value } from '../value.ts';
import { Unsupported } from './builtin.ts';

/**
 * `sprintf` as opa's Go implementation prints it, for the verbs policies use: %s %v %d %x %% with width, `-` and `0`.
 * Whatever would need more (other verbs, precision) is refused, because an approximation would
 * make the compiled policy answer differently from the tested one.
 */

type Argument =
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number };

const DIRECTIVE = /%(?:([-+# 0]*)(\d*)(\.\d*)?)(.)?/gsu;

/** Throws Unsupported for what it would only approximate. */
export function sprintf(format: string, list: readonly Value[]): string {
  const values = list.map(readArgument);
  let used = 0;
  const text = format.replace(DIRECTIVE, (_all, flags: string, width: string, precision?: string, verb?: string) => {
    if (verb === undefined) return '%!(NOVERB)';
    if (verb === '%') return '%';
    const value = values[used];
    used += 1;
    if (value === undefined) return `%!${verb}(MISSING)`;
    return formatOne(value, { flags, width: Number(width), precision, verb });
  });
  if (used >= values.length) return text;
  return `${text}%!(EXTRA ${values.slice(used).map(describe).join(', ')})`;
}

/** opa hands everything but texts and numbers to Go as the text it prints for it. */
function readArgument(value: Value): Argument {
  if (typeof value === 'bigint') return { kind: 'integer', value };
  if (typeof value === 'number') return { kind: 'float', value };
  return { kind: 'string', text: typeof value === 'string' ? value : printValue(value) };
}

interface Directive {
  readonly flags: string;
  readonly width: number;
  readonly precision: string | undefined;
  readonly verb: string;
}

function formatOne(value: Argument, directive: Directive): string {
  const { flags, width, precision, verb } = directive;
  if (!/^[svdx]$/.test(verb)) throw unsupported(`%${verb}`);
  if (precision !== undefined || /[+# ]/.test(flags) || width > 1000) throw unsupported('this precision or flag');
  const text = print(value, verb);
  if (text === null && width > 0) throw unsupported('a width for an argument of another type');
  if (text === null) return `%!${verb}(${describe(value)})`;
  const padding = width - Array.from(text).length;
  if (padding <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(padding);
  if (!flags.includes('0')) return ' '.repeat(padding) + text;
  if (value.kind !== 'integer') throw unsupported('the flag 0 for anything but an integer');
  return text.startsWith('-') ? `-${'0'.repeat(padding)}${text.slice(1)}` : '0'.repeat(padding) + text;
}

/** null: the verb does not fit the type, which Go prints as an error inside the text. */
function print(value: Argument, verb: string): string | null {
  if (value.kind === 'string') {
    if (verb === 'x') return Buffer.from(value.text).toString('hex');
    return verb === 'd' ? null : value.text;
  }
  if (value.kind === 'integer') {
    if (verb === 'x') return value.value.toString(16);
    return verb === 's' && isInt64(value.value) ? null : value.value.toString();
  }
  if (verb === 'x') throw unsupported('%x of a fraction');
  return verb === 'v' ? printFloat(value.value) : null;
}

function isInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}

/** Go's %v: the shortest digits, an exponent of at least two digits below 1e-4 and from 1e21 on. */
function printFloat(value: number): string {
  if (!Number.isFinite(value)) throw unsupported('a number beyond double precision');
  const magnitude = Math.abs(value);
  const text = magnitude !== 0 && magnitude < 1e-4 ? value.toExponential() : String(value);
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

function describe(value: Argument): string {
  if (value.kind === 'string') return `string=${value.text}`;
  if (value.kind === 'float') return `float64=${printFloat(value.value)}`;
  return isInt64(value.value) ? `int64=${value.value}` : `*big.Int=${value.value}`;
}

function unsupported(what: string): Unsupported {
  return new Unsupported(`sprintf: ${what}`);
}
