/**
 * Composes the gateway: pools, keys, ledger, policies, upstreams, two listeners, jobs. Start and stop are entries in the
 * ledger; a stop waits for the calls in progress and closes the database connections last.
 */
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { Sql } from 'postgres';
import { recordInto } from './access/events.ts';
import type { RecordEvent } from './access/events.ts';
import { fetchJsonThrough } from './access/issuer-keys.ts';
import type { TokenVerifier } from './access/jwt.ts';
import { createTokenVerifier } from './access/jwt.ts';
import { createKeyCache } from './access/key-cache.ts';
import type { KeyCache } from './access/key-cache.ts';
import type { ApiKey } from './access/keys.ts';
import type { Principal } from './access/principal.ts';
import { createFailureLimiter } from './access/limiter.ts';
import { principalOfKey } from './access/key-principal.ts';
import { createRefusalCounter, recordRefusals } from './access/refusals.ts';
import type { RefusalCounter } from './access/refusals.ts';
import type { DataListener } from './app.ts';
import { createDataListener } from './app.ts';
import { startAnchors } from './anchors.ts';
import type { BundleFeeds } from './bundle-feed.ts';
import { startBundleFeeds } from './bundle-feed.ts';
import { applyBudgets, BudgetSnapshot } from './budgets.ts';
import type { Config } from './config.ts';
import type { CurrentOptions } from './current.ts';
import { buildCurrent } from './current.ts';
import { startDecisionLogs } from './decision-log/job.ts';
import type { Egress } from './egress.ts';
import { createEgress } from './egress.ts';
import { startEpochs } from './epochs.ts';
import { detectorFacts } from './evidence.ts';
import type { Epochs } from './epochs.ts';
import { closeListener, openListener, urlOf } from './listen.ts';
import type { Governance } from './governance/governance.ts';
import { ShadowBook } from './governance/shadow.ts';
import { startGovernance, watchDrift } from './governance/start.ts';
import { createLog } from './log.ts';
import type { EvidenceOptions } from './open-evidence.ts';
import { isForked, openEvidence } from './open-evidence.ts';
import { createAdminApp } from './ingress/admin.ts';
import { createMetrics, meterLedger } from './metrics.ts';
import { createAuthenticate } from './pipeline/authenticate.ts';
import { recordConfiguration, recordMigrations } from './own-evidence.ts';
import { withPools } from './pools.ts';
import { followReleases, recordEvent, recordPolicies, reload } from './reload.ts';
import { createRemoteAnalyzers } from './remote-analyzers.ts';
import { startRetention } from './retention.ts';
import type { Current, Services } from './services.ts';
import { createAnthropicUpstream } from './upstream/anthropic.ts';
import { createOpenAiUpstream } from './upstream/openai.ts';
import { createSandboxUpstream } from './upstream/sandbox.ts';
import type { KeyRing, Ledger, RepeatedJob } from '../ledger/index.ts';
import { createAnalyzer, ENGINE } from '../redaction/index.ts';

export interface GatewayOptions extends CurrentOptions, EvidenceOptions {
  /** Names the running code in every entry. */
  readonly build: string;
}

export interface RunningGateway {
  readonly dataUrl: string;
  readonly adminUrl: string;
  /** Null: no listener of its own. */
  readonly presidioUrl: string | null;
  /** What is missing from the database, so that nothing is served; null when it may serve. */
  readonly fork: string | null;
  /** Resolves when this process can only finish what it began and be drained: another has taken over, or a loss was declared. */
  readonly fenced: Promise<void>;
  /** Replaces the configuration, all or nothing. Throws GatewayError `conflict` when only a restart can apply it. */
  reload(config: Config): Promise<void>;
  /** Refuses new calls, waits for the running ones (bounded), writes the stop entry, closes everything. */
  drain(): Promise<void>;
}

/** How often the background jobs look: budget facts for policies, refusal counters, destroyed keys. */
const JOB_MS = 2000;
/** Whoever asks for readiness waits no longer for the database. */
const READY_MS = 2000;

export function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  return withPools(options.connect, (connect) => compose({ ...options, connect }));
}

