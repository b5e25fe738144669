/** Recognizers that come with a request, in Presidio's JSON form. They are a caller's: every size is bounded. */
import { RedactionError } from '../errors.ts';
import { createCallerWork, findDenied } from './caller-text.ts';
import type { CallerWork } from './caller-text.ts';
import { compilePython } from './pattern-machine.ts';
import type { PatternProgram } from './pattern-machine.ts';
import type { PatternMatch, PresidioPattern, PresidioRecognizer } from './recognizer.ts';

const DEFAULT_FLAGS = 26;
const MOST_PATTERNS = 32;
const MOST_WORDS = 1000;
const MOST_WORD_LENGTH = 200;

const PATTERN_MEMBERS = ['name', 'regex', 'score'];
const RECOGNIZER_MEMBERS =
  'supported_entity supported_entities name supported_language patterns deny_list context deny_list_score global_regex_flags version'.split(
    ' ',
  );

type Members = Readonly<Record<string, unknown>>;

/**
 * Reads the recognizers of one request. Throws RedactionError: `malformed_request` where Presidio answers 400 (members
 * missing or unknown), `invalid_request` where it answers 500 (wrong values), `limit_exceeded` for too much.
 */
export function readAdHocRecognizers(list: readonly unknown[]): PresidioRecognizer[] {
  const work = createCallerWork();
  const recognizers = list.map((one) => readRecognizer(one, work));
  const patterns = recognizers.reduce((sum, one) => sum + one.patterns.length, 0);
  if (patterns > MOST_PATTERNS || list.length > MOST_PATTERNS)
    throw new RedactionError(
      'limit_exceeded',
      `Up to ${String(MOST_PATTERNS)} ad-hoc patterns are served per request; found ${String(Math.max(patterns, list.length))}.`,
    );
  return recognizers;
}

function readRecognizer(value: unknown, work: CallerWork): PresidioRecognizer {
  const members = membersOf(value, 'recognizer');
  const flags = typeof members['global_regex_flags'] === 'number' ? members['global_regex_flags'] : DEFAULT_FLAGS;
  const given = listOf(members['patterns']).map((one) => readPattern(one, flags));
  for (const name of Object.keys(members))
    if (!RECOGNIZER_MEMBERS.includes(name))
      throw malformed(`PatternRecognizer.__init__() got an unexpected keyword argument '${name.slice(0, 64)}'`);
  const entity = entityOf(members);
  const words = readDenyList(members['deny_list']);
  if (given.length === 0 && words.length === 0)
    throw invalid('Pattern recognizer should be initialized with patterns or with deny list');
  return build(members, entity, flags, given, words, work);
}

interface CallerPattern {
  readonly pattern: PresidioPattern;
  readonly program: PatternProgram;
}

function build(
  members: Members,
  entity: string,
  flags: number,
  given: readonly CallerPattern[],
  words: readonly string[],
  work: CallerWork,
): PresidioRecognizer {
  const score = typeof members['deny_list_score'] === 'number' ? members['deny_list_score'] : 1;
  const denied = { name: 'deny_list', expression: String.raw`(?:^|(?<=\W))(…)(?:(?=\W)|$)`, score };
  return {
    name: textOf(members['name']) ?? 'PatternRecognizer',
    entity,
    languages: [textOf(members['supported_language']) ?? 'en'],
    standing: 'caller',
    patterns: [...given.map(({ pattern }) => pattern), ...(words.length === 0 ? [] : [denied])],
    flags,
    context: listOf(members['context']).filter((word): word is string => typeof word === 'string'),
    *find(text): Generator<PatternMatch> {
      for (const [pattern, { program }] of given.entries())
        for (const [start, end] of work.matchesOf(program, text)) yield { pattern, start, end };
      for (const [start, end] of findDenied(text, words, flags)) yield { pattern: given.length, start, end };
    },
    example: '',
    source: 'the request',
  };
}

function readPattern(value: unknown, flags: number): CallerPattern {
  const members = membersOf(value, 'pattern');
  const unknown = Object.keys(members).find((name) => !PATTERN_MEMBERS.includes(name));
  if (unknown !== undefined)
    throw malformed(`Pattern.__init__() got an unexpected keyword argument '${unknown.slice(0, 64)}'`);
  const missing = PATTERN_MEMBERS.filter((name) => !(name in members));
  if (missing.length > 0) throw malformed(missingArguments('Pattern', missing));
  const { name, regex, score } = members;
  if (typeof regex !== 'string') throw malformed('first argument must be a string or compiled pattern');
  const program = compileNamed(regex, flags);
  if (typeof score !== 'number')
    throw malformed(`'<' not supported between instances of '${pythonType(score)}' and 'int'`);
  if (score < 0 || score > 1) throw invalid(`Invalid score: ${String(score)}. Score should be between 0 and 1`);
  return { pattern: { name: textOf(name) ?? '', expression: regex, score }, program };
}

function compileNamed(regex: string, flags: number): PatternProgram {
  try {
    return compilePython(regex, flags);
  } catch (cause) {
    if (cause instanceof RedactionError && cause.code === 'invalid_request')
      throw invalid(`Invalid regex pattern: ${cause.message}`);
    throw cause;
  }
}

function entityOf(members: Members): string {
  const many = members['supported_entities'];
  if (members['supported_entity'] !== undefined && many !== undefined)
    throw invalid(
      "Both 'supported_entity' and 'supported_entities' are present in the input dictionary. Only one should be provided.",
    );
  const entity = members['supported_entity'] ?? (Array.isArray(many) ? many[0] : undefined);
  if (entity === undefined) throw malformed(missingArguments('PatternRecognizer', ['supported_entity']));
  if (typeof entity !== 'string' || entity === '')
    throw invalid('Pattern recognizer should be initialized with entity');
  return entity;
}

function readDenyList(value: unknown): readonly string[] {
  const words = listOf(value).filter((word): word is string => typeof word === 'string' && word !== '');
  if (words.length <= MOST_WORDS && words.every((word) => word.length <= MOST_WORD_LENGTH)) return words;
  throw new RedactionError(
    'limit_exceeded',
    `A deny list may have ${String(MOST_WORDS)} entries of ${String(MOST_WORD_LENGTH)} characters; this one has more.`,
  );
}

/** Python's wording: one name, two joined by "and", more with commas. */
function missingArguments(owner: string, names: readonly string[]): string {
  const quoted = names.map((name) => `'${name}'`);
  const last = quoted.at(-1) ?? '';
  const list = quoted.length > 2 ? `${quoted.slice(0, -1).join(', ')}, and ${last}` : quoted.join(' and ');
  const noun = names.length === 1 ? 'argument' : 'arguments';
  return `${owner}.__init__() missing ${String(names.length)} required positional ${noun}: ${list}`;
}

function membersOf(value: unknown, what: string): Members {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  throw malformed(`ad-hoc ${what} must be an object`);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function pythonType(value: unknown): string {
  if (value === null) return 'NoneType';
  return Array.isArray(value) ? 'list' : typeof value === 'string' ? 'str' : 'dict';
}

function invalid(message: string): RedactionError {
  return new RedactionError('invalid_request', message);
}

function malformed(message: string): RedactionError {
  return new RedactionError(
    'malformed_request',
    `Failed to parse /analyze request for AnalyzerEngine.analyze(). ${message}`,
  );
}
