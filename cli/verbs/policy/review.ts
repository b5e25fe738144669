import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { headline, htmlReport, judge, markdownReport, NO_BASE, reviewChange } from '../../../policies/reviewing.ts';
import { CliError } from '../../errors.ts';
import type { Answer, Json, Verb, VerbContext } from '../../verb.ts';
import { replayHistory } from './history.ts';
import { readWhole, toolchain } from './source.ts';

const DAY_MS = 86_400_000;

async function run(context: VerbContext): Promise<Answer> {
  const { args, out, now } = context;
  const whole = (name: string, standard: number, most: number): number =>
    readWhole(`policy review: --${name}`, args.text(name), standard, most);
  const [days, inputs, seed] = [
    whole('days', 7, 36_500),
    whole('inputs', 20_000, 10_000_000),
    whole('seed', 1, 2 ** 31),
  ];
  const allowFlips = whole('allow-flips', 0, Number.MAX_SAFE_INTEGER);
  const replayWanted = !args.flag('no-replay');
  const dir = resolve(args.required('out'));
  await mkdir(dir, { recursive: true });
  const flips = createWriteStream(join(dir, 'flips.jsonl'));
  const span = {
    tenant: args.text('tenant'),
    fromMs: now() - days * DAY_MS,
    toMs: now(),
    onFlip: (flip: object): void => void flips.write(`${JSON.stringify(flip)}\n`),
  };
  const review = await reviewChange({
    base: args.required('base'),
    head: args.required('head'),
    name: nameOf(context),
    tools: await toolchain(context),
    inputs,
    seed,
    mutants: readMutants(args.text('mutants')),
    nowMs: now(),
    note: out.note,
    replay: async (change) =>
      replayWanted ? replayHistory(context, span, change) : { notDone: '--no-replay was given' },
  });
  const verdict = judge(review, { allowFlips, replayWanted });
  flips.end();
  await finished(flips);
  const json = `${JSON.stringify(review, null, 2)}\n`;
  await writeFile(join(dir, 'review.json'), json);
  await writeFile(join(dir, 'review.md'), markdownReport(review, verdict));
  await writeFile(join(dir, 'review.html'), htmlReport(review, verdict));
  const digest = createHash('sha256').update(json).digest('hex');
  const data = {
    exit: verdict.exit,
    attention: verdict.attention,
    unknown: verdict.unknown,
    out: dir,
    digest,
    review: review as unknown as Json,
  };
  const lines = [headline(review), ...verdict.attention, ...verdict.unknown];
  return {
    exit: verdict.exit,
    data,
    text: [...lines, `${join(dir, 'review.html')} (review.json has digest ${digest})`].join('\n'),
  };
}

/** A new bundle in the place of the baseline would be a review of taking the baseline away. */
function nameOf({ args }: VerbContext): string {
  const name = args.text('name');
  if (name === null && args.required('base') === NO_BASE)
    throw new CliError('usage', `policy review: --base ${NO_BASE} needs --name, the name of the new bundle.`);
  return name ?? 'baseline';
}

function readMutants(text: string | null): 'changed' | 'all' | 'none' {
  return text === 'all' || text === 'none' ? text : 'changed';
}

export const review: Verb = {
  path: ['policy', 'review'],
  summary:
    'Shows what a change of policies would have done to recorded calls, and how well its tests hold, for a pull request.',
  options: {
    base: {
      value: 'BASE',
      help: 'Bundle file, folder, or git revision of the head folder; none for a bundle that is new.',
      required: true,
    },
    head: { value: 'DIR', help: 'Folder of the changed Rego.', required: true },
    out: { value: 'DIR', help: 'Gets review.html, review.md, review.json and flips.jsonl.', required: true },
    name: { value: 'NAME', help: 'The bundle in the place of which the change would be; baseline when absent.' },
    days: { value: 'N', help: 'Recorded calls of the last N days; 7 when absent.' },
    tenant: { value: 'ID', help: 'Only calls of this tenant.' },
    'no-replay': { help: 'Do not read a ledger.' },
    'allow-flips': { value: 'N', help: 'Recorded calls that may be decided another way; 0 when absent.' },
    inputs: { value: 'N', help: 'Generated inputs to compare; 20000 when absent.' },
    seed: { value: 'N', help: 'Of the generated inputs; the same seed gives the same ones.' },
    mutants: {
      value: 'WHICH',
      help: 'Rules whose mutants are tried; changed when absent.',
      choices: ['changed', 'all', 'none'],
    },
  },
  example: 'countersign policy review --base origin/main --head policies/rego/baseline --out ./review',
  details:
    'Exit code 0: nothing needs attention. 1: tests or checks fail, recorded decisions are not reproduced or the ledger is\n' +
    'damaged, more calls flip than --allow-flips, or a mutant lives that survivors.json does not list. 2: used wrongly.\n' +
    '3: it could not be told, because there was no ledger to read or what decided is no longer kept.',
  run,
};
