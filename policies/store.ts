import { hash } from 'node:crypto';
import type postgres from 'postgres';
import { z } from 'zod';
import { loadBundle } from './bundle.ts';
import type { Bundle } from './bundle.ts';
import { PolicyError } from './errors.ts';
import type { JsonValue } from './input.ts';
import type { Pdp } from './pdp.ts';

/**
 * The bundles and parameters that ever decided, by the digests entries name them with. Written before they decide; what is
 * read is checked against its digest, so nothing here has to be trusted.
 */

/** Keeps what a decision point decides with, as far as it is not there yet. Several processes may store the same at once. */
export async function storeDecisive(
  sql: postgres.Sql,
  { bundles, parametersText }: Pick<Pdp, 'bundles' | 'parametersText'>,
): Promise<void> {
  for (const { identity, archive } of bundles) await put(sql, 'bundle', identity.digest, archive);
  const text = Buffer.from(parametersText);
  await put(sql, 'parameters', hash('sha256', text, 'hex'), text);
}

/** Keeps a bundle that is to decide one day. */
export async function storeBundle(sql: postgres.Sql, { identity, archive }: Bundle): Promise<void> {
  await put(sql, 'bundle', identity.digest, archive);
}

/** Asked first: most starts find everything there, and the bytes need not be sent. */
async function put(sql: postgres.Sql, kind: string, digest: string, bytes: Uint8Array): Promise<void> {
  const known = await sql`select 1 from policy.store where kind = ${kind} and digest = ${digest}`;
  if (known.length > 0) return;
  await sql`insert into policy.store (kind, digest, bytes) values (${kind}, ${digest}, ${bytes}) on conflict do nothing`;
}

/** The bundle that entries name with this digest; null when it was never stored. Throws PolicyError `invalid_bundle`. */
export async function findBundle(sql: postgres.Sql, digest: string, name: string): Promise<Bundle | null> {
  const bytes = await get(sql, 'bundle', digest);
  if (bytes === null) return null;
  const bundle = loadBundle(bytes, name);
  if (bundle.identity.digest === digest) return bundle;
  throw damaged(`bundle ${digest}`, bundle.identity.digest);
}

const parametersSchema = z.record(z.string(), z.json());

/** All tenants' parameters (data.tenants) with this digest; null when they were never stored. Throws PolicyError `invalid_parameters`. */
export async function findParameters(
  sql: postgres.Sql,
  digest: string,
): Promise<Readonly<Record<string, JsonValue>> | null> {
  const bytes = await get(sql, 'parameters', digest);
  if (bytes === null) return null;
  const found = hash('sha256', bytes, 'hex');
  if (found !== digest) throw damaged(`parameters ${digest}`, found);
  return parametersSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
}

async function get(sql: postgres.Sql, kind: string, digest: string): Promise<Uint8Array | null> {
  const [row] = await sql<{ bytes: Buffer }[]>`
    select bytes from policy.store where kind = ${kind} and digest = ${digest}`;
  return row?.bytes ?? null;
}

function damaged(expected: string, found: string): PolicyError {
  return new PolicyError(
    'invalid_bundle',
    `expected ${expected} in the policy store, found ${found}; its bytes were changed: restore the table from a backup`,
  );
}
