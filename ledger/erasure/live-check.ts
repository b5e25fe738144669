import type postgres from 'postgres';
import type { JsonValue } from '../canonical.ts';
import type { LogCheck } from '../verify/log-check.ts';
import { judgeErasures, namedKeys } from './check.ts';

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
  const orders = sealed.every((key) => stored.has(key)) ? [] : await Promise.all(logs.map((log) => newer(sql, log)));
  const findings = judgeErasures(checks, isGone, new Set(orders.flat()));
  for (const { check } of logs) {
    const finding = findings.get(check.erasures);
    if (finding !== undefined) check.fail(finding.seq, finding);
  }
  await checkDone(sql, tenant, logs);
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

/** Keys named by erasures that came while the log was read. */
async function newer(sql: postgres.Sql, { log, tail }: CheckedLog): Promise<string[]> {
  const rows = await sql<{ facts: string }[]>`
    select facts from ledger.entries where log = ${log} and seq > ${tail} and kind = 'erasure'`;
  return rows.flatMap(({ facts }) => namedKeys(parse(facts)));
}

function parse(facts: string): JsonValue {
  try {
    return JSON.parse(facts) as JsonValue;
  } catch {
    return null;
  }
}
