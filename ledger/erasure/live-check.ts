import type postgres from 'postgres';
import type { JsonValue } from '../canonical.ts';
import type { LogCheck } from '../verify/log-check.ts';
import { judgeErasures } from './check.ts';
import { namedKeys } from './prune-book.ts';
import type { PruneMatter } from './prune-book.ts';
import { judgePrunes } from './prune-check.ts';
import type { LeftBody } from './prune-check.ts';

/** One log of a tenant as it was checked. */
export interface CheckedLog {
  readonly log: string;
  readonly tail: number;
  readonly check: LogCheck;
}

const PAGE = 5000;
/** An erasure that is being carried out while we look is given this long. */
const PATIENCE_MS = 1000;

/**
 * Compares the keystore with the erasure entries of a tenant's logs: a key that is gone has to be named by one, and a key that is
 * named has to be gone. The keystore itself is asked, never what a process holds in memory.
 */
export async function checkErasures(sql: postgres.Sql, tenant: string, logs: readonly CheckedLog[]): Promise<void> {
  // A log that was not read to its end may hold orders nobody saw.
  if (logs.some(({ check }) => check.problem !== null)) return;
  const checks = logs.map(({ check }) => check.erasures);
  const sealed = [...new Set(checks.flatMap((check) => [...check.sealed.keys()]))];
  const stored = await storedKeys(sql, tenant, sealed);
  const isGone = (key: string): boolean => !stored.has(key);
  if (sealed.some(isGone)) await Promise.all(logs.map((log) => readNewer(sql, log)));
  const orders = checks.flatMap(({ newer }) => newer);
  const erased = judgeErasures(checks, isGone, new Set(orders.flatMap(namedBy)));
  const pruned = judgePrunes(checks, isGone);
  for (const { check } of logs) {
    const finding = erased.get(check.erasures) ?? pruned.findings.get(check.erasures);
    if (finding !== undefined) check.fail(finding.seq, finding);
  }
  await checkDone(sql, tenant, logs);
  await checkPruned(sql, logs, pruned.left);
}

async function checkDone(sql: postgres.Sql, tenant: string, logs: readonly CheckedLog[]): Promise<void> {
  const named = logs.flatMap(({ check }) => [...check.erasures.named.keys()]);
  let left = await storedKeys(sql, tenant, named);
  if (left.size > 0) {
    await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
    left = await storedKeys(sql, tenant, named);
  }
  for (const { check } of logs) {
    for (const [key, seq] of check.erasures.named) {
      if (!left.has(key)) continue;
      check.fail(seq, {
        problem: `this erasure says that key ${key} was destroyed, but the keystore holds it: the erasure was not carried out, or undone by a restore`,
      });
    }
  }
}

async function storedKeys(sql: postgres.Sql, tenant: string, refs: readonly string[]): Promise<ReadonlySet<string>> {
  const stored = new Set<string>();
  const asked = refs.filter((ref) => /^[0-9]{1,18}$|^1[0-9]{18}$/.test(ref));
  for (let from = 0; from < asked.length; from += PAGE) {
    const rows = await sql<{ id: string }[]>`
      select id::text as id from keystore.subject_keys
      where tenant = ${tenant} and id = any (string_to_array(${asked.slice(from, from + PAGE).join(',')}, ',')::bigint[])`;
    for (const { id } of rows) stored.add(id);
  }
  return stored;
}

/** What was ordered while the log was read. */
async function readNewer(sql: postgres.Sql, { log, tail, check }: CheckedLog): Promise<void> {
  const rows = await sql<{ seq: string; kind: string; facts: string }[]>`
    select seq, kind, facts from ledger.entries
    where log = ${log} and seq > ${tail} and kind in ('erasure', 'hold', 'prune') order by seq`;
  for (const { seq, kind, facts } of rows) check.erasures.newer.push({ seq: Number(seq), kind, facts: parse(facts) });
}

/** A prune entry that has been carried out leaves nothing; one that is being carried out may. */
async function checkPruned(sql: postgres.Sql, logs: readonly CheckedLog[], left: readonly LeftBody[]): Promise<void> {
  for (const { check: erasures, seq } of left) {
    const [row] = await sql`
      select 1 from ledger.entries e where e.log = ${erasures.log} and e.seq = ${seq} and (e.sealed is not null or e.content is not null)
        and not exists (select 1 from ledger.prunes d where d.target = e.log and d.reached < d.before)
        and exists (select 1 from ledger.prunes d where d.target = e.log and d.reached > e.seq)`;
    const check = row === undefined ? undefined : logs.find(({ log }) => log === erasures.log)?.check;
    check?.fail(seq, {
      problem: 'a prune entry says that its encrypted sections were removed, but they are there: undone by a restore',
    });
  }
}

function namedBy({ kind, facts }: PruneMatter): string[] {
  return kind === 'erasure' ? namedKeys(facts) : [];
}

function parse(facts: string): JsonValue {
  try {
    return JSON.parse(facts) as JsonValue;
  } catch {
    return null;
  }
}
