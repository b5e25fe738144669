/**
 * From the parsed file to the typed configuration. What the schema cannot say is checked here: names that refer to
 * other parts of the file, duplicates, and combinations. All problems are collected, not only the first.
 */
import type { PriceOverride } from '../../costs/index.ts';
import { DEPLOYMENT_TENANT } from '../access/principal.ts';
import type { Deployment } from '../upstream/upstream.ts';
import { isLoopbackHost, normaliseEndpoint } from './endpoint.ts';
import { resolveDecisionLogs } from './resolve-decision-logs.ts';
import { canonicalMembers, secretFree } from './printable.ts';
import type { Report } from './problem.ts';
import { checkTenantPolicies, resolveBundles } from './resolve-bundles.ts';
import type { BudgetFile, ConfigFile, ProviderFile } from './schema.ts';
import type { BudgetLimits, Config, JwtIssuer, ModelRoute, Tenant } from './types.ts';

export function resolveConfig(file: ConfigFile, report: Report): Config {
  if (file.database.url !== undefined && file.keys === undefined) {
    report(['keys'], 'a key provider, because database.url is set', 'nothing');
  }
  const models = resolveModels(file, report);
  const { listen, limits, timeouts } = file;
  return {
    listen: {
      host: listen.host,
      port: listen.port,
      adminHost: listen.admin_host,
      adminPort: listen.admin_port,
      publicUrl: listen.public_url === undefined ? null : normaliseEndpoint(listen.public_url),
      adminHostnames: listen.admin_hostnames.map((name) => name.toLowerCase()),
      presidioHost: listen.presidio_host,
      presidioPort: listen.presidio_port ?? null,
    },
    database: { url: file.database.url ?? null, maxConnections: file.database.max_connections },
    keys: file.keys ?? { provider: 'file', path: '.countersign/keys', variable: 'COUNTERSIGN_ROOT_KEY' },
    models,
    deployments: new Map([...models.values()].flatMap((route) => route.deployments.map((d) => [d.id, d] as const))),
    tenants: resolveTenants(file, models, report),
    ...resolveBundles(file, report),
    organisation: { budget: resolveBudget(file.organisation.budget) },
    redaction: resolveRedaction(file.redaction),
    issuers: resolveIssuers(file, report),
    limits: {
      bodyBytes: limits.body_bytes,
      decompressedBytes: limits.decompressed_bytes,
      headerCount: limits.header_count,
      headerBytes: limits.header_bytes,
      concurrentRequests: limits.concurrent_requests,
      outputCapTokens: limits.output_cap_tokens,
    },
    timeouts: {
      connectMs: timeouts.connect_ms,
      firstByteMs: timeouts.first_byte_ms,
      idleMs: timeouts.idle_ms,
      appendMs: timeouts.append_ms,
      drainMs: timeouts.drain_ms,
    },
    retries: { maxAttempts: file.retries.max_attempts, backoffMs: file.retries.backoff_ms },
    priceOverrides: resolvePrices(file, report),
    decisionLogs: resolveDecisionLogs(file, report),
    logging: file.logging,
    trustedProxies: file.trusted_proxies,
    ledger: {
      origin: file.ledger.origin,
      leaseMs: file.ledger.lease_ms,
      epochBusyMs: file.ledger.epoch_busy_ms,
      epochIdleMs: file.ledger.epoch_idle_ms,
      checkpointKey: file.ledger.checkpoint_key,
      checkpoints: file.ledger.checkpoints,
      witnesses: file.ledger.witnesses ?? null,
      authorities: Object.entries(file.ledger.tsa).map(([name, { url, every_ms: everyMs, certificates }]) => ({
        name,
        url,
        everyMs,
        certificates: certificates ?? null,
      })),
      archive: resolveArchive(file.ledger.archive),
    },
    printable: secretFree(file),
  };
}

/** "12.5" US dollars as nano-USD, exactly. @param usd matches `^\d{1,9}(\.\d{1,9})?$` */
export function nusdFromDecimal(usd: string): bigint {
  const [units = '0', fraction = ''] = usd.split('.');
  return BigInt(units) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}

function resolveArchive(archive: ConfigFile['ledger']['archive']): Config['ledger']['archive'] {
  if (archive === undefined) return null;
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, every_ms: everyMs, ...rest } = archive;
  const { lock_days: lockDays, url, ...same } = rest;
  return { ...same, url: normaliseEndpoint(url), accessKeyId, secretAccessKey, everyMs, lockDays };
}

