import { parseArgs, type ParseArgsConfig } from 'node:util';
import { CliError } from './errors.ts';
import { COMMON_OPTIONS, type Arguments, type OptionSpec, type Verb } from './verb.ts';

/** All options a verb takes: its own and those of every verb. */
export function optionsOf(verb: Verb): Readonly<Record<string, OptionSpec>> {
  return { ...verb.options, ...COMMON_OPTIONS };
}

/**
 * Reads what follows the verb. Unknown options, missing required ones and surplus words are refused.
 * @throws CliError `usage`
 */
export function readArguments(verb: Verb, words: readonly string[]): Arguments {
  const specs = optionsOf(verb);
  const parsed = parse(verb, words, specs);
  const values = new Map(Object.entries(parsed.values));
  if (values.get('help') !== true) checkComplete(verb, specs, values, parsed.positionals);
  const text = (name: string): string | null => {
    const value = values.get(name);
    return typeof value === 'string' ? value : null;
  };
  return {
    positionals: parsed.positionals,
    flag: (name) => values.get(name) === true,
    text,
    required: (name) => text(name) ?? fail(verb, `--${name} is required`),
  };
}

interface Parsed {
  readonly values: Readonly<Record<string, unknown>>;
  readonly positionals: readonly string[];
}

function parse(verb: Verb, words: readonly string[], specs: Readonly<Record<string, OptionSpec>>): Parsed {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const [name, spec] of Object.entries(specs)) {
    options[name] = {
      type: spec.value === undefined ? 'boolean' : 'string',
      ...(name === 'help' ? { short: 'h' } : {}),
    };
  }
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true, strict: true });
  } catch (error) {
    // Node's own message names the option and quotes it; its second sentence is about a case nobody meets here.
    const message = error instanceof Error ? (error.message.split('. To specify')[0] ?? '') : '';
    return fail(verb, message);
  }
}

function checkComplete(
  verb: Verb,
  specs: Readonly<Record<string, OptionSpec>>,
  values: ReadonlyMap<string, unknown>,
  positionals: readonly string[],
): void {
  for (const [name, spec] of Object.entries(specs)) {
    const value = values.get(name);
    if (spec.required === true && value === undefined) fail(verb, `--${name} ${spec.value ?? ''} is required`);
    if (typeof value === 'string' && spec.choices?.includes(value) === false) {
      fail(verb, `--${name}: expected ${spec.choices.join(', ')}, found "${value.slice(0, 40)}"`);
    }
  }
  const declared = verb.positionals ?? [];
  const required = declared.filter((name) => !name.startsWith('['));
  if (positionals.length < required.length) fail(verb, `expected ${required.slice(positionals.length).join(' ')}`);
  if (positionals.length > declared.length) {
    fail(verb, `did not expect "${(positionals[declared.length] ?? '').slice(0, 40)}"`);
  }
}

function fail(verb: Verb, message: string): never {
  const name = verb.path.join(' ');
  throw new CliError('usage', `${name}: ${message}. See "countersign ${name} --help".`);
}
