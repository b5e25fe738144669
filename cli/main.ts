import { readArguments } from './arguments.ts';
import { CliError } from './errors.ts';
import { listHelp, verbHelp } from './help.ts';
import { standardOutput, type Output } from './output.ts';
import { openProject } from './project.ts';
import type { Answer, ExitCode, Verb, VerbContext } from './verb.ts';
import { loadVerbs } from './verbs/index.ts';

export interface MainOptions {
  /** What follows the program's name. */
  readonly argv: readonly string[];
  /** The package's folder. */
  readonly root: string;
  readonly startedAtMs: number;
}

/** Finds the verb, runs it and prints its answer. Never throws. */
export async function main({ argv, root, startedAtMs }: MainOptions): Promise<ExitCode> {
  const out = standardOutput();
  const json = argv.includes('--json');
  try {
    const verbs = await loadVerbs(argv);
    const verb = findVerb(verbs, argv);
    if (verb === null) return explainVerbs(verbs, argv, out);
    const args = readArguments(verb, argv.slice(verb.path.length));
    if (args.flag('help')) {
      out.result(verbHelp(verb));
      return 0;
    }
    const { env } = process;
    const project = openProject({ root, cwd: process.cwd(), env, configOption: args.text('config') });
    return await answer(verb, {
      args,
      json,
      out,
      project,
      env,
      verbs: () => loadVerbs([]),
      now: Date.now,
      startedAtMs,
    });
  } catch (error) {
    return explainError(error, json, out);
  }
}

async function answer(verb: Verb, context: VerbContext): Promise<ExitCode> {
  const result: Answer | null = await verb.run(context);
  if (result === null) return 0;
  const text = context.json ? JSON.stringify(result.data) : result.text;
  if (text !== '') context.out.result(text.replace(/\n$/, ''));
  return result.exit;
}

/** The verb with the most words that the command line begins with. */
function findVerb(verbs: readonly Verb[], argv: readonly string[]): Verb | null {
  const matches = verbs.filter((verb) => verb.path.every((word, index) => argv[index] === word));
  return matches.toSorted((a, b) => b.path.length - a.path.length)[0] ?? null;
}

/** No verb, or only the beginning of one: with --help the list is the answer, otherwise it is an error. */
function explainVerbs(verbs: readonly Verb[], argv: readonly string[], out: Output): ExitCode {
  const end = argv.findIndex((word) => word.startsWith('-'));
  const words = end === -1 ? argv : argv.slice(0, end);
  const known = words.slice(0, knownWords(verbs, words));
  const asked = argv.includes('--help') || argv.includes('-h') || argv.length === 0;
  if (asked && known.length === words.length) {
    out.result(listHelp(verbs, known));
    return 0;
  }
  const unknown = words[known.length];
  out.note(
    unknown === undefined
      ? 'countersign: expected a verb, found none.'
      : `countersign: unknown verb "${unknown.slice(0, 40)}".`,
  );
  out.note(listHelp(verbs, known));
  return 2;
}

/** How many of the words begin some verb. */
function knownWords(verbs: readonly Verb[], words: readonly string[]): number {
  const lengths = verbs.map(({ path }) => {
    const differs = path.findIndex((word, index) => words[index] !== word);
    return differs === -1 ? path.length : differs;
  });
  return Math.max(0, ...lengths);
}

/** Our own errors are sentences for the reader; of anything else the name and message, and the stack on request. */
function explainError(error: unknown, json: boolean, out: Output): ExitCode {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (json) out.result(JSON.stringify({ error: { code: code ?? 'internal', message } }));
  out.note(`countersign: ${code === null ? 'unexpected failure: ' : ''}${message}`);
  if (process.env['COUNTERSIGN_DEBUG'] === '1' && error instanceof Error) out.note(error.stack ?? '');
  if (error instanceof CliError) return error.exitCode;
  return error instanceof Error && error.name === 'ConfigError' ? 2 : 3;
}

function codeOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}
