import type postgres from 'postgres';
import type { EvidenceReport } from './report.ts';

/** Writers whose entries are looked at: the newest of each log. */
const NEWEST = 100_000;
/** More than group commit and a busy database explain. */
const SKEW_MS = 5000;

/** What the host says about its clock. */
export interface HostClock {
  /** Unix ms of this process. */
  readonly nowMs: number;
  /** What keeps it right, e.g. `systemd-timesyncd, synchronised`; null when the host does not say. */
  readonly source: string | null;
}

/** How far the clocks of writers and database were apart, and what keeps this host's clock right. */
export async function clockReport(sql: postgres.Sql, host: HostClock): Promise<EvidenceReport> {
  const [database] = await sql<{ ms: number }[]>`select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`;
  const rows = await sql<{ wid: string; entries: number; least: number; most: number; mean: number }[]>`
    select wid, count(*)::int as entries, min(d)::float8 as least, max(d)::float8 as most, round(avg(d))::float8 as mean
    from ledger.logs l cross join lateral (
      select wid, dbt - t as d from ledger.entries e where e.log = l.log order by e.seq desc limit ${NEWEST}) x
    group by wid order by wid`;
  const apart = Math.round((database?.ms ?? host.nowMs) - host.nowMs);
  const findings = rows
    .filter(({ least, most }) => least < -SKEW_MS || most > SKEW_MS)
    .map(
      ({ wid, least, most }) =>
        `Writer ${wid} was between ${String(least)} and ${String(most)} ms behind the database.`,
    );
  if (host.source === null) findings.unshift('This host does not say what keeps its clock right.');
  if (Math.abs(apart) > SKEW_MS) findings.unshift(`The database is ${String(apart)} ms ahead of this host.`);
  return {
    name: 'clock',
    title: `Clocks: this host (${host.source ?? 'source unknown'}), database ${String(apart)} ms ahead`,
    columns: ['writer', 'entries', 'least ms', 'mean ms', 'most ms'],
    rows: rows.map(({ wid, entries, least, mean, most }) => [wid, entries, least, mean, most]),
    findings,
    limits: [
      'Differences are database time minus writer time of each entry; waiting in a batch counts as a difference.',
      'Whether both clocks were wrong together: a timestamp authority over a checkpoint shows that (docs/anchors.md).',
    ],
  };
}