function resolveRedaction(redaction: ConfigFile['redaction']): Config['redaction'] {
  return {
    profile: redaction.profile,
    presidioRecognizers: redaction.presidio_recognizers,
    remoteAnalyzers: Object.entries(redaction.remote_analyzers).map(([name, analyzer]) => ({
      name,
      url: normaliseEndpoint(analyzer.url),
      apiKey: analyzer.api_key ?? null,
      language: analyzer.language,
      entities: analyzer.entities,
      minScore: analyzer.min_score,
      timeoutMs: analyzer.timeout_ms,
      maxChars: analyzer.max_chars,
    })),
  };
}

function resolveBudget(budget: BudgetFile): BudgetLimits {
  const amount = (usd: string | undefined): bigint | null => (usd === undefined ? null : nusdFromDecimal(usd));
  return {
    dailyNusd: amount(budget.daily_usd),
    weeklyNusd: amount(budget.weekly_usd),
    monthlyNusd: amount(budget.monthly_usd),
  };
}

function resolveModels(file: ConfigFile, report: Report): Map<string, ModelRoute> {
  const models = new Map<string, ModelRoute>();
  const facts = new Map<string, string>();
  for (const [index, model] of file.models.entries()) {
    if (models.has(model.name)) report(['models', index, 'name'], 'a name used once', 'a name used before');
    const deployments: Deployment[] = [];
    for (const [at, wanted] of model.deployments.entries()) {
      const path = ['models', index, 'deployments', at];
      const provider = Object.hasOwn(file.providers, wanted.provider) ? file.providers[wanted.provider] : undefined;
      if (provider === undefined) {
        report(
          [...path, 'provider'],
          `one of ${Object.keys(file.providers).join(', ')}`,
          'a provider that is not configured',
        );
        continue;
      }
      const deployment = resolveDeployment(provider, wanted);
      const { apiKey: _secret, ...comparable } = deployment;
      const same = JSON.stringify(comparable);
      // Entries name a deployment by its id alone, so one id must always mean the same facts.
      if ((facts.get(deployment.id) ?? same) !== same) {
        report(path, `the same facts wherever ${deployment.id} is used`, 'different ones');
      }
      if (deployments.some((other) => other.id === deployment.id))
        report(path, 'each deployment once', 'a repeated one');
      facts.set(deployment.id, same);
      deployments.push(deployment);
    }
    models.set(model.name, { name: model.name, strategy: model.strategy, deployments });
  }
  return models;
}

function resolveDeployment(
  provider: ProviderFile,
  wanted: ConfigFile['models'][number]['deployments'][number],
): Deployment {
  const sandbox = provider.kind === 'sandbox';
  const baseUrl = provider.kind === 'sandbox' ? '' : normaliseEndpoint(provider.base_url);
  const onLoopback = baseUrl === '' || isLoopbackHost(new URL(baseUrl).hostname);
  return {
    id: `${wanted.provider}/${wanted.model}`,
    provider: wanted.provider,
    kind: provider.kind,
    model: wanted.model,
    baseUrl,
    apiKey: provider.kind === 'sandbox' ? null : (provider.api_key ?? null),
    region: wanted.region ?? provider.region ?? (sandbox ? 'local' : 'unspecified'),
    hosting: wanted.hosting ?? provider.hosting ?? (onLoopback ? 'local' : 'external'),
    family: wanted.family ?? provider.family ?? wanted.model,
    retentionDays: wanted.retention_days ?? provider.retention_days ?? (sandbox ? 0 : null),
    trainsOnData: wanted.trains_on_data ?? provider.trains_on_data ?? (sandbox ? false : null),
    tags: [...new Set([...provider.tags, ...wanted.tags])].toSorted(),
  };
}