async function compose(options: GatewayOptions): Promise<RunningGateway> {
  const parts = await openParts(options);
  const { services, budgets, refusals } = parts;
  const health = { ready: () => readiness(parts) };
  const data = createDataListener(services, health);
  const { resolvePath } = options;
  const place = { ...parts, ...services, holder: parts.ledger.wid, resolvePath };
  const anchors = isForked(parts.ledger) ? null : await startAnchors(options.config, place);
  const epochs = startEpochs(parts.sql, parts.ledger, parts.current().config, services.log);
  const admin = createAdminApp({ ...parts, makeEpoch: epochs.makeEpoch, health, now: services.now });
  const servers = await openListeners(parts.current().config, data, admin.fetch);
  const jobs = setInterval(() => {
    void budgets.refresh().catch((error: unknown) => services.log.error('budget_snapshot', error));
    void refusals.flush();
    services.metrics.governance(parts.governance.state, services.now());
    void parts.drift.look().catch((error: unknown) => services.log.error('policy_drift', error));
    void parts.keys.refresh().catch((error: unknown) => services.log.error('erasures', error));
  }, JOB_MS);
  const endDecisionLogs = startDecisionLogs({ ...parts, ...services, resolvePath });
  const endRetention = startRetention({ ...parts, now: services.now, log: services.log });
  let feeds: BundleFeeds | null = null;
  let drained: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    clearInterval(jobs);
    endRetention();
    endDecisionLogs();
    const ended = feeds?.close() ?? Promise.resolve();
    return (drained ??= ended.then(() => drain({ ...parts, epochs, anchors }, data, servers)));
  };
  try {
    await recordStart(parts, options);
    feeds = startBundleFeeds({ ...parts, random: Math.random }, parts.currentOptions);
  } catch (error) {
    await stop();
    throw error;
  }
  const [dataUrl = '', adminUrl = '', presidioUrl = null] = servers.map(urlOf);
  services.log.info('start', { data: dataUrl, admin: adminUrl, presidio: presidioUrl, engine: ENGINE.name });
  return {
    dataUrl,
    adminUrl,
    presidioUrl,
    fork: parts.ledger.status().fork,
    fenced: parts.fenced,
    reload: (config) => reload(parts, parts.currentOptions, config),
    drain: stop,
  };
}

