import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import {
  exportPlanned,
  findControl,
  planExport,
  planFacts,
  type ExportOptions,
  type ExportPlan,
  type RangeWish,
  type SampleWish,
} from '../../ledger/index.ts';
import { withDatabase } from '../database.ts';
import { CliError } from '../errors.ts';
import { readWhole } from '../numbers.ts';
import { operator, withKeyDesk, type KeyDesk } from '../key-desk.ts';
import type { Answer, Arguments, Verb, VerbContext } from '../verb.ts';

/** The export is recorded before anything is read; the digest of what was handed out is recorded after it. */
async function exportFolder(context: VerbContext): Promise<Answer> {
  const config = context.project.config();
  const options = readOptions(context.args);
  return withDatabase(context, config, (database) =>
    withKeyDesk(context, config, database, async (desk) => {
      const plan = await planExport(database.sql, options);
      const exportId = randomBytes(16).toString('hex');
      await recordAsked(desk, plan, exportId);
      const result = await exportPlanned(database.sql, desk.keys, plan);
      await desk.record({
        kind: 'export',
        tenant: options.tenant,
        facts: { action: 'written', export: exportId, entries: result.entries, manifest: result.manifest },
        detail: { by: operator() },
      });
      const { tenant, dir } = options;
      const found = result.matches === null ? '' : ` ${String(result.matches)} of them answer the control.`;
      const text = `Wrote ${String(result.entries)} entries of ${tenant} to ${dir}.${found} Check it with: countersign ledger verify ${dir}`;
      return { exit: 0, data: { tenant, dir, ...result }, text };
    }),
  );
}

async function recordAsked(desk: KeyDesk, plan: ExportPlan, exportId: string): Promise<void> {
  const { tenant, disclose = 'all', withhold = [], sample, control } = plan.options;
  await desk.record({
    kind: 'export',
    tenant,
    facts: {
      action: 'asked',
      export: exportId,
      ...planFacts(plan),
      disclose,
      withheld: [...withhold],
      sample: sample === undefined ? null : { seed: sample.seed, size: sample.size },
      control: control?.id ?? null,
    },
    detail: { by: operator() },
  });
}

function readOptions(args: Arguments): ExportOptions {
  const range = readRangeWish(args);
  const sample = readSampleWish(args);
  const id = args.text('control');
  const control = id === null ? null : findControl(id);
  if (id !== null && control === null)
    throw new CliError('not_found', `Expected a control of "countersign ledger controls", found "${id.slice(0, 40)}".`);
  return {
    tenant: args.required('tenant'),
    dir: resolve(args.required('out')),
    disclose: args.flag('facts-only') ? 'facts' : 'all',
    withhold: args.text('withhold')?.split(',') ?? [],
    ...(range === null ? {} : { range }),
    ...(sample === null ? {} : { sample }),
    ...(control === null ? {} : { control }),
  };
}

function readRangeWish(args: Arguments): RangeWish | null {
  const range: RangeWish = {
    ...optional('fromSeq', readWhole(args, 'from-seq')),
    ...optional('toSeq', readWhole(args, 'to-seq')),
    ...optional('fromMs', readTime(args, 'from')),
    ...optional('toMs', readTime(args, 'to')),
  };
  return Object.keys(range).length === 0 ? null : range;
}

function optional(name: string, value: number | null): { readonly [name: string]: number } {
  return value === null ? {} : { [name]: value };
}

function readSampleWish(args: Arguments): SampleWish | null {
  const size = readWhole(args, 'sample');
  const seed = args.text('seed');
  if (size === null && seed === null) return null;
  if (size === null || seed === null) throw new CliError('usage', 'ledger export: --sample and --seed go together.');
  return { size, seed };
}

/** A date (its first instant, UTC) or an instant with its zone. */
function readTime(args: Arguments, name: string): number | null {
  const text = args.text(name);
  if (text === null) return null;
  const isTime = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text);
  const ms = isTime ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms) && ms >= 0) return ms;
  throw new CliError(
    'usage',
    `--${name}: expected a time like 2026-11-01 or 2026-11-01T08:00Z, found "${text.slice(0, 30)}".`,
  );
}

export const verbs: readonly Verb[] = [
  {
    path: ['ledger', 'export'],
    summary: 'Writes a log, or a part of it, to a folder that anyone can verify.',
    options: {
      tenant: { value: 'ID', help: "Tenant whose log is written; _deployment: the deployment's own.", required: true },
      out: { value: 'DIR', help: 'New or empty folder.', required: true },
      from: { value: 'TIME', help: 'Only entries from this time on: 2026-11-01 or 2026-11-01T08:00Z.' },
      to: { value: 'TIME', help: 'Only entries before this time.' },
      'from-seq': { value: 'N', help: 'Only entries from this sequence on.' },
      'to-seq': { value: 'N', help: 'Only entries up to this sequence.' },
      'facts-only': { help: 'Disclose only the sections without personal data; the others stay as commitments.' },
      withhold: { value: 'NAMES', help: 'Sections to withhold everywhere, such as content,subject.' },
      sample: { value: 'N', help: 'Disclose more than facts only of N calls drawn by lot, each with its own proof.' },
      seed: { value: 'TEXT', help: 'What the lot is drawn with; let the auditor choose it.' },
      control: {
        value: 'ID',
        help: 'Disclose more than facts only of entries that answer this control, and list them.',
      },
    },
    example: 'countersign ledger export --tenant demo --out ./evidence --from 2026-11-01 --to 2026-12-01',
    details:
      'The folder holds the entries as the exact bytes that were hashed, trees, checkpoints, anchors, keys, a statement of what it is\n' +
      'complete about, views (views/entries.csv, views/ocsf.jsonl, report.html) and VERIFY.md. The same ledger and options give the\n' +
      'same bytes. The export is recorded in the log it is about: before it is read, and after, with the digest of manifest.json.\n' +
      'A range ends with its own proof; see docs/ledger-format.md. Controls: countersign ledger controls.',
    run: exportFolder,
  },
];
