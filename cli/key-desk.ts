import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Sql } from 'postgres';
import type { Party } from '../approvals/index.ts';
import { recordInto } from '../gateway/access/events.ts';
import { approversByToken, type GrantStore } from '../gateway/access/grant.ts';
import type { Config } from '../gateway/config.ts';
import {
  createHeadStore,
  openLedger,
  setBudgetScope,
  type KeyRing,
  type Ledger,
  type LedgerOptions,
} from '../ledger/index.ts';
import { openKeys, withDatabase, type OpenDatabase } from './database.ts';
import { withMemories } from './memories.ts';
import type { VerbContext } from './verb.ts';

/** What changes of keys, holds and erasures need. */
export interface KeyDesk extends GrantStore {
  readonly sql: Sql;
  readonly ledger: Ledger;
  readonly keys: KeyRing;
}

/** Runs work that changes keys: with a ledger of its own, because a change is recorded before it takes effect. */
export async function withKeyDesk<T>(
  context: Pick<VerbContext, 'project' | 'env' | 'now'>,
  config: Config,
  database: OpenDatabase,
  work: (desk: KeyDesk) => Promise<T>,
): Promise<T> {
  const sql = database.connectGateway(2);
  const keys = await openKeys(context, config, sql);
  const ledger = await openOwnLedger(context, config, { sql, writerSql: database.connectGateway(1), keys });
  try {
    return await work({
      sql,
      ledger,
      keys,
      record: recordInto(ledger, () => `cli-${randomBytes(16).toString('hex')}`),
      setBudget: async (scope, { dailyNusd, weeklyNusd, monthlyNusd }) => {
        await setBudgetScope(sql, { scope, day: dailyNusd, week: weeklyNusd, month: monthlyNusd });
      },
      random: randomBytes,
      now: context.now,
      newApprovalId: () => randomBytes(16).toString('hex'),
      approversByToken: () => approversByToken(config),
    });
  } finally {
    await ledger.close();
  }
}

/** What the command line reads of recorded calls is evidence like any other reading, before it is read. */
export function recordReading({ record }: Pick<KeyDesk, 'record'>, tenant: string, verb: string): Promise<void> {
  return record({ kind: 'access', tenant, facts: readingFacts(verb), detail: { by: operator() } });
}

function readingFacts(verb: string): { [name: string]: string | null } {
  return { verb, target: null, effect: 'allow', code: null };
}

/** Reads something of the ledger; the entry about it comes first. @param tenant whose log it is about */
export function withReading<T>(
  context: VerbContext,
  reading: { readonly tenant: string; readonly verb: string },
  work: (desk: KeyDesk) => Promise<T>,
): Promise<T> {
  const config = context.project.config();
  return withDatabase(context, config, (database) =>
    withKeyDesk(context, config, database, async (desk) => {
      await recordReading(desk, reading.tenant, reading.verb);
      return work(desk);
    }),
  );
}

/**
 * Records a look at the ledger as a whole once it was taken and before it is shown: what was found is in the entry, and a ledger that
 * cannot be written to, or that was tampered with, is looked at as it is.
 */
export async function recordLook(
  context: VerbContext,
  database: OpenDatabase,
  facts: { readonly verb: string; readonly verdict?: string },
): Promise<void> {
  try {
    await withKeyDesk(context, context.project.config(), database, ({ record }) => {
      const said = { ...readingFacts(facts.verb), ...facts };
      return record({ kind: 'access', tenant: '_deployment', facts: said, detail: { by: operator() } });
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : 'the ledger is not there';
    context.out.note(`No entry about this look could be written: ${why}`);
  }
}

/** A ledger for one verb, which looks at what is kept outside before it writes. */
export function openOwnLedger(
  context: Pick<VerbContext, 'project' | 'now'>,
  config: Config,
  { sql, writerSql, keys }: Pick<LedgerOptions, 'sql' | 'writerSql' | 'keys'>,
): Promise<Ledger> {
  const { origin, leaseMs, checkpoints } = config.ledger;
  const heads = createHeadStore(context.project.path(checkpoints));
  // Closing the calls of dead processes is the business of those that serve.
  const options = { sql, writerSql, keys, origin, heads, now: context.now, leaseMs, recoverMs: 0 };
  return withMemories(context, config, (outside) => openLedger({ ...options, outside }));
}

/** Whoever may run this has the database; the name is for the evidence. Some containers have users without a name. */
export function operator(): string {
  try {
    return `cli:${userInfo().username}`;
  } catch {
    return `cli:uid-${String(process.getuid?.() ?? 'unknown')}`;
  }
}

/** Whoever has the command line as a party of approvals: can ask, and cannot approve. */
export function operatorParty(id: string): Party {
  return { id, credential: id, chain: [], roles: [], tenant: null };
}
