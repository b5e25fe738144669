/**
 * The functions recorded cases pass to the operator `custom`, written as Python: a constant, an f-string, the value itself,
 * reversed or in another case, joined with `+`. They are read, never run.
 */
import { notOperable } from './python-value.ts';

type Part = (value: string) => string | number;

/** @throws RedactionError `not_operable` for any other function */
export function readLambda(source: string): Part {
  const [, name = '', body = ''] = /^lambda\s+([a-z_]\w*)\s*:\s*(.+)$/s.exec(source.trim()) ?? [];
  if (name === '') throw notOperable('a lambda of one argument');
  const parts = body
    .trim()
    .split(/\s+\+\s+/)
    .map((part) => readPart(part, name));
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return (value) => parts.map((part) => String(part(value))).join('');
}

function readPart(part: string, name: string): Part {
  const literal = /^(f?)(["'])([^"'\\]*)\2$/.exec(part);
  if (literal !== null) {
    const [, isFormat = '', , text = ''] = literal;
    return isFormat === '' ? () => text : (value) => text.replaceAll(`{${name}}`, () => value);
  }
  if (/^-?\d+$/.test(part)) return () => Number(part);
  switch (part) {
    case name:
      return (value) => value;
    case `${name}[::-1]`:
      return (value) => Array.from(value).toReversed().join('');
    case `${name}.upper()`:
      return (value) => value.toUpperCase();
    case `${name}.lower()`:
      return (value) => value.toLowerCase();
    case `len(${name})`:
      return (value) => Array.from(value).length;
    default:
      throw notOperable('a constant, an f-string, or the value reversed or in another case');
  }
}
