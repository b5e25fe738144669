/**
 * Evaluates recorded cases of Presidio's behaviour, one row at a time, so that anyone can compare. Rows have a `kind`:
 * `recognizer.analyze`, `recognizer.observed`, `engine.analyze`, `recognizer.method`, `context`.
 */
import type { JsonValue } from '../document.ts';
import { RedactionError } from '../errors.ts';
import { readAdHocRecognizers } from './ad-hoc.ts';
import { analyzeText } from './analyzer.ts';
import { callMethod } from './case-methods.ts';
import { codePointOffsets } from './offsets.ts';
import { recognize } from './recognize.ts';
import type { PresidioRecognizer } from './recognizer.ts';
import { phoneRecognizer, REGIONS } from './recognizers/phone.ts';
import { findIbans } from './recognizers/iban-format.ts';
import { checkVatId } from './recognizers/germany-checks.ts';
import { RECOGNIZERS, recognizersOf } from './registry.ts';
import type { JsonObject, PresidioResult } from './request.ts';

/** Other names of entities in the recorded sentences. */
const ALIASES: Readonly<Record<string, string>> = { FIN: 'SG_NRIC_FIN' };
/** These need a language model. */
const MODEL_RECOGNIZERS = ['SpacyRecognizer', 'StanzaRecognizer', 'TransformersRecognizer', 'GLiNERRecognizer'];

/**
 * What this analyzer finds for a row: spans with scores, a method's value, or the scores with and without context.
 * Throws RedactionError `unknown_case` for rows that need a language model, or whose kind or method is not served.
 */
export function evaluatePresidioCase(row: JsonObject): JsonValue {
  switch (row['kind']) {
    case 'recognizer.analyze':
    case 'recognizer.observed':
      return spansOf(row);
    case 'engine.analyze':
      // Recorded without words, so none stands near a match.
      return analyzeText(withoutContext(recognizersOf('default')), optionAdHoc(row), engineRequest(row)).map(plain);
    case 'recognizer.method':
      return callMethod(
        recognizerOf(row),
        textOf(row['method']),
        listOf(row['args']),
        objectOf(row['recognizer_kwargs']),
      );
    case 'context':
      return contextScores(row);
    default:
      throw unknownCase(`kind ${JSON.stringify(row['kind'] ?? null)}`);
  }
}

function unknownCase(found: string): RedactionError {
  return new RedactionError('unknown_case', `Expected a case of a pattern recognizer; found ${found.slice(0, 80)}.`);
}

function spansOf(row: JsonObject): JsonValue {
  const text = textOf(row['text']);
  const flags = objectOf(row['options'])['regex_flags'];
  const recognizer = recognizerOf(row, typeof flags === 'number' && flags !== 0 ? flags : undefined);
  const offset = codePointOffsets(text);
  try {
    return recognize(recognizer, text).map(({ entity, start, end, score }) => ({
      entity_type: entity,
      start: offset(start),
      end: offset(end),
      score,
    }));
  } catch (cause) {
    // Presidio's recognizer fails here too; Python's name for it is what was recorded.
    if (cause instanceof RedactionError && cause.code === 'recognizer_failed')
      return { exception: recognizer.entity === 'IT_FISCAL_CODE' ? 'KeyError' : 'ValueError' };
    throw cause;
  }
}

function contextScores(row: JsonObject): JsonValue {
  const text = textOf(row['text']);
  const entity = ALIASES[textOf(row['entity'])] ?? textOf(row['entity']);
  const language = textOf(row['language']);
  const recognizers = RECOGNIZERS.filter((one) => one.entity === entity && one.languages.includes(language));
  if (recognizers.length === 0) throw unknownCase(`entity ${entity}`);
  const scores = (list: readonly PresidioRecognizer[]): number[] =>
    analyzeText(list, [], { text, language }).map(({ score }) => score);
  return {
    score_without_context: scores(withoutContext(recognizers)),
    score_with_context: scores(recognizers),
  };
}

function withoutContext(recognizers: readonly PresidioRecognizer[]): PresidioRecognizer[] {
  return recognizers.map((one) => ({ ...one, context: [] }));
}

