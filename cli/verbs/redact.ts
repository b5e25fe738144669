import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { isUtf8 } from 'node:buffer';
import { CliError, errno } from '../errors.ts';
import { createCaseDesk, failureOf, membersOf, textOf } from '../redaction-cases.ts';
import { OPERATORS, PROFILES, redactWith } from '../redaction-profile.ts';
import type { FindingLine, OperatorName, ProfileName, Redacted, RedactionOptions } from '../redaction-profile.ts';
import type { Answer, Json, Verb, VerbContext } from '../verb.ts';

async function run(context: VerbContext): Promise<Answer | null> {
  const cases = context.args.text('cases');
  if (cases !== null) return runCases(context, cases);
  const profile = choiceOf(context, 'profile', PROFILES);
  const options = optionsOf(context);
  const redacted = redactWith(profile, await readText(context), options);
  if (context.json) return { exit: 0, data: dataOf(profile, redacted, options), text: '' };
  if (options.explain) for (const finding of redacted.findings) context.out.note(lineOf(finding, redacted.offsets));
  context.out.text(redacted.text);
  return null;
}

function choiceOf<T extends string>({ args }: VerbContext, name: string, choices: readonly [T, ...T[]]): T {
  return choices.find((choice) => choice === args.text(name)) ?? choices[0];
}

function optionsOf(context: VerbContext): RedactionOptions {
  const { args } = context;
  const threshold = args.text('threshold');
  if (threshold !== null && !/^(?:0?\.\d+|[01](?:\.0*)?)$/.test(threshold)) {
    throw new CliError('usage', `--threshold: expected a number from 0 to 1, found "${threshold.slice(0, 20)}".`);
  }
  return {
    operator: choiceOf<OperatorName>(context, 'operator', OPERATORS),
    recognizers: choiceOf(context, 'recognizers', ['default', 'all']),
    language: args.text('language') ?? 'en',
    entities: (args.text('entities') ?? '').split(',').filter((entity) => entity !== ''),
    threshold: threshold === null ? null : Number(threshold),
    explain: args.flag('explain'),
  };
}

/** The file, or standard input to its end. @throws CliError `not_found`, `check_failed` when it is not UTF-8 */
async function readText({ args }: VerbContext): Promise<string> {
  const [path] = args.positionals;
  const bytes = path === undefined ? await buffer(process.stdin) : await readFile(path).catch(unreadable(path));
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw new CliError('check_failed', 'Expected text encoded as UTF-8, found other bytes. Convert it first.');
}

function unreadable(path: string): (error: unknown) => never {
  return (error) => {
    const found = errno(error) ?? 'unknown';
    throw new CliError('not_found', `Expected a file that can be read at ${path}, found none (${found}).`);
  };
}

function dataOf(profile: ProfileName, redacted: Redacted, { explain }: RedactionOptions): Json {
  const findings = redacted.findings.map(({ explanation, ...finding }) =>
    explain ? { ...finding, explanation } : finding,
  );
  const { text, offsets, detectors } = redacted;
  return { profile, text, offsets, findings, detectors };
}

function lineOf({ entity_type, start, end, score, recognizer, explanation }: FindingLine, offsets: string): string {
  const { textual_explanation: why } = membersOf(explanation as Parameters<typeof membersOf>[0]);
  const text = why === undefined ? '' : `: ${textOf(why)}`;
  return `${entity_type} ${String(start)}-${String(end)} (${offsets}), score ${score.toFixed(2)}, ${recognizer}${text}`;
}

/** One line out for each line in, so that a long file needs no memory. */
async function runCases({ out }: VerbContext, path: string): Promise<null> {
  const desk = createCaseDesk();
  const input = createReadStream(path, 'utf8');
  const failed = new Promise<never>((_resolve, reject) => {
    input.once('error', (error) => {
      reject(unreadableCases(path, error));
    });
  });
  const walk = async (): Promise<null> => {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line.trim() === '') continue;
      const row = membersOf(parse(line));
      const got = await desk.evaluate(row).catch(failureOf);
      out.result(JSON.stringify({ id: row['id'] ?? null, got }));
    }
    return null;
  };
  return Promise.race([walk(), failed]);
}

function unreadableCases(path: string, error: unknown): CliError {
  return new CliError('not_found', `Expected a file of cases at ${path}, found none (${errno(error) ?? 'unknown'}).`);
}

function parse(line: string): Parameters<typeof membersOf>[0] {
  try {
    return JSON.parse(line) as Parameters<typeof membersOf>[0];
  } catch {
    throw new CliError('check_failed', 'Expected one JSON document a line in the file of cases, found something else.');
  }
}

export const verbs: readonly Verb[] = [
  {
    path: ['redact'],
    summary: 'Removes personal data and secrets from a text: a file or standard input to standard output.',
    positionals: ['[FILE]'],
    options: {
      profile: { value: 'NAME', help: 'Which recognizers, and how strict; default strict.', choices: PROFILES },
      operator: { value: 'NAME', help: 'What is done to what is found; default replace.', choices: OPERATORS },
      explain: { help: 'Say on standard error what was found where, by which recognizer and why; never the values.' },
      entities: { value: 'A,B', help: 'Only these entity types.' },
      threshold: { value: 'N', help: 'Least score, 0 to 1; default that of the profile.' },
      language: { value: 'CODE', help: 'Language of the text for --profile presidio; default en.' },
      recognizers: {
        value: 'WHICH',
        help: 'For --profile presidio: those Presidio has switched on, or all; default default.',
        choices: ['default', 'all'],
      },
      cases: { value: 'FILE', help: 'Evaluate recorded cases instead: JSON lines in, {"id","got"} lines out.' },
    },
    example: 'countersign redact --profile presidio',
    details:
      'Names and addresses without a fixed form are not found. A text is printed only when it was read to its end.',
    run,
  },
];
