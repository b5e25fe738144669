import { randomBytes } from 'node:crypto';
import type { Sql } from 'postgres';
import { recordInto } from '../gateway/access/events.ts';
import { approversByToken, type GrantStore } from '../gateway/access/grant.ts';
import type { Config } from '../gateway/config.ts';
import { openLedger, setBudgetScope } from '../ledger/index.ts';
import { openKeys, type OpenDatabase } from './database.ts';
import type { VerbContext } from './verb.ts';

/** What creating and revoking keys needs. */
export interface KeyDesk extends GrantStore {
  readonly sql: Sql;
}

/** Runs work that changes keys: with a ledger of its own, because a change is recorded before it takes effect. */
export async function withKeyDesk<T>(
  context: Pick<VerbContext, 'project' | 'env' | 'now'>,
  config: Config,
  database: OpenDatabase,
  work: (desk: KeyDesk) => Promise<T>,
): Promise<T> {
  const sql = database.connectGateway(2);
  const ledger = await openLedger({
    sql,
    writerSql: database.connectGateway(1),
    keys: await openKeys(context, config, sql),
    origin: config.ledger.origin,
    now: context.now,
    leaseMs: config.ledger.leaseMs,
    // Closing the calls of dead processes is the business of those that serve.
    recoverMs: 0,
  });
  try {
    return await work({
      sql,
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