function engineRequest(row: JsonObject): Parameters<typeof analyzeText>[2] {
  const options = objectOf(row['options']);
  const match = options['allow_list_match'];
  return {
    text: textOf(row['text']),
    language: textOf(row['language']),
    entities: stringsOf(row['entities']),
    allowList: stringsOf(options['allow_list']),
    context: stringsOf(options['context']),
    ...(match === 'regex' || match === 'exact' ? { allowListMatch: match } : {}),
    ...(typeof options['regex_flags'] === 'number' ? { regexFlags: options['regex_flags'] } : {}),
    ...(typeof options['score_threshold'] === 'number' ? { scoreThreshold: options['score_threshold'] } : {}),
  };
}

function optionAdHoc(row: JsonObject): PresidioRecognizer[] {
  const list = listOf(objectOf(row['options'])['ad_hoc_recognizers']);
  return readAdHocRecognizers(list.map((one) => plainObject(one)));
}

const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  PatternRecognizer: ['supported_entity', 'name', 'supported_language', 'patterns', 'deny_list', 'context'],
  Pattern: ['name', 'regex', 'score'],
};

/** A recorded Python object `{"$object", "kwargs", "args"}` as what it was made of. */
function plainObject(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(plainObject);
  if (typeof value !== 'object' || value === null) return value;
  const names = PARAMETERS[textOf(value['$object'])];
  const members = names === undefined ? value : objectOf(value['kwargs']);
  const positional = names === undefined ? [] : listOf(value['args']).map((one, at) => [names[at] ?? '', one] as const);
  return Object.fromEntries([...positional, ...Object.entries(members)].map(([name, one]) => [name, plainObject(one)]));
}

/** The recognizer of a row, with what the row sets on it. */
function recognizerOf(row: JsonObject, flags?: number): PresidioRecognizer {
  const name = textOf(row['recognizer']);
  const settings = objectOf(row['recognizer_kwargs']);
  if (MODEL_RECOGNIZERS.includes(name)) throw unknownCase(`${name}, which needs a language model`);
  if (name === 'PatternRecognizer')
    return adHoc(flags === undefined ? settings : { ...settings, global_regex_flags: flags });
  if (name === 'PhoneRecognizer') return phone(settings);
  const known = RECOGNIZERS.find((one) => one.name === name);
  if (known === undefined) {
    if (['AnalyzerEngine', 'EntityRecognizer'].includes(name)) return engineStandIn(name);
    throw unknownCase(`recognizer ${name}`);
  }
  return withSettings(known, settings);
}

function adHoc(settings: JsonObject): PresidioRecognizer {
  const [recognizer] = readAdHocRecognizers([plainObject(settings)]);
  if (recognizer === undefined) throw unknownCase('no recognizer');
  return recognizer;
}

function phone(settings: JsonObject): PresidioRecognizer {
  const leniency = [0, 1, 2, 3].find((one) => one === settings['leniency']) ?? 1;
  return phoneRecognizer({
    regions: settings['supported_regions'] === undefined ? REGIONS : stringsOf(settings['supported_regions']),
    entity: textOf(settings['supported_entity']) || 'PHONE_NUMBER',
    context: stringsOf(settings['context']),
    leniency: leniency as 0 | 1 | 2 | 3,
  });
}

function engineStandIn(name: string): PresidioRecognizer {
  return { name, entity: '', languages: ['en'], standing: 'off', patterns: [], context: [], example: '', source: '' };
}

function withSettings(known: PresidioRecognizer, settings: JsonObject): PresidioRecognizer {
  const context = settings['context'];
  const language = textOf(settings['supported_language']);
  return {
    ...known,
    ...(Array.isArray(context) ? { context: stringsOf(context) } : {}),
    ...(language === '' ? {} : { languages: [language] }),
    entity: textOf(settings['supported_entity']) || known.entity,
    // Outside of the engine the recognizer of account numbers takes capitals only.
    ...(known.entity === 'IBAN_CODE' ? { find: (text: string) => findIbans(text, 'capitals') } : {}),
    ...(settings['strict_checksum'] === true ? { validate: (match: string) => checkVatId(match, true) } : {}),
  };
}

function plain({ entity_type, start, end, score }: PresidioResult): JsonObject {
  return { entity_type, start, end, score };
}

function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function listOf(value: unknown): readonly JsonValue[] {
  return Array.isArray(value) ? (value as JsonValue[]) : [];
}

function stringsOf(value: unknown): string[] {
  return listOf(value).filter((one): one is string => typeof one === 'string');
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
