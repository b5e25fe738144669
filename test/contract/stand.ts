/**
 * The independent mock provider, the gateway in front of it, and a recorder before each:
 *
 *   direct:   client ─────────────────────────▶ recorder ─▶ mock
 *   governed: client ─▶ recorder ─▶ gateway ─▶ recorder ─▶ mock
 */
import { LLMock } from '@copilotkit/aimock';
import type { ServerResponse } from 'node:http';
import type { Sql } from 'postgres';
import { expect } from 'vitest';
import { readCall } from '../../ledger/index.ts';
import type { CallRecord, JsonValue } from '../../ledger/index.ts';
import { startTestGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import type { Passage, Recorder } from './recorder.ts';
import { startRecorder } from './recorder.ts';

/** What a client is pointed at. */
export interface Endpoint {
  readonly baseURL: string;
  readonly apiKey: string;
}

/** The same work done directly and through the gateway. */
export interface Runs<T> {
  readonly direct: T;
  readonly governed: T;
  /** What the provider saw and said in the direct run, request by request. */
  readonly directTraffic: readonly Passage[];
  /** What the provider saw of the governed run. */
  readonly upstream: readonly Passage[];
  /** What the client sent and received in the governed run. */
  readonly client: readonly Passage[];
  /** The mock's own journal of the two runs. */
  readonly journal: Readonly<Record<'direct' | 'governed', readonly object[]>>;
}

const PROVIDER_KEY = 'sk-the-provider-key';

export class ContractStand {
  readonly mock: LLMock;
  readonly gateway: TestGateway;
  /** For reading what was recorded. */
  readonly sql: Sql;
  readonly #beforeMock: Recorder;
  readonly #beforeGateway: Recorder;
  readonly #prepared: { answer: string | null };

  private constructor(
    mock: LLMock,
    gateway: TestGateway,
    [beforeMock, beforeGateway]: [Recorder, Recorder],
    prepared: { answer: string | null },
  ) {
    this.mock = mock;
    this.gateway = gateway;
    this.sql = gateway.database.connectGateway(1);
    this.#beforeMock = beforeMock;
    this.#beforeGateway = beforeGateway;
    this.#prepared = prepared;
  }

  /** @param parameters of the tenant, as YAML flow; the provider counts as external, so personal data is tokenized */
  static async start(parameters = '{}'): Promise<ContractStand> {
    const mock = new LLMock({ chunkSize: 9 });
    const prepared: { answer: string | null } = { answer: null };
    mock.mount('/v1/chat/completions', { handleRequest: (_, response) => answerPrepared(response, prepared.answer) });
    await mock.start();
    const beforeMock = await startRecorder(() => mock.url);
    const gateway = await startTestGateway(`
providers:
  mock: { kind: openai, base_url: "${beforeMock.url}/v1", api_key: "${PROVIDER_KEY}", hosting: external }
models:
  - { name: gpt-4o-mini, deployments: [{ provider: mock, model: gpt-4o-mini }] }
tenants: [{ id: demo, parameters: ${parameters} }]
retries: { max_attempts: 1 }
`);
    const beforeGateway = await startRecorder(() => gateway.dataUrl);
    return new ContractStand(mock, gateway, [beforeMock, beforeGateway], prepared);
  }

  get direct(): Endpoint {
    return { baseURL: `${this.#beforeMock.url}/v1`, apiKey: PROVIDER_KEY };
  }

  get governed(): Endpoint {
    return { baseURL: `${this.#beforeGateway.url}/v1`, apiKey: this.gateway.key };
  }

  /** The provider's exact answer from now on, for shapes the mock does not make itself; null gives the word back to the mock. */
  prepare(answer: string | null): void {
    this.#prepared.answer = answer;
  }

  /** What the provider has seen so far, newest last. */
  get seen(): readonly Passage[] {
    return this.#beforeMock.passages;
  }

  get answered(): readonly Passage[] {
    return this.#beforeGateway.passages;
  }

  async run<T>(work: (endpoint: Endpoint) => Promise<T>): Promise<Runs<T>> {
    const start = this.seen.length;
    this.mock.clearRequests();
    const direct = await work(this.direct);
    const directJournal = this.#journal();
    const between = this.seen.length;
    const first = this.answered.length;
    const governed = await work(this.governed);
    return {
      direct,
      governed,
      directTraffic: this.seen.slice(start, between),
      upstream: this.seen.slice(between),
      client: this.answered.slice(first),
      journal: { direct: directJournal, governed: this.#journal() },
    };
  }

  #journal(): object[] {
    const entries = this.mock.getRequests().map(({ method, path, body, response }) => ({
      method,
      path,
      body,
      status: response.status,
    }));
    this.mock.clearRequests();
    return entries;
  }

  /** The ledger's record of a governed call, found by the id its answer carried; waits for the outcome of aborted calls. */
  async record(passage: Passage | undefined): Promise<CallRecord> {
    const id = String(passage?.responseHeaders['x-countersign-call']);
    const { sql } = this;
    const read = (): Promise<CallRecord | null> => readCall(sql, this.gateway.keys, 'demo', id);
    await expect.poll(async () => (await read())?.open, { timeout: 20_000 }).toBe(false);
    const record = await read();
    if (record === null) throw new Error(`no entries of call ${id}`);
    return record;
  }

  /** How many calls ended with this status. */
  async outcomes(status: string): Promise<number> {
    const rows = await this.sql<{ facts: string }[]>`
      select e.facts from ledger.entries e join ledger.logs l on l.log = e.log
      where l.tenant = 'demo' and e.class = 'outcome'`;
    return rows.filter(({ facts: text }) => (JSON.parse(text) as { status: unknown }).status === status).length;
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    await this.#beforeGateway.close();
    await this.#beforeMock.close();
    await this.mock.stop();
  }
}

async function answerPrepared(response: ServerResponse, answer: string | null): Promise<boolean> {
  if (answer === null) return Promise.resolve(false);
  const type = answer.startsWith('data:') ? 'text/event-stream' : 'application/json';
  response.writeHead(200, { 'content-type': type });
  response.end(answer);
  return Promise.resolve(true);
}

/** The facts of both entries of a call. */
export function facts(record: CallRecord): { decision: Record<string, JsonValue>; outcome: Record<string, JsonValue> } {
  const of = (entry: CallRecord['decision']): Record<string, JsonValue> =>
    (entry?.sections['facts'] ?? {}) as Record<string, JsonValue>;
  return { decision: of(record.decision), outcome: of(record.outcome) };
}

/** Nothing was changed on the way there or back: same results, same bytes, same path. */
export function expectSame<T>(runs: Runs<T>): void {
  expect(runs.governed).toEqual(runs.direct);
  expectSameRequests(runs);
  const bytes = (passages: readonly Passage[]): string[] => passages.map(({ response }) => response.toString('latin1'));
  expect(bytes(runs.client)).toEqual(bytes(runs.directTraffic));
  expect(runs.client.map(({ status }) => status)).toEqual(runs.directTraffic.map(({ status }) => status));
}

/** The provider got the very bytes it would have got without the gateway. */
export function expectSameRequests<T>(runs: Runs<T>): void {
  const sent = (passages: readonly Passage[]): string[] =>
    passages.map(({ method, path, body }) => `${method} ${path}\n${body.toString('latin1')}`);
  expect(runs.directTraffic.length).toBeGreaterThan(0);
  expect(sent(runs.upstream)).toEqual(sent(runs.directTraffic));
  expect(runs.journal.governed).toEqual(runs.journal.direct);
}
