import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Sql } from 'postgres';
import { recordInto, type GovernanceEvent } from '../../../gateway/access/events.ts';
import { fetchJsonThrough } from '../../../gateway/access/issuer-keys.ts';
import { createTokenVerifier } from '../../../gateway/access/jwt.ts';
import { createKeyCache, type KeyCache } from '../../../gateway/access/key-cache.ts';
import { principalOfKey } from '../../../gateway/access/key-principal.ts';
import { createKey } from '../../../gateway/access/keys.ts';
import { createFailureLimiter } from '../../../gateway/access/limiter.ts';
import type { Role } from '../../../gateway/access/principal.ts';
import { parseConfig, type Config } from '../../../gateway/config.ts';
import { buildCurrent } from '../../../gateway/current.ts';
import { createEgress, type Egress } from '../../../gateway/egress.ts';
import { openGovernance, type Governance } from '../../../gateway/governance/governance.ts';
import { createAdminApp, type AdminDeps } from '../../../gateway/ingress/admin.ts';
import { createLog } from '../../../gateway/log.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { createAuthenticate } from '../../../gateway/pipeline/authenticate.ts';
import {
  openKeyRing,
  LedgerError,
  makeEpoch,
  openLedger,
  verifyLive,
  type KeyRing,
  type Ledger,
} from '../../../ledger/index.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres.ts';
import { TestIssuer } from '../access/issuer.ts';
import { keyWish, recordingStore } from '../access/support.ts';

const TEXT = `
providers: { s: { kind: sandbox } }
models: [{ name: sandbox, deployments: [{ provider: s, model: echo }] }]
tenants: [{ id: demo, budget: { monthly_usd: "50" } }, { id: other }]
`;

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly text: string;
  readonly headers: Headers;
}

/** The admin listener on a real socket, with a real database, ledger, policy bundle and token issuer. */
export class AdminStand {
  readonly database: TestDatabase;
  readonly sql: Sql;
  readonly ledger: Ledger;
  readonly keys: KeyRing;
  readonly issuer: TestIssuer;
  readonly config: Config;
  readonly logLines: string[];
  readonly refusals: string[];
  /** What was recorded durably. */
  readonly events: GovernanceEvent[];
  readonly #cache: KeyCache;
  readonly #governance: Governance;
  readonly #egress: Egress;
  readonly #server: Server;
  /** When set, recording fails: the ledger is away. */
  away = false;

  private constructor(parts: Omit<AdminStandParts, 'deps'>, app: (stand: () => AdminStand) => AdminDeps) {
    this.database = parts.database;
    this.sql = parts.sql;
    this.ledger = parts.ledger;
    this.keys = parts.keys;
    this.issuer = parts.issuer;
    this.config = parts.config;
    this.logLines = parts.logLines;
    this.refusals = parts.refusals;
    this.events = parts.events;
    this.#cache = parts.cache;
    this.#governance = parts.governance;
    this.#egress = parts.egress;
    this.#server = createAdaptorServer({ fetch: createAdminApp(app(() => this)).fetch }) as Server;
  }

