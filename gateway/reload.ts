/** Which configuration and which policies are in force, and since when: entries of the deployment log. */
import { randomUUID } from 'node:crypto';
import type { Sql } from 'postgres';
import type { JsonValue, KeyRing, Ledger } from '../ledger/index.ts';
import { DEPLOYMENT } from '../ledger/index.ts';
import { storeDecisive } from '../policies/index.ts';
import { recordInto } from './access/events.ts';
import { applyBudgets } from './budgets.ts';
import { recordConfiguration } from './own-evidence.ts';
import type { Config } from './config.ts';
import { configDigest, planReload } from './config.ts';
import type { CurrentOptions } from './current.ts';
import { buildCurrent } from './current.ts';
import { GatewayError } from './errors.ts';
import type { CallLog } from './log.ts';
import type { Current } from './services.ts';

/** What a reload works on. */
export interface Reloadable {
  readonly sql: Sql;
  readonly ledger: Ledger;
  readonly keys: KeyRing;
  readonly services: { readonly log: CallLog };
  readonly current: () => Current;
  readonly replace: (next: Current) => void;
}

/**
 * Replaces the configuration, all of it or nothing. The entry comes first: a configuration that cannot be recorded is
 * not used. Bundles are read again even when the configuration is the same text: their files may have changed.
 *
 * @throws GatewayError `conflict` when only a restart can apply it; whatever makes its policies unusable, after an entry
 */
export function reload(parts: Reloadable, options: CurrentOptions, config: Config): Promise<void> {
  return oneAfterTheOther(parts, () => reloadNow(parts, options, config));
}

/** Builds what was released into the policies that decide; a call under way ends with those it began with. */
export function followReleases(parts: Reloadable, options: CurrentOptions): Promise<void> {
  return oneAfterTheOther(parts, async () => {
    const next = await build(parts, options, parts.current().configured);
    await storeDecisive(parts.sql, next.pdp);
    parts.replace(next);
    parts.services.log.info('released', { bundles: next.pdp.bundles.length });
  });
}

const changes = new WeakMap<Reloadable['replace'], Promise<unknown>>();

/** Each change builds on the state the one before it left. */
async function oneAfterTheOther(parts: Reloadable, change: () => Promise<void>): Promise<void> {
  const before = changes.get(parts.replace);
  const done = (before ?? Promise.resolve()).then(change, change);
  changes.set(parts.replace, done);
  await done;
}

async function reloadNow(parts: Reloadable, options: CurrentOptions, config: Config): Promise<void> {
  const plan = planReload(parts.current().configured, config);
  if (plan.outcome === 'refused') {
    throw new GatewayError(
      'conflict',
      `These settings need a restart: ${plan.restartNeeded.join(', ')}. Nothing was changed.`,
    );
  }
  const next = await build(parts, options, config);
  const changed = [...(plan.outcome === 'apply' ? plan.changed : []), ...changedBundles(parts.current(), next)];
  if (changed.length === 0) return;
  for (const tenant of config.tenants.keys()) await parts.keys.tenantKey(tenant);
  await recordEvent(parts.ledger, 'reload', { config: next.configDigest, changed });
  await recordConfiguration(parts, next);
  await recordPolicies(parts, next);
  await applyBudgets(parts.sql, config, recordInto(parts.ledger, randomUUID));
  parts.replace(next);
  parts.services.log.info('reload', { changed: changed.length });
}

async function build(parts: Reloadable, options: CurrentOptions, config: Config): Promise<Current> {
  try {
    return await buildCurrent(config, options);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const facts = { action: 'refused', code, config: configDigest(config), in_force: parts.current().configDigest };
    await recordEvent(parts.ledger, 'policy', facts, { reason: error instanceof Error ? error.message : code });
    throw error;
  }
}

/** Names of bundles with new content, as key paths of the configuration. */
function changedBundles(before: Current, after: Current): string[] {
  const known = new Map([...before.bundles.values()].flat().map(({ name, digest }) => [name, digest]));
  const changed = [...after.bundles.values()]
    .flat()
    .filter(({ name, digest }) => known.has(name) && known.get(name) !== digest)
    .map(({ name }) => `policies.bundles.${name}`);
  return [...new Set(changed)].toSorted();
}

/** The policies in force from now on: every later decision names these digests, and what they stand for is kept. */
export async function recordPolicies(
  { sql, ledger }: Pick<Reloadable, 'sql' | 'ledger'>,
  { config, pdp, configDigest: digest }: Current,
): Promise<void> {
  await storeDecisive(sql, pdp);
  const tenants = [...config.tenants.values()];
  const names = new Set(tenants.flatMap((tenant) => tenant.policies));
  const facts = {
    action: 'active',
    bundles: pdp.identities([...names].sort()).map((bundle) => ({ ...bundle })),
    combiner: pdp.combinerVersion,
    runtime: pdp.runtime,
    config: digest,
  };
  const parameters = Object.fromEntries(tenants.map((tenant) => [tenant.id, { ...tenant.parameters }]));
  await recordEvent(ledger, 'policy', facts, { tenant_data: parameters });
}

/** An entry about the process itself. */
export async function recordEvent(
  ledger: Ledger,
  kind: 'start' | 'stop' | 'policy' | 'reload',
  facts: JsonValue,
  detail: JsonValue = {},
): Promise<void> {
  await ledger.append({
    tenant: DEPLOYMENT,
    kind,
    class: 'event',
    call: randomUUID(),
    subject: null,
    sections: { facts, detail },
  });
}
