import type postgres from 'postgres';
import { LedgerError } from '../error.ts';
import type { KeyRing } from '../keyring.ts';
import { readEvents, textOf, utc } from './events.ts';
import type { EvidenceReport, ReportCell } from './report.ts';

/** What the entry of a signed-off review names. */
export interface ReviewedRange {
  readonly log: string;
  readonly first: number;
  readonly last: number;
  /** Hash of the last reviewed entry: the sign-off is about this history and no other. */
  readonly head: string;
}

/** Conclusions a review can have. */
export const REVIEW_CONCLUSIONS = ['nothing-found', 'followed-up', 'incident'] as const;

/** The verb in the facts of a sign-off, an entry of kind `access`. */
export const REVIEW_VERB = 'ledger.review';

/** Facts of a sign-off; they name nobody. */
export function reviewFacts(
  range: ReviewedRange,
  conclusion: (typeof REVIEW_CONCLUSIONS)[number],
): { readonly [name: string]: string | number } {
  return { verb: REVIEW_VERB, effect: 'allow', conclusion, ...range };
}

/**
 * The range a review is about, as it is in the newest log of a tenant.
 *
 * @param wanted inclusive; `last` absent: up to the newest entry
 * @throws {LedgerError} `unknown_tenant`, `invalid_value` for a range that is not there
 */
export async function reviewedRange(
  sql: postgres.Sql,
  tenant: string,
  wanted: { readonly first: number; readonly last?: number },
): Promise<ReviewedRange> {
  const [found] = await sql<{ log: string; seq: string; hash: string }[]>`
    select l.log, e.seq, encode(e.hash, 'hex') as hash from
      (select log from ledger.logs where tenant = ${tenant} order by inc desc limit 1) l
      join lateral (select seq, hash from ledger.entries x where x.log = l.log and x.seq <= ${wanted.last ?? Number.MAX_SAFE_INTEGER}
        order by x.seq desc limit 1) e on true`;
  if (found === undefined)
    throw new LedgerError('unknown_tenant', 'expected a tenant with entries, found none; has it made a call yet?');
  const last = Number(found.seq);
  if (wanted.first > last || (wanted.last !== undefined && wanted.last !== last))
    throw new LedgerError('invalid_value', `expected a range up to entry ${String(last)} at most, found a later one`);
  return { log: found.log, first: wanted.first, last, head: found.hash };
}

/** Which ranges were reviewed, by whom, and what was not. */
export async function reviewsReport(sql: postgres.Sql, keys: KeyRing, tenant: string): Promise<EvidenceReport> {
  const { log, last: tail } = await reviewedRange(sql, tenant, { first: 0 });
  const rows: ReportCell[][] = [];
  const reviewed: [number, number][] = [];
  for await (const { facts, detail, timeMs } of readEvents(sql, keys, tenant, ['access'])) {
    const { verb, first, last } = facts;
    if (verb !== REVIEW_VERB || typeof first !== 'number' || typeof last !== 'number') continue;
    rows.push([utc(timeMs), textOf(detail['by']), first, last, textOf(facts['conclusion']), textOf(detail['note'])]);
    if (facts['log'] === log) reviewed.push([first, last]);
  }
  return {
    name: 'reviews',
    title: `Log reviews of ${tenant}`,
    columns: ['signed off', 'by', 'first', 'last', 'conclusion', 'note'],
    rows,
    findings: missing(reviewed, tail).map(
      ([first, last]) => `Entries ${String(first)} to ${String(last)} were never reviewed.`,
    ),
    limits: ['How thoroughly somebody looked.', 'Reviews outside of the ledger.'],
  };
}

/** The ranges of [0, tail] that no review covers. */
function missing(reviewed: readonly [number, number][], tail: number): [number, number][] {
  const gaps: [number, number][] = [];
  let next = 0;
  for (const [first, last] of reviewed.toSorted(([a], [b]) => a - b)) {
    if (first > next) gaps.push([next, first - 1]);
    next = Math.max(next, last + 1);
  }
  return next <= tail ? [...gaps, [next, tail]] : gaps;
}
