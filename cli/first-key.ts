import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { grantKey } from '../gateway/access/grant.ts';
import { listKeys } from '../gateway/access/keys.ts';
import type { Role } from '../gateway/access/principal.ts';
import type { Config } from '../gateway/config.ts';
import type { OpenDatabase } from './database.ts';
import { writeWhole } from './embedded/files.ts';
import { withKeyDesk } from './key-desk.ts';
import type { VerbContext } from './verb.ts';

const PREFERRED_TENANT = 'demo';

/** Enough for the whole first tour with one key: call, read the evidence of one's calls, read what they cost. */
const ROLES: readonly Role[] = ['caller', 'auditor', 'finance'];

/**
 * Makes the first API key of an installation that never had one, in a file only its owner can read.
 * @returns the file, or null when there is none (a database of the operator's own, or keys made otherwise)
 */
export async function ensureFirstKey(
  context: VerbContext,
  config: Config,
  database: OpenDatabase,
): Promise<string | null> {
  const file = join(context.project.stateDir, 'first-key');
  // A database that was begun anew knows no keys: the file of the old one is of no use then.
  const unknown = (await listKeys(database.sql, { tenant: null })).length === 0;
  if (existsSync(file) && !unknown) return file;
  const tenant = config.tenants.has(PREFERRED_TENANT) ? PREFERRED_TENANT : config.tenants.keys().next().value;
  if (config.database.url !== null || tenant === undefined || !unknown) return null;
  const wish = {
    tenant,
    name: 'first key',
    agent: null,
    models: null,
    roles: ROLES,
    groups: [],
    budget: { dailyNusd: null, weeklyNusd: null, monthlyNusd: null },
    expiresMs: null,
  };
  const by = { id: 'cli:up', credential: 'cli:up', chain: [], roles: [], tenant: null };
  const granted = await withKeyDesk(context, config, database, (desk) => grantKey(desk, wish, by, 'bootstrap'));
  if (granted.outcome !== 'created') return null;
  writeWhole(file, `${granted.created.token}\n`, 0o600);
  return file;
}
