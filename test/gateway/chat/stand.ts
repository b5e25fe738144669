/** The whole gateway with tenants of different parameters, before a provider whose every byte a test can choose. */
import { expect } from 'vitest';
import type { Sql } from 'postgres';
import type { CallRecord, EntryRecord, JsonValue } from '../../../ledger/index.ts';
import { readCall } from '../../../ledger/index.ts';
import type { TestGateway } from '../../support/gateway.ts';
import { startTestGateway } from '../../support/gateway.ts';
import type { MockUpstream } from '../../support/mock-upstream.ts';
import { startMockUpstream } from '../../support/mock-upstream.ts';
import type { Answer, Json, SendOptions } from './client.ts';
import { send } from './client.ts';

export const PROVIDER_KEY = 'sk-provider-0123456789abcdef';
export const MODEL = 'mock-model';

export interface StandOptions {
  /** Parameters of the tenants besides `demo`, as YAML flow. */
  readonly tenants?: Readonly<Record<string, string>>;
  /** Parameters of `demo`. */
  readonly demo?: string;
  /** More entries of `models`, as YAML flow. */
  readonly models?: readonly string[];
  /** More members of `providers`, as YAML flow. */
  readonly providers?: readonly string[];
  /** Further top-level sections. */
  readonly sections?: string;
}

export interface Ask extends SendOptions {
  readonly tenant?: string;
  /** Another listener than the data listener. */
  readonly base?: string;
}

export class ChatStand {
  readonly gateway: TestGateway;
  /** For reading what was recorded. */
  readonly sql: Sql;
  readonly mock: MockUpstream;
  readonly #keys: ReadonlyMap<string, string>;

  private constructor(gateway: TestGateway, mock: MockUpstream, keys: ReadonlyMap<string, string>) {
    this.gateway = gateway;
    this.sql = gateway.database.connectGateway(1);
    this.mock = mock;
    this.#keys = keys;
  }

  /** The provider counts as external, so that the rules for what leaves the house apply. */
  static async start(options: StandOptions = {}): Promise<ChatStand> {
    const mock = await startMockUpstream();
    const tenants = Object.entries({ demo: options.demo ?? '{}', ...options.tenants });
    const gateway = await startTestGateway(`
providers:
  mock: { kind: openai, base_url: "${mock.url}", api_key: "${PROVIDER_KEY}", hosting: external, region: eu }
${(options.providers ?? []).map((provider) => `  ${provider}`).join('\n')}
models:
${[`{ name: ${MODEL}, deployments: [{ provider: mock, model: ${MODEL} }] }`, ...(options.models ?? [])].map((model) => `  - ${model}`).join('\n')}
tenants:
${tenants.map(([id, parameters]) => `  - { id: ${id}, parameters: ${parameters} }`).join('\n')}
retries: { max_attempts: 1 }
${options.sections ?? ''}
`);
    const keys = new Map([['demo', gateway.key]]);
    for (const tenant of Object.keys(options.tenants ?? {})) {
      keys.set(tenant, (await gateway.createKey({ tenant })).token);
    }
    return new ChatStand(gateway, mock, keys);
  }

  key(tenant = 'demo'): string {
    return this.#keys.get(tenant) ?? '';
  }

  /** Sends bytes exactly as given, with the tenant's key. */
  send({ tenant, headers, base = this.gateway.dataUrl, ...options }: Ask): Promise<Answer> {
    return send(base, {
      ...options,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.key(tenant)}`, ...headers },
    });
  }

  /** Sends a chat request with this text (or these members). */
  ask(content: string | Json, more: Json = {}, options: Ask = {}): Promise<Answer> {
    const body = typeof content === 'string' ? { messages: [{ role: 'user', content }] } : content;
    return this.send({ body: JSON.stringify({ model: MODEL, ...body, ...more }), ...options });
  }

  /** The body the provider got last. */
  get upstreamBody(): string {
    return this.mock.requests.at(-1)?.body ?? '';
  }

  /** What the ledger holds of an answered call. An aborted call is waited for. */
  async record(answer: Pick<Answer, 'headers'>, tenant = 'demo'): Promise<CallRecord> {
    const id = String(answer.headers['x-countersign-call']);
    const { sql } = this;
    const read = (): Promise<CallRecord | null> => readCall(sql, this.gateway.keys, tenant, id);
    await expect.poll(async () => (await read())?.open, { timeout: 20_000 }).toBe(false);
    const record = await read();
    if (record === null) throw new Error(`no entries of call ${id}`);
    return record;
  }

  /** The clear text of every ledger table, for finding what must not be in it. */
  async clearLedger(): Promise<string> {
    const sql = this.gateway.database.connectAdmin(1);
    const rows = await sql<{ row: string }[]>`
      select (to_jsonb(e) - 'sealed' - 'content')::text as row from ledger.entries e
      union all select to_jsonb(o)::text from ledger.open_calls o`;
    await sql.end();
    return rows.map(({ row }) => row).join('\n');
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    await this.mock.close();
  }
}

export type Facts = { readonly [name: string]: JsonValue };

export function section(entry: EntryRecord | null, name: string): Facts {
  return (entry?.sections[name] ?? {}) as Facts;
}

/** The facts of both entries of a call. */
export function facts(record: CallRecord): { decision: Facts; outcome: Facts } {
  return { decision: section(record.decision, 'facts'), outcome: section(record.outcome, 'facts') };
}