/** Data, administration and, where it has a port, Presidio: all of them, or none is left open. */
async function openListeners(config: Config, data: DataListener, adminServe: AdminServe): Promise<Server[]> {
  const { listen, limits } = config;
  const { host, port, adminHost, adminPort, presidioHost, presidioPort } = listen;
  const wanted = [
    { serve: data.fetch, host, port, setting: 'listen.port' },
    { serve: adminServe, host: adminHost, port: adminPort, setting: 'listen.admin_port' },
    ...(presidioPort === null
      ? []
      : [{ serve: data.presidioFetch, host: presidioHost, port: presidioPort, setting: 'listen.presidio_port' }]),
  ];
  const servers: Server[] = [];
  try {
    for (const { serve, ...place } of wanted) servers.push(await openListener(serve, { ...place, limits }));
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  return servers;
}

type AdminServe = ReturnType<typeof createAdminApp>['fetch'];

/** Everything between the listeners and the database, as the two listeners share it. */
export interface Parts {
  readonly services: Services;
  readonly current: () => Current;
  readonly replace: (next: Current) => void;
  readonly sql: Sql;
  readonly writerSql: Sql;
  readonly ledger: Ledger;
  readonly fenced: Promise<void>;
  readonly keys: KeyRing;
  readonly keyCache: KeyCache;
  readonly drift: ReturnType<typeof watchDrift>;
  readonly egress: Egress;
  readonly budgets: BudgetSnapshot;
  readonly refusals: RefusalCounter;
  readonly record: RecordEvent;
  readonly governance: Governance;
  readonly currentOptions: CurrentOptions;
}

async function openParts(options: GatewayOptions): Promise<Parts> {
  const { config } = options;
  const log = createLog({ level: config.logging.level });
  const metrics = createMetrics(config);
  const egress = createEgress({});
  const evidence = await openEvidence(options, log, egress);
  const { sql, ledger, keys } = evidence;
  const { governance, currentOptions } = await startGovernance({ ...evidence, options, log, now, clock });
  let current = await buildCurrent(config, currentOptions);
  const record = recordInto(ledger, () => randomUUID());
  if (!isForked(ledger)) await applyBudgets(sql, config, record);
  const principalOf = (key: ApiKey): Principal | null => principalOfKey(current.config, key);
  const keyCache = await createKeyCache({
    sql,
    now,
    clock,
    principalOf,
    onError: (error) => log.error('key_cache', error),
  });
  const tokensFor = (next: Config): TokenVerifier =>
    createTokenVerifier({ config: next, fetchJson: fetchJsonThrough(egress), now, clock });
  let tokens = tokensFor(config);
  const refusals = createRefusalCounter({ now, write: (counted) => recordRefusals(record, counted) });
  const budgets = new BudgetSnapshot(sql);
  const drift = watchDrift({ sql, ledger, metrics, log, now });
  const shadows = new ShadowBook({ record, onError: (error) => log.error('shadow', error) });
  const services: Services = {
    current: () => current,
    authenticate: createAuthenticate({ keys: keyCache, tokens: () => tokens, limiter: createFailureLimiter(), clock }),
    analyzer: createAnalyzer(),
    askAnalyzers: createRemoteAnalyzers(config.redaction.remoteAnalyzers, { egress, log }),
    ledger: meterLedger(ledger, metrics, clock),
    keys,
    upstreams: {
      openai: createOpenAiUpstream({ egress }),
      anthropic: createAnthropicUpstream({ egress, now }),
      sandbox: createSandboxUpstream({ now }),
    },
    metrics,
    log,
    refusals: {
      count: (reason) => {
        metrics.refusal(reason);
        refusals.count(reason);
      },
    },
    budgets: (scopes) => budgets.facts(scopes),
    governance,
    shadows,
    now,
    clock,
    random: Math.random,
    build: options.build,
  };
  const replace = (next: Current): void => {
    current = next;
    tokens = tokensFor(next.config);
    keyCache.rebuild();
    metrics.configure(next.config);
  };
  const parts = { ...evidence, services, current: () => current, replace, keyCache, egress, budgets, refusals, record };
  drift.follow(current.config.tenants.values());
  governance.onReleases(async () => {
    await followReleases(parts, currentOptions);
    drift.follow(current.config.tenants.values());
  });
  return { ...parts, currentOptions, governance, drift };
}

const now = Date.now;
const clock = (): number => performance.now();

async function recordStart(parts: Parts, options: GatewayOptions): Promise<void> {
  const { ledger, current, services } = parts;
  if (isForked(ledger)) return;
  const { build } = options;
  const detectors = detectorFacts(services.analyzer.detectors);
  await recordEvent(ledger, 'start', { build, config: current().configDigest, wid: ledger.wid, detectors });
  await recordMigrations(parts);
  await recordConfiguration(parts, current());
  await recordPolicies(parts, current());
}

async function readiness(parts: Parts): Promise<{ ready: boolean; checks: Record<string, boolean> }> {
  const asked = parts.sql`select 1`.then(
    () => true,
    () => false,
  );
  const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), READY_MS).unref());
  const database = await Promise.race([asked, late]);
  const ledger = parts.ledger.status().state === 'up';
  const policies = parts.current().bundles.size > 0;
  return { ready: database && ledger && policies, checks: { database, ledger, policies } };
}

async function drain(
  parts: Parts & { readonly epochs: Epochs; readonly anchors: RepeatedJob | null },
  data: DataListener,
  servers: readonly Server[],
): Promise<void> {
  const { services, current, ledger } = parts;
  // The listeners stay open meanwhile: a new call is told that another instance will answer, readiness says the same.
  const deadline = new Promise<void>((resolve) => setTimeout(resolve, current().config.timeouts.drainMs).unref());
  await Promise.race([data.drain(), deadline]);
  await Promise.all(servers.map((server) => closeListener(server, deadline)));
  await Promise.race([data.drain(), new Promise<void>((resolve) => setTimeout(resolve, 2000).unref())]);
  await parts.refusals.flush(true);
  await services.shadows.close();
  await recordEvent(ledger, 'stop', { wid: ledger.wid }).catch((error: unknown) =>
    services.log.error('stop_entry', error),
  );
  await parts.anchors?.close();
  await parts.epochs.close();
  await ledger.close();
  await parts.keyCache.close();
  await parts.governance.close();
  await parts.egress.close();
  await Promise.all([parts.sql.end({ timeout: 5 }), parts.writerSql.end({ timeout: 5 })]);
  services.log.info('stop');
  services.log.flush();
}
