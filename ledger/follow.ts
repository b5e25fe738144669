import type postgres from 'postgres';
import type { JsonValue } from './canonical.ts';
import type { KeyRing } from './keyring.ts';
import { openSections } from './sections.ts';
import { readEntries } from './stored.ts';

/** A decision as whoever follows a log gets it. */
export interface FollowedDecision {
  readonly log: string;
  readonly seq: number;
  readonly call: string;
  readonly timeMs: number;
  readonly facts: JsonValue;
  /** Null: there is none, or its key is gone. */
  readonly input: JsonValue | null;
  readonly erased: boolean;
}

export interface FollowedLog {
  readonly log: string;
  readonly end: number;
}

/** The logs of a tenant, oldest incarnation first, with the sequence after their last entry. */
export async function followedLogs(sql: postgres.Sql, tenant: string): Promise<FollowedLog[]> {
  const rows = await sql<{ log: string; seq: string | null }[]>`
    select l.log, e.seq from ledger.logs l
    left join lateral (select seq from ledger.entries x where x.log = l.log order by x.seq desc limit 1) e on true
    where l.tenant = ${tenant} order by l.inc`;
  return rows.map(({ log, seq }) => ({ log, end: seq === null ? 0 : Number(seq) + 1 }));
}

/** The decisions of [from, end) of a log, in order. Not checked against the chain: `ledger verify` and exports do that. */
export async function* followDecisions(
  sql: postgres.Sql,
  keys: KeyRing,
  tenant: string,
  { log, from, end }: FollowedLog & { readonly from: number },
): AsyncGenerator<FollowedDecision> {
  if (from >= end) return;
  for await (const entry of readEntries(sql, log, from, end - 1, false)) {
    if (entry.kind !== 'decision') continue;
    const { sections, erased } = await openSections({ ...entry, content: null }, tenant, keys);
    const { seq, call, timeMs, facts } = entry;
    const input = JSON.parse(sections.get('input')?.text ?? 'null') as JsonValue;
    yield { log, seq, call, timeMs, facts: JSON.parse(facts) as JsonValue, input, erased };
  }
}
