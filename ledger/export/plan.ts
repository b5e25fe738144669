import type postgres from 'postgres';
import { DEPLOYMENT } from '../entry.ts';
import { LedgerError } from '../error.ts';
import { readSnapshot } from '../verify/snapshot.ts';
import type { SnapshotLog } from '../verify/snapshot.ts';
import { sectionNames } from '../entry.ts';
import type { ExportOptions, ExportPlanFacts, RangeWish } from './options.ts';
import { checkSample } from './sample.ts';

/** One log of an export, and which of its entries: [first, end). */
export interface PlannedLog extends SnapshotLog {
  readonly role: 'tenant' | 'deployment';
  readonly first: number;
  readonly end: number;
}

/** What will be exported; nothing of it has been read yet. */
export interface ExportPlan {
  /** The deployment's logs first. */
  readonly logs: readonly PlannedLog[];
  /** The newest log of whom the export is about. */
  readonly newest: PlannedLog;
  readonly options: ExportOptions;
}

const SECTIONS: ReadonlySet<string> = new Set(['decision', 'outcome', 'start'].flatMap(sectionNames));
const MAX_TENANT_CHARS = 64;

/**
 * Fixes the ends of the logs and the range, so that the same plan gives the same bytes however the ledger grows.
 *
 * @throws {LedgerError} `unknown_tenant` for one without a log; `invalid_value` for a range or a section that cannot be
 */
export async function planExport(sql: postgres.Sql, options: ExportOptions): Promise<ExportPlan> {
  checkOptions(options);
  const { logs } = await readSnapshot(sql);
  const all = logs.filter(({ tenant }) => tenant === DEPLOYMENT);
  const own = logs.filter(({ tenant }) => tenant === options.tenant && tenant !== DEPLOYMENT);
  const planned: PlannedLog[] = [];
  for (const log of all) planned.push({ ...log, role: 'deployment', first: 0, end: log.tail + 1 });
  for (const [index, log] of own.entries()) {
    const { first, end } = await readRangeOf(sql, log, options.range ?? {}, index === own.length - 1);
    if (options.range === undefined || end > first) planned.push({ ...log, role: 'tenant', first, end });
  }
  const newest = planned.at(-1);
  if (newest !== undefined && (newest.role === 'tenant' || options.tenant === DEPLOYMENT))
    return { logs: planned, newest, options };
  if (own.length > 0) throw new LedgerError('invalid_value', 'expected a range with entries, found none in it');
  throw new LedgerError(
    'unknown_tenant',
    `expected a tenant with a log, found none for ${options.tenant.slice(0, MAX_TENANT_CHARS)}; has it made a call yet?`,
  );
}

/** For the entry that tells of an export. */
export function planFacts({ newest: { log, first, end } }: ExportPlan): ExportPlanFacts {
  return { log, first, last: end - 1 };
}

function checkOptions({ withhold = [], sample, range, tenant }: ExportOptions): void {
  for (const name of withhold) {
    if (SECTIONS.has(name) && name !== 'facts') continue;
    const known = [...SECTIONS].filter((each) => each !== 'facts').join(', ');
    throw new LedgerError('invalid_value', `expected sections to withhold among ${known}, found another name`);
  }
  if (sample !== undefined) checkSample(sample);
  if (range !== undefined && tenant === DEPLOYMENT)
    throw new LedgerError('invalid_value', "expected no range: the deployment's log is exported whole");
}

async function readRangeOf(
  sql: postgres.Sql,
  log: SnapshotLog,
  { fromSeq, toSeq, fromMs, toMs }: RangeWish,
  isNewest: boolean,
): Promise<{ first: number; end: number }> {
  const length = log.tail + 1;
  // Sequences are about one log only; an older incarnation has sequences of its own.
  if ((fromSeq !== undefined || toSeq !== undefined) && !isNewest) return { first: 0, end: 0 };
  const first = Math.max(fromSeq ?? 0, fromMs === undefined ? 0 : await firstAt(sql, log.log, fromMs));
  const end = Math.min(length, (toSeq ?? length) + 1, toMs === undefined ? length : await firstAt(sql, log.log, toMs));
  return { first, end };
}

/** Sequence of the first entry at or after a time. */
async function firstAt(sql: postgres.Sql, log: string, timeMs: number): Promise<number> {
  const [row] = await sql<{ seq: string }[]>`select ledger.first_at(${log}, ${timeMs}) as seq`;
  return Number(row?.seq ?? 0);
}
