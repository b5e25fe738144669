import type { Sql } from 'postgres';
import { expect } from 'vitest';
import { recordedCall } from '../../gateway/recorded.ts';
import { readRecorded } from '../../ledger/index.ts';
import type { KeyRing, RecordedRange } from '../../ledger/index.ts';
import { findBundle, findParameters, replayCalls } from '../../policies/index.ts';
import type { RecordedCall, ReplayReport } from '../../policies/index.ts';

/** Every call of a tenant as the ledger holds it. */
export async function* recordedCalls(
  sql: Sql,
  keys: KeyRing,
  tenant: string,
  ranges: RecordedRange[] = [],
): AsyncGenerator<RecordedCall> {
  const span = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
  const entries = readRecorded(sql, keys, { tenant, ...span, onRange: (range) => ranges.push(range) });
  for await (const entry of entries) yield recordedCall(entry);
}

/** Decides a tenant's recorded calls again with the bundles and parameters the database keeps. */
function replayStored(sql: Sql, keys: KeyRing, tenant: string, ranges: RecordedRange[]): Promise<ReplayReport> {
  const sources = {
    findBundle: (digest: string, name: string) => findBundle(sql, digest, name),
    findParameters: (digest: string) => findParameters(sql, digest),
  };
  return replayCalls({ calls: recordedCalls(sql, keys, tenant, ranges), sources, change: null });
}

/** Every decided call of every tenant replays bit for bit. */
export async function expectDecisionsReplay(sql: Sql, keys: KeyRing, tenants: Iterable<string>): Promise<void> {
  for (const tenant of tenants) {
    const ranges: RecordedRange[] = [];
    const { calls, problems, reproduction } = await replayStored(sql, keys, tenant, ranges);
    const [stored] = await sql<{ count: string }[]>`
      select count(*) from ledger.entries e join ledger.logs l using (log) where l.tenant = ${tenant} and e.kind = 'decision'`;
    expect(ranges.map(({ problem }) => problem)).toEqual(ranges.map(() => null));
    expect(calls).toBe(Number(stored?.count));
    expect(problems).toEqual([]);
    expect(reproduction).toMatchObject({ mismatch: 0, other_runtime: 0, missing: 0 });
  }
}
