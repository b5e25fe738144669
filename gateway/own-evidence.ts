/**
 * Evidence about the deployment itself: which migrations were applied, what a configuration says, and who has which roles by
 * it. Each is recorded once for the same content, whichever process finds it first; `start`, `reload` and `policy` entries say
 * since when it is in force.
 */
import { createHash } from 'node:crypto';
import type { Sql } from 'postgres';
import { DEPLOYMENT, LedgerError, type EntryKind, type JsonValue, type Ledger } from '../ledger/index.ts';
import type { Config } from './config.ts';
import type { Current } from './services.ts';

interface OwnParts {
  readonly sql: Sql;
  readonly ledger: Pick<Ledger, 'append'>;
}

/** The configuration that a digest names, without its secrets, and the roles it gives to holders of tokens. */
export async function recordConfiguration(
  { ledger }: Pick<OwnParts, 'ledger'>,
  { config, configDigest }: Pick<Current, 'config' | 'configDigest'>,
): Promise<void> {
  await recordOnce(ledger, 'config', configDigest, { config: configDigest }, { text: config.printable });
  const roles = rolesByToken(config);
  await recordOnce(ledger, 'role', digestOf(roles), { config: configDigest, issuers: roles }, roleMaps(config));
}

/** Which roles an issuer's tokens can carry; the names of groups in them stay in the encrypted part. */
function rolesByToken({ issuers }: Config): JsonValue[] {
  return issuers.map(({ name, defaultRoles, roleMap }) => ({
    issuer: name,
    default_roles: [...defaultRoles].toSorted(),
    roles: [...new Set([...roleMap.values()].flat())].toSorted(),
  }));
}

function roleMaps({ issuers }: Config): { [issuer: string]: JsonValue } {
  return Object.fromEntries(
    issuers.map(({ name, roleMap }) => [
      name,
      Object.fromEntries([...roleMap].map(([value, roles]) => [value, [...roles]])),
    ]),
  );
}

/** Every migration of the database that the ledger has not been told of yet. */
export async function recordMigrations({ sql, ledger }: OwnParts): Promise<void> {
  const rows = await sql<{ name: string; checksum: string; ms: number }[]>`
    select a.name, a.checksum, (extract(epoch from a.applied_at) * 1000)::float8 as ms from migrations.applied a
    where not exists (
      select 1 from ledger.entries e join ledger.logs l on l.log = e.log
      where l.tenant = ${DEPLOYMENT} and e.call = ${EVENT_PREFIX.migration} || left(a.checksum, ${DIGEST_CHARS})
        and e.class = 'event')
    order by a.name`;
  for (const { name, checksum, ms } of rows)
    await recordOnce(ledger, 'migration', checksum, { name, checksum, applied_ms: Math.round(ms) }, {});
}

const EVENT_PREFIX = { migration: 'migration.', config: 'config.', role: 'role.' } as const;
/** An id has 64 characters at most. */
const DIGEST_CHARS = 48;

/** The id is made of the content: the ledger itself refuses to say the same thing twice. */
async function recordOnce(
  ledger: OwnParts['ledger'],
  kind: Extract<EntryKind, keyof typeof EVENT_PREFIX>,
  digest: string,
  facts: { readonly [name: string]: JsonValue },
  detail: { readonly [name: string]: JsonValue },
): Promise<void> {
  const call = `${EVENT_PREFIX[kind]}${digest.slice(0, DIGEST_CHARS)}`;
  const sections = { facts: { ...facts }, detail: { ...detail } };
  try {
    await ledger.append({ tenant: DEPLOYMENT, kind, class: 'event', call, subject: null, sections });
  } catch (error) {
    if (!(error instanceof LedgerError && error.code === 'duplicate')) throw error;
  }
}

function digestOf(value: JsonValue): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
