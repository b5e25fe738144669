/**
 * Presidio's anonymizer is Python and judges parameters as Python does: what counts as empty, what is a number, how a
 * value looks in a message. These rules decide status and text of its answers, so they are kept here in one place.
 */
import { RedactionError } from '../errors.ts';

/** A parameter: JSON from a request, or, in code, bytes and functions. */
export type PythonValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | Uint8Array
  | readonly PythonValue[]
  | { readonly [name: string]: PythonValue }
  | ((text: string) => unknown);

/** What a message names a type; Presidio's table has no name for floats, objects, bytes and functions. */
type NamedType = 'string' | 'boolean' | 'number' | 'array';

const MAX_SHOWN = 1000;
/** Nesting a message shows; a request may nest deeper than the stack is. */
const MAX_SHOWN_DEPTH = 8;

/** A parameter Presidio refuses; the message is Presidio's own. */
export function invalidParam(message: string): RedactionError {
  return new RedactionError('invalid_request', message);
}

/** Where Presidio ends with an exception it does not expect: values of a kind the operation cannot take. */
export function notOperable(expected: string): RedactionError {
  return new RedactionError('not_operable', `Expected ${expected}, found something else.`);
}

/** Empty strings, lists and objects, zero, false and none are false. */
export function isTruthy(value: PythonValue): boolean {
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** True for what Python calls an int; its booleans are ints too. */
export function isInt(value: PythonValue): value is number | boolean {
  return typeof value === 'boolean' || (typeof value === 'number' && Number.isInteger(value));
}

/** `None` is no value. @throws RedactionError `invalid_request` */
export function requireParam(value: PythonValue, name: string): void {
  if (value === null || value === undefined) throw invalidParam(`Expected parameter ${name}`);
}

/** Anything empty passes whatever its type, as it does there. @throws RedactionError `invalid_request` */
export function requireType(value: PythonValue, name: string, expected: NamedType | 'bytes'): void {
  if (!isTruthy(value) || hasType(value, expected)) return;
  const found = typeNameOf(value);
  throw invalidParam(
    expected === 'bytes' || found === null
      ? `Invalid parameter value for '${name}'.`
      : `Invalid parameter value for ${name}. Expecting '${expected}', but got '${found}'.`,
  );
}

function hasType(value: PythonValue, expected: NamedType | 'bytes'): boolean {
  if (expected === 'number') return isInt(value);
  if (expected === 'bytes') return value instanceof Uint8Array;
  return typeNameOf(value) === expected;
}

function typeNameOf(value: PythonValue): NamedType | null {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'boolean';
  if (isInt(value)) return 'number';
  return Array.isArray(value) ? 'array' : null;
}

/** `str(value)`, at most 1000 characters. */
export function display(value: PythonValue): string {
  const text = typeof value === 'string' ? value : represent(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

function represent(value: PythonValue, depth = 0): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return quote(value);
  if (value instanceof Uint8Array) return "b'…'";
  if (typeof value === 'function') return '<function>';
  if (depth === MAX_SHOWN_DEPTH) return '…';
  const inner = (element: PythonValue): string => represent(element, depth + 1);
  if (isList(value)) return `[${value.slice(0, MAX_SHOWN).map(inner).join(', ')}]`;
  const members = Object.entries(value).slice(0, MAX_SHOWN);
  return `{${members.map(([name, element]) => `${quote(name)}: ${inner(element)}`).join(', ')}}`;
}

function quote(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
  if (escaped.includes("'") && !escaped.includes('"')) return `"${escaped}"`;
  return `'${escaped.replaceAll("'", "\\'")}'`;
}

function isList(value: PythonValue): value is readonly PythonValue[] {
  return Array.isArray(value);
}

/** A member of an object. @throws RedactionError `not_operable` when the value is not an object */
export function member(value: PythonValue, name: string): PythonValue {
  if (!isObject(value)) throw notOperable('an object');
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function isObject(value: PythonValue): value is { readonly [name: string]: PythonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
