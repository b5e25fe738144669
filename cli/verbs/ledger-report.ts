import { existsSync } from 'node:fs';
import type { Sql } from 'postgres';
import { monthRange } from '../../costs/index.ts';
import { listKeys, KEY_PAGE } from '../../gateway/access/keys.ts';
import { CONFLICTS, PRIVILEGED_ROLES } from '../../gateway/access/principal.ts';
import type { Config } from '../../gateway/config.ts';
import {
  accessReview,
  clockReport,
  dutiesReport,
  reconcileReport,
  reportCsv,
  reportTable,
  REVIEW_CONCLUSIONS,
  reviewedRange,
  reviewFacts,
  reviewsReport,
  type EvidenceReport,
  type KeyRing,
  type KnownKey,
} from '../../ledger/index.ts';
import { withDatabase } from '../database.ts';
import { CliError } from '../errors.ts';
import { operator, recordReading, withKeyDesk } from '../key-desk.ts';
import type { Answer, Json, Verb, VerbContext } from '../verb.ts';

interface ReportDesk {
  readonly context: VerbContext;
  readonly config: Config;
  readonly sql: Sql;
  readonly keys: KeyRing;
}

const REPORTS: Readonly<Record<string, (desk: ReportDesk) => Promise<EvidenceReport>>> = {
  access: async ({ context, sql, keys }) =>
    accessReview(sql, keys, { known: await allKeys(sql), nowMs: context.now() }),
  duties: ({ context, sql, keys }) =>
    dutiesReport(sql, keys, { pairs: CONFLICTS, privileged: PRIVILEGED_ROLES, nowMs: context.now() }),
  reviews: ({ context, sql, keys }) => reviewsReport(sql, keys, context.args.text('tenant') ?? '_deployment'),
  clock: ({ context, sql }) => clockReport(sql, { nowMs: context.now(), source: clockSource() }),
  reconcile: ({ context, config, sql, keys }) => reconcileReport(sql, keys, reconcileOptions(context, config)),
};

/** A report reads what is encrypted about administrators: making one is recorded like any other reading. */
function report(context: VerbContext): Promise<Answer> {
  const [name = ''] = context.args.positionals;
  const make = Object.hasOwn(REPORTS, name) ? REPORTS[name] : undefined;
  if (make === undefined)
    throw new CliError(
      'usage',
      `ledger report: expected one of ${Object.keys(REPORTS).join(', ')}, found "${name.slice(0, 40)}".`,
    );
  const config = context.project.config();
  return withDatabase(context, config, (database) =>
    withKeyDesk(context, config, database, async (desk) => {
      await recordReading(desk, '_deployment', `report.${name}`);
      const made = await make({ context, config, sql: database.sql, keys: desk.keys });
      const format = context.args.text('format') ?? 'table';
      return {
        exit: made.findings.length === 0 ? 0 : 1,
        data: { ...made } as unknown as Json,
        text: format === 'csv' ? reportCsv(made).trimEnd() : reportTable(made),
      };
    }),
  );
}

async function allKeys(sql: Sql): Promise<KnownKey[]> {
  const known: KnownKey[] = [];
  for (let after = ''; ;) {
    const page = await listKeys(sql, { tenant: null, after });
    known.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < KEY_PAGE) return known;
    after = last.id;
  }
}

/** Traces of the usual time services; null where there is none. */
function clockSource(): string | null {
  if (existsSync('/run/systemd/timesync/synchronized')) return 'systemd-timesyncd, synchronised';
  if (existsSync('/run/chrony') || existsSync('/run/chrony-helper')) return 'chrony';
  return existsSync('/run/ntpd.pid') ? 'ntpd' : null;
}

function reconcileOptions({ args }: VerbContext, config: Config): Parameters<typeof reconcileReport>[2] {
  const needed = (name: string): string => {
    const value = args.text(name);
    if (value === null) throw new CliError('usage', `ledger report reconcile: --${name} is required.`);
    return value;
  };
  const [provider, usage, month] = [needed('provider'), needed('usage'), needed('month')];
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month))
    throw new CliError('usage', `--month: expected a month like 2026-11, found "${month.slice(0, 20)}".`);
  const tenant = args.text('tenant');
  return { provider, usage, tenants: tenant === null ? [...config.tenants.keys()] : [tenant], ...monthRange(month) };
}

async function review(context: VerbContext): Promise<Answer> {
  const { args } = context;
  const config = context.project.config();
  const conclusion = REVIEW_CONCLUSIONS.find((each) => each === args.text('conclusion'));
  if (conclusion === undefined) throw new CliError('usage', 'ledger review: --conclusion is required.');
  const [tenant, note] = [args.required('tenant'), args.text('note') ?? ''];
  const [first, last] = [whole(args.required('from-seq'), 'from-seq'), args.text('to-seq')];
  return withDatabase(context, config, (database) =>
    withKeyDesk(context, config, database, async ({ sql, record }) => {
      const wanted = last === null ? { first } : { first, last: whole(last, 'to-seq') };
      const range = await reviewedRange(sql, tenant, wanted);
      await record({ kind: 'access', tenant, facts: reviewFacts(range, conclusion), detail: { by: operator(), note } });
      const text = `Signed off entries ${String(range.first)} to ${String(range.last)} of ${tenant}: ${conclusion}.`;
      return { exit: 0, data: { tenant, conclusion, ...range }, text };
    }),
  );
}

function whole(text: string, name: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new CliError('usage', `--${name}: expected a whole number, found "${text.slice(0, 20)}".`);
}

export const verbs: readonly Verb[] = [
  {
    path: ['ledger', 'report'],
    summary: 'Reports on the deployment itself, from its entries: access, duties, reviews, clock, reconcile.',
    positionals: ['NAME'],
    options: {
      format: { value: 'FORMAT', help: 'How to print it; default table.', choices: ['table', 'csv'] },
      tenant: { value: 'ID', help: 'reviews: whose log; default the deployment. reconcile: only this tenant.' },
      provider: { value: 'NAME', help: 'reconcile: provider of the configuration.' },
      usage: { value: 'FILE', help: "reconcile: the provider's usage export, CSV with one call a row." },
      month: { value: 'YYYY-MM', help: 'reconcile: month in UTC.' },
    },
    example: 'countersign ledger report reconcile --provider openai --usage usage.csv --month 2026-11',
    details:
      'access: every credential, and whether the table that decides agrees with the entries. duties: where one person could do what\n' +
      'takes two. reviews: which ranges of a log were signed off. clock: how far clocks were apart. reconcile: calls the provider\n' +
      'billed that were never seen, and the other way round. Exit code 1: something stands out. See docs/self-evidence.md.',
    run: report,
  },
  {
    path: ['ledger', 'review'],
    summary: 'Signs off that a range of a log was reviewed: an entry.',
    options: {
      tenant: { value: 'ID', help: "Whose log; _deployment: the deployment's.", required: true },
      'from-seq': { value: 'N', help: 'First entry that was reviewed.', required: true },
      'to-seq': { value: 'N', help: 'Last entry that was reviewed; default the newest.' },
      conclusion: { value: 'WORD', help: 'What came of it.', required: true, choices: REVIEW_CONCLUSIONS },
      note: { value: 'TEXT', help: 'Kept encrypted with the entry.' },
    },
    example: 'countersign ledger review --tenant demo --from-seq 0 --conclusion nothing-found',
    details:
      'The entry names the hash of the last entry reviewed. Auditors with a key of their own sign off at POST /api/ledger/reviews.',
    run: review,
  },
];
