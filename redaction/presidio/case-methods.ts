/** Single methods and attributes of Presidio's recognizers, as its recorded cases name them. */
import type { JsonValue } from '../document.ts';
import { RedactionError } from '../errors.ts';
import { digitsOf, isDate, isLuhn, isVerhoeff, numberOf } from './digits.ts';
import type { PresidioRecognizer } from './recognizer.ts';
import type { JsonObject } from './request.ts';

type Method = (recognizer: PresidioRecognizer, args: readonly JsonValue[], settings: JsonObject) => JsonValue;

const DEFAULT_REPLACEMENTS: readonly (readonly [string, string])[] = [
  ['-', ''],
  [' ', ''],
];

const METHODS: Readonly<Record<string, Method>> = {
  validate_result: ({ validate, name }, [text]) =>
    validate === undefined || (text === '' && name !== 'DeVatIdRecognizer') ? null : validate(stringOf(text)),
  invalidate_result: ({ invalidate }, [text]) => (invalidate === undefined ? null : invalidate(stringOf(text))),
  sanitize_value: (_, [text, replacements], settings) =>
    sanitize(
      stringOf(text),
      pairsOf(replacements === '' ? undefined : (replacements ?? settings['replacement_pairs'])),
    ),
  validate_pan_format: (_, [text]) => /^\p{L}{5}\p{Nd}{4}\p{L}$/u.test(stringOf(text)),
  _is_palindrome: (_, [text, ignoresCase]) => {
    const value = ignoresCase === true ? stringOf(text).toLowerCase() : stringOf(text);
    return value === Array.from(value).toReversed().join('');
  },
  _is_verhoeff_number: (_, [text]) => isVerhoeff(digitsOf(stringOf(text))),
  _luhn_checksum: (_, [text]) => isLuhn(digitsOf(stringOf(text))),
  _has_valid_birth_date: (_, [text]) => hasBirthDate(digitsOf(stringOf(text))),
  '.context': ({ context }) => [...context],
  '.supported_language': ({ languages }) => languages[0] ?? null,
  '.supported_entities': ({ entity }) => [entity],
  '.supported_entity': ({ entity }) => entity,
  '.name': ({ name }) => name,
};

/** Calls a method by its recorded name; `unknown_case` for one not served. */
export function callMethod(
  recognizer: PresidioRecognizer,
  name: string,
  args: readonly JsonValue[],
  settings: JsonObject,
): JsonValue {
  const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
  if (method !== undefined) return method(recognizer, args, settings);
  throw new RedactionError('unknown_case', `Expected a method of a recognizer; found ${name.slice(0, 80)}.`);
}

function sanitize(text: string, pairs: readonly (readonly [string, string])[]): string {
  return pairs.reduce((value, [from, to]) => value.replaceAll(from, to), text);
}

function pairsOf(value: JsonValue | undefined): readonly (readonly [string, string])[] {
  if (!Array.isArray(value)) return DEFAULT_REPLACEMENTS;
  return value.map((pair): readonly [string, string] =>
    Array.isArray(pair) ? [stringOf(pair[0]), stringOf(pair[1])] : ['', ''],
  );
}

function hasBirthDate(digits: readonly number[]): boolean {
  const [year, month, day] = [numberOf(digits.slice(0, 2)), numberOf(digits.slice(2, 4)), numberOf(digits.slice(4, 6))];
  return isDate(2000 + year, month, day) || isDate(1900 + year, month, day);
}

function stringOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