function resolveTenants(
  file: ConfigFile,
  models: ReadonlyMap<string, ModelRoute>,
  report: Report,
): Map<string, Tenant> {
  const tenants = new Map<string, Tenant>();
  for (const [index, tenant] of file.tenants.entries()) {
    if (tenants.has(tenant.id)) report(['tenants', index, 'id'], 'an id used once', 'an id used before');
    checkTenantPolicies(file, index, report);
    for (const [at, name] of (tenant.models ?? []).entries()) {
      if (!models.has(name)) report(['tenants', index, 'models', at], 'a name in models', 'an unknown model');
    }
    tenants.set(tenant.id, {
      id: tenant.id,
      name: tenant.name ?? tenant.id,
      policies: tenant.policies,
      parameters: canonicalMembers(tenant.parameters),
      models: tenant.models ?? null,
      region: tenant.region,
      frameworks: tenant.frameworks,
      labels: tenant.labels,
      budget: resolveBudget(tenant.budget),
      retention: {
        decisionDays: tenant.retention.decision_days ?? tenant.retention.content_days ?? null,
        outcomeDays: tenant.retention.outcome_days ?? tenant.retention.content_days ?? null,
      },
    });
  }
  return tenants;
}

function resolveIssuers(file: ConfigFile, report: Report): JwtIssuer[] {
  const tenantIds = new Set([DEPLOYMENT_TENANT, ...file.tenants.map((tenant) => tenant.id)]);
  const seen = new Set<string>();
  return file.auth.jwt.issuers.map((issuer, index) => {
    const at = (...rest: PropertyKey[]): PropertyKey[] => ['auth', 'jwt', 'issuers', index, ...rest];
    for (const key of ['name', 'issuer'] as const) {
      if (seen.has(`${key} ${issuer[key]}`)) report(at(key), 'a value used once', 'a value used before');
      seen.add(`${key} ${issuer[key]}`);
    }
    for (const [key, id] of [['tenant', issuer.tenant] as const, ...mapEntries(issuer.tenant_map)]) {
      if (id !== undefined && !tenantIds.has(id)) {
        report(key === 'tenant' ? at('tenant') : at('tenant_map', key), 'a configured tenant id', 'an unknown tenant');
      }
    }
    if ((issuer.tenant === undefined) === (issuer.tenant_claim === undefined)) {
      report(at('tenant'), 'exactly one of tenant and tenant_claim', issuer.tenant === undefined ? 'neither' : 'both');
    }
    const map = issuer.tenant_map === undefined ? null : new Map(mapEntries(issuer.tenant_map));
    return {
      name: issuer.name,
      issuer: issuer.issuer,
      audience: issuer.audience,
      jwksUri: issuer.jwks_uri ?? null,
      algorithms: issuer.algorithms,
      clockToleranceS: issuer.clock_tolerance_s,
      maxAgeS: issuer.max_age_s,
      tenant: issuer.tenant_claim === undefined ? { fixed: issuer.tenant ?? '' } : { claim: issuer.tenant_claim, map },
      subjectClaim: issuer.subject_claim,
      type: issuer.type,
      rolesClaim: issuer.roles_claim ?? null,
      roleMap: new Map(mapEntries(issuer.role_map)),
      defaultRoles: issuer.default_roles,
      groupsClaim: issuer.groups_claim ?? null,
      agentClaim: issuer.agent_claim ?? null,
      claims: issuer.claims,
    };
  });
}

function mapEntries<T>(record: Readonly<Record<string, T>> | undefined): [string, T][] {
  return Object.entries(record ?? {});
}

function resolvePrices(file: ConfigFile, report: Report): PriceOverride[] {
  const seen = new Set<string>();
  return file.prices.overrides.map((price, index) => {
    const { provider, model, from, service_tier: tier } = price;
    const identity = JSON.stringify([provider, model, from, tier ?? null]);
    if (seen.has(identity)) report(['prices', 'overrides', index], 'one price per model, day and tier', 'a second one');
    if (!Object.hasOwn(file.providers, provider)) {
      report(['prices', 'overrides', index, 'provider'], 'a name in providers', 'an unknown provider');
    }
    seen.add(identity);
    return resolvePrice(price);
  });
}

function resolvePrice(price: ConfigFile['prices']['overrides'][number]): PriceOverride {
  return {
    provider: price.provider,
    model: price.model,
    from: price.from,
    inputUsdPerMtok: price.input_usd_per_mtok,
    cachedInputUsdPerMtok: price.cached_input_usd_per_mtok ?? null,
    cacheWriteUsdPerMtok: price.cache_write_usd_per_mtok ?? null,
    outputUsdPerMtok: price.output_usd_per_mtok,
    serviceTier: price.service_tier ?? null,
  };
}