  static async start(): Promise<AdminStand> {
    const parts = await openParts();
    const { deps, ...rest } = parts;
    const stand = new AdminStand(rest, (self) => ({
      ...deps,
      record: async (event) => {
        if (self().away) throw new LedgerError('unavailable', 'away');
        await deps.record(event);
        rest.events.push(event);
      },
    }));
    await new Promise<void>((resolve) => stand.#server.listen(0, '127.0.0.1', resolve));
    return stand;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** A key made by the installation, outside of the two-person rule. */
  async key(tenant: string, roles: Role[]): Promise<{ id: string; token: string }> {
    const wish = keyWish({ tenant, roles, name: roles.join() });
    const origin = { createdBy: 'test', approval: null, exemption: 'bootstrap' as const };
    const { key, token } = await createKey(this.sql, recordingStore(this.sql), wish, origin);
    await this.#cache.refresh();
    return { id: key.id, token };
  }

  async call(
    method: string,
    path: string,
    token: string | null,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = response.headers.get('content-type')?.startsWith('application/json') === true;
    return {
      status: response.status,
      text,
      headers: response.headers,
      body: json ? (JSON.parse(text) as Answer['body']) : {},
    };
  }

  /** Facts of the entries of a kind in a tenant's log, oldest first. */
  async facts(kind: string, tenant = '_deployment'): Promise<Record<string, unknown>[]> {
    const rows = await this.database.connectAdmin(1)<{ facts: string }[]>`
      select e.facts from ledger.entries e join ledger.logs l using (log)
      where e.kind = ${kind} and l.tenant = ${tenant} order by e.seq`;
    return rows.map(({ facts }) => JSON.parse(facts) as Record<string, unknown>);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    const report = await verifyLive(this.sql, this.keys);
    await this.ledger.close();
    await this.#cache.close();
    await this.#governance.close();
    await this.issuer.close();
    await this.#egress.close();
    await this.database.drop();
    if (!report.consistent) throw new Error(`the ledger is ${report.verdict}: ${report.firstBad?.problem ?? ''}`);
  }
}

interface AdminStandParts {
  readonly database: TestDatabase;
  readonly sql: Sql;
  readonly ledger: Ledger;
  readonly keys: KeyRing;
  readonly issuer: TestIssuer;
  readonly config: Config;
  readonly logLines: string[];
  readonly refusals: string[];
  readonly events: GovernanceEvent[];
  readonly cache: KeyCache;
  readonly governance: Governance;
  readonly egress: Egress;
  readonly deps: AdminDeps;
}

async function openParts(): Promise<AdminStandParts> {
  const database = await createDatabase();
  const sql = database.connectGateway(6);
  const issuer = await TestIssuer.start();
  const people = issuer.config({
    name: 'idp',
    tenant: {
      claim: 'org',
      map: new Map([
        ['demo', 'demo'],
        ['root', '_deployment'],
      ]),
    },
  });
  const config: Config = { ...parseConfig('c.yaml', TEXT, { env: {} }), issuers: [people] };
  const current = await buildCurrent(config, {
    shippedBundles: 'policies/dist',
    resolvePath: (path) => path,
  });
  const keys = await openKeyRing({ sql, rootKey: randomBytes(32), tenants: ['_deployment', ...config.tenants.keys()] });
  const ledger = await openLedger({ sql, writerSql: database.connectGateway(1), keys, origin: 'test', now: Date.now });
  const clock = (): number => performance.now();
  const cache = await createKeyCache({ sql, now: Date.now, clock, principalOf: (key) => principalOfKey(config, key) });
  const egress = createEgress();
  const tokens = createTokenVerifier({ config, fetchJson: fetchJsonThrough(egress), now: Date.now, clock });
  const onError = (error: unknown): never => {
    throw error;
  };
  const governance = await openGovernance({ sql, keys, now: Date.now, clock, onError });
  const logLines: string[] = [];
  const refusals: string[] = [];
  const deps: AdminDeps = {
    services: {
      authenticate: createAuthenticate({
        keys: cache,
        tokens: () => tokens,
        limiter: createFailureLimiter({ burst: 1000 }),
        clock,
      }),
      metrics: createMetrics(config),
      log: createLog({ level: 'info', destination: { write: (line) => void logLines.push(line) } }),
      refusals: { count: (reason) => void refusals.push(reason) },
    },
    current: () => current,
    sql,
    ledger,
    keys,
    keyCache: cache,
    governance,
    record: recordInto(ledger, () => `ev-${randomBytes(16).toString('hex')}`),
    makeEpoch: () => makeEpoch({ sql, ledger, random: randomBytes }, true),
    health: { ready: () => Promise.resolve({ ready: true, checks: { ledger: true } }) },
    now: Date.now,
  };
  return {
    database,
    sql,
    ledger,
    keys,
    issuer,
    config,
    logLines,
    refusals,
    events: [],
    cache,
    governance,
    egress,
    deps,
  };
}
