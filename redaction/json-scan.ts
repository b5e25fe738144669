/**
 * Positions in JSON source text. These functions move over text whose strings, numbers and literals `JSON.parse` checks
 * afterwards (RFC 8259 strictly); what they guarantee themselves is structure: brackets, commas, colons, depth.
 */
import { RedactionError } from './errors.ts';

const QUOTE = 34;
const BACKSLASH = 92;
const SCALAR = /[-+.0-9A-Za-z]+/y;

/** Offset of the first character at or after `at` that is not JSON white space. */
export function skipSpace(source: string, at: number): number {
  for (;;) {
    const code = source.charCodeAt(at);
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return at;
    at += 1;
  }
}

/** Offset past the closing quote of the string that opens at `at`. Native search: megabytes of base64 cost microseconds. */
export function endOfString(source: string, at: number): number {
  let quote = source.indexOf('"', at + 1);
  while (quote !== -1 && isEscaped(source, quote)) quote = source.indexOf('"', quote + 1);
  if (quote === -1) throw invalidJson('a closing quote', source.length);
  return quote + 1;
}

function isEscaped(source: string, quote: number): boolean {
  let first = quote;
  while (source.charCodeAt(first - 1) === BACKSLASH) first -= 1;
  return (quote - first) % 2 === 1;
}

/** Offset past the number or literal at `at`. */
export function endOfScalar(source: string, at: number): number {
  SCALAR.lastIndex = at;
  const match = SCALAR.exec(source);
  if (match === null) throw invalidJson('a value', at);
  return at + match[0].length;
}

/** Offset past any value. Only for text already known to be valid. */
export function endOfValue(source: string, at: number): number {
  const open = source.charCodeAt(at);
  if (open === QUOTE) return endOfString(source, at);
  if (!isOpening(open)) return endOfScalar(source, at);
  let depth = 0;
  for (let i = at; ;) {
    const code = source.charCodeAt(i);
    if (code === QUOTE) {
      i = endOfString(source, i);
      continue;
    }
    i += 1;
    if (isOpening(code)) depth += 1;
    else if (code === 125 || code === 93) depth -= 1;
    if (depth === 0) return i;
  }
}

function isOpening(code: number): boolean {
  return code === 123 || code === 91;
}

/** The string between the quotes at [start, end). */
export function decodeString(source: string, start: number, end: number): string {
  const raw = source.slice(start + 1, end - 1);
  if (!raw.includes('\\')) return raw;
  try {
    return JSON.parse(source.slice(start, end)) as string;
  } catch {
    throw invalidJson('a well-formed string', start);
  }
}

export function invalidJson(expected: string, at: number): RedactionError {
  return new RedactionError(
    'invalid_json',
    `The body is not valid JSON: expected ${expected} at offset ${String(at)}.`,
  );
}
