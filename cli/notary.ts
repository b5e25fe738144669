import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Sql } from 'postgres';
import type { Config } from '../gateway/config.ts';
import {
  createCheckpointKey,
  createHeadStore,
  readCheckpointKey,
  startNotary,
  type LedgerError,
  type NotaryOptions,
  type RepeatedJob,
} from '../ledger/index.ts';
import type { OpenDatabase } from './database.ts';
import { CliError } from './errors.ts';
import type { VerbContext } from './verb.ts';

/** Login of the notary: a plain member of cs_notary, whose password no gateway knows. */
export const NOTARY_URL = 'COUNTERSIGN_NOTARY_DATABASE_URL';

const POLL_MS = 1000;

type Place = Pick<VerbContext, 'project' | 'out' | 'now'>;

/** The key is made by the first notary, not by the first gateway: who serves need not be able to read it. */
export async function openNotary({ project, out, now }: Place, config: Config, sql: Sql): Promise<NotaryOptions> {
  const path = project.path(config.ledger.checkpointKey);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (await createCheckpointKey(path)) out.note(`Made the checkpoint key ${path}: keep a copy apart from the gateway.`);
  return {
    sql,
    key: await readCheckpointKey(path),
    heads: createHeadStore(project.path(config.ledger.checkpoints)),
    now,
  };
}

/** Signs checkpoints until it is closed. */
export function runNotary(options: NotaryOptions, { out }: Place): RepeatedJob {
  let last = '';
  const onError = ({ code, message }: LedgerError): void => {
    // The same failure comes with every look until it is over.
    if (code !== last) out.note(`Checkpoints (${code}): ${message}`);
    last = code;
  };
  return startNotary({ ...options, pollMs: POLL_MS, onError });
}

/**
 * The embedded database belongs to one host and one account, so the notary is a part of the server there. With a database of
 * its own it is another process under another account: a gateway that can read the key is told so.
 */
export async function serveNotary(place: Place, config: Config, database: OpenDatabase): Promise<RepeatedJob | null> {
  if (config.database.url === null) return runNotary(await openNotary(place, config, database.connectNotary()), place);
  const path = place.project.path(config.ledger.checkpointKey);
  if (existsSync(path))
    place.out.note(`The checkpoint key ${path} is within reach of this gateway: give it to the account of the notary.`);
  return null;
}

/** @throws CliError `refused_role` unless the login can do what the notary does, and nothing a gateway does */
export async function checkNotaryRole(sql: Sql): Promise<void> {
  const [rights] = await sql<{ name: string; notary: boolean; more: boolean }[]>`
    select current_user as name,
      coalesce((select pg_has_role(current_user, oid, 'USAGE') from pg_roles where rolname = 'cs_notary'), false) as notary,
      (select rolsuper from pg_roles where rolname = current_user) or coalesce((select bool_or(pg_has_role(current_user, oid, 'MEMBER'))
        from pg_roles where rolname in ('cs_owner', 'cs_append', 'cs_gateway')), false) as more`;
  if (rights?.notary === true && !rights.more) return;
  throw new CliError(
    'refused_role',
    `Expected the login of ${NOTARY_URL} to be a plain member of cs_notary, found ${rights?.name ?? 'unknown'}, which is not, or is more. ` +
      "Create one: create role my_notary login password '…' in role cs_notary.",
  );
}
