/** A gateway between a fault-prone road to its database and a mock upstream, and what tests ask of the evidence. */
import type { Sql } from 'postgres';
import { expect, inject, vi } from 'vitest';
import type { Connection } from '../../cli/embedded/connection.ts';
import type { CallRecord } from '../../ledger/index.ts';
import { readCall } from '../../ledger/index.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { startMockUpstream, type MockUpstream } from '../support/mock-upstream.ts';
import { FaultProxy } from './fault-proxy.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** `error.code` of a refusal, or of the last event of a stream. */
  readonly code: string | null;
  readonly call: string;
}

export interface Facts {
  readonly [name: string]: unknown;
}

export interface Stand {
  readonly gateway: TestGateway;
  readonly mock: MockUpstream;
  readonly proxy: FaultProxy;
  /** The database itself, past the proxy. */
  readonly sql: Sql;
  readonly chat: (body?: object, init?: RequestInit) => Promise<Answer>;
  /** Like `chat`, without reading the answer. */
  readonly open: (body?: object, init?: RequestInit) => Promise<Response>;
  readonly record: (call: string) => Promise<CallRecord>;
  /** Facts of the entries of one kind, in order, all logs. */
  readonly facts: (kind: string) => Promise<Facts[]>;
  /** Waits until the gateway says that it is ready. */
  readonly ready: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Waits for something that has to happen, without saying how fast. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 30_000, interval: 20 });
}

const PRICE = `prices:
  overrides:
    - { provider: mock, model: model, from: "2026-01-01", input_usd_per_mtok: "1", output_usd_per_mtok: "2" }
`;

export interface StandOptions {
  /** Everything after the defaults; `MOCK` stands for the address of the mock upstream. */
  readonly yaml?: string;
  /** Short unless said otherwise: most of these tests wait for it. */
  readonly appendMs?: number;
  readonly timeouts?: string;
  readonly tenant?: string;
  readonly models?: string;
  readonly attempts?: number;
  readonly prices?: string;
  readonly ledger?: string;
  readonly prepare?: Parameters<typeof startTestGateway>[1];
  /** Another way to the database than the proxy. */
  readonly reach?: (database: Connection) => Connection;
}

export function configuration(mock: MockUpstream, options: StandOptions = {}): string {
  return `providers:
  mock: { kind: openai, base_url: "${mock.url}", region: eu, hosting: external }
models:
${options.models ?? '  - { name: model, deployments: [{ provider: mock, model: model }] }'}
tenants:
${options.tenant ?? '  - { id: demo, policies: [baseline] }'}
timeouts: { append_ms: ${String(options.appendMs ?? 700)}, drain_ms: 5000, ${options.timeouts ?? ''} }
retries: { max_attempts: ${String(options.attempts ?? 1)}, backoff_ms: 1 }
ledger: { ${options.ledger ?? ''} }
${options.prices ?? PRICE}
${options.yaml ?? ''}`;
}

export async function startStand(options: StandOptions = {}): Promise<Stand> {
  const mock = await startMockUpstream();
  const proxy = await FaultProxy.start(inject('gateway'));
  const gateway = await startTestGateway(configuration(mock, options), options.prepare, options.reach ?? proxy.reach);
  const sql = gateway.database.connectAdmin(2);
  const open = (body: object = {}, init: RequestInit = {}): Promise<Response> =>
    fetch(`${gateway.dataUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'model', messages: [{ role: 'user', content: 'Hello' }], ...body }),
      ...init,
    });
  return {
    gateway,
    mock,
    proxy,
    sql,
    open,
    chat: async (body, init) => readAnswer(await open(body, init)),
    record: async (call) => {
      const record = await readCall(sql, gateway.keys, 'demo', call);
      if (record === null) throw new TypeError(`the ledger holds nothing of ${call}`);
      return record;
    },
    facts: async (kind) => {
      const rows = await sql<{ facts: string }[]>`
        select facts from ledger.entries where kind = ${kind} order by dbt, log, seq`;
      return rows.map((row) => JSON.parse(row.facts) as Facts);
    },
    ready: () =>
      eventually(async () => {
        const response = await fetch(`${gateway.dataUrl}/readyz`);
        expect([response.status, await response.text()]).toEqual([200, expect.anything()]);
      }),
    stop: async () => {
      await proxy.open();
      await gateway.stop();
      await mock.close();
      await proxy.close();
    },
  };
}

export async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  const last = text
    .split('\n')
    .findLast((line) => line !== '')
    ?.replace(/^data: /, '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    code: errorCode(last ?? ''),
    call: response.headers.get('x-countersign-call') ?? '',
  };
}

function errorCode(json: string): string | null {
  try {
    const body = JSON.parse(json) as { error?: { code?: string } };
    return body.error?.code ?? null;
  } catch {
    return null;
  }
}
