import { randomBytes } from 'node:crypto';
import type { Sql } from 'postgres';
import type { GovernanceEvent } from '../../../gateway/access/events.ts';
import type { GrantStore } from '../../../gateway/access/grant.ts';
import type { KeyWish } from '../../../gateway/access/keys.ts';
import type { Party } from '../../../approvals/index.ts';

export const NO_BUDGET = { dailyNusd: null, weeklyNusd: null, monthlyNusd: null };

export function keyWish(over: Partial<KeyWish> = {}): KeyWish {
  return {
    tenant: 'demo',
    name: 'test key',
    agent: null,
    models: null,
    roles: ['caller'],
    groups: [],
    budget: NO_BUDGET,
    expiresMs: null,
    ...over,
  };
}

export function party(id: string, roles: readonly string[] = []): Party {
  return { id, credential: id, chain: [], roles, tenant: null };
}

export interface RecordingStore extends GrantStore {
  readonly events: GovernanceEvent[];
  readonly budgets: [scope: string, limits: object][];
}

export function recordingStore(sql: Sql, over: Partial<GrantStore> = {}): RecordingStore {
  const events: GovernanceEvent[] = [];
  const budgets: [string, object][] = [];
  return {
    sql,
    events,
    budgets,
    record: (event) => Promise.resolve(void events.push(event)),
    setBudget: (scope, limits) => Promise.resolve(void budgets.push([scope, limits])),
    random: randomBytes,
    now: () => Date.now(),
    newApprovalId: () => randomBytes(16).toString('hex'),
    approversByToken: () => false,
    ...over,
  };
}
