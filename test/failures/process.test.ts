/** The process as an operator runs it: stopped gracefully, and paused beyond its lease. */
import { request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Sql } from 'postgres';
import { connect } from '../../cli/embedded/connection.ts';
import { openLedger, verifyLive } from '../../ledger/index.ts';
import { startMockUpstream, type MockUpstream } from '../support/mock-upstream.ts';
import { Installation, type Server } from '../torture/installation.ts';
import type { Facts } from './stand.ts';
import { eventually, readAnswer } from './stand.ts';

const LEASE_MS = 1000;

let mock: MockUpstream;
let installation: Installation;
let config = '';
let key = '';
beforeAll(async () => {
  mock = await startMockUpstream();
  installation = Installation.create(process.cwd());
  config = installation.writeConfig(
    'countersign.yaml',
    `listen: { host: 127.0.0.1, port: 0, admin_port: 0 }
providers: { mock: { kind: openai, base_url: "${mock.url}", hosting: external, region: eu } }
models: [{ name: model, deployments: [{ provider: mock, model: model }] }]
tenants: [{ id: demo, policies: [baseline], budget: { monthly_usd: "1" } }]
prices: { overrides: [{ provider: mock, model: model, from: "2026-01-01", input_usd_per_mtok: "1", output_usd_per_mtok: "2" }] }
timeouts: { drain_ms: 4000, append_ms: 20000 }
ledger: { lease_ms: ${String(LEASE_MS)} }
logging: { level: warn }
`,
  );
  ({ key } = (await installation.ask(config, 'keys', 'create', '--tenant', 'demo')) as { key: string });
});
beforeEach(() => {
  mock.reset();
});
const servers = new Set<Server>();
/** A test that failed must not be in the way of the next one. */
afterEach(async () => {
  for (const { child, ended } of servers) {
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    await ended;
  }
  servers.clear();
});
afterAll(async () => {
  await installation.remove();
  await mock.close();
});

function spawnServer(): Server {
  const server = installation.up(config, 'server');
  servers.add(server);
  return server;
}

async function up(): Promise<{ server: Server; url: string }> {
  const server = spawnServer();
  const { dataUrl } = await server.ready;
  return { server, url: dataUrl };
}

function chat(url: string, body: object = {}): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'model', max_tokens: 50, messages: [{ role: 'user', content: 'Hello' }], ...body }),
  });
}

/** An answer of which only the head was read. */
function slowCall(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const out = request(`${url}/v1/chat/completions`, { method: 'POST', headers }, resolve);
    out.on('error', reject);
    out.end(JSON.stringify({ model: 'model', max_tokens: 50, messages: [{ role: 'user', content: 'Hello' }] }));
  });
}

async function withDatabase<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = installation.connect();
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function factsOf(sql: Sql, call: string, kind: string): Promise<Facts | null> {
  const [row] = await sql<
    { facts: string }[]
  >`select facts from ledger.entries where call = ${call} and kind = ${kind}`;
  return row === undefined ? null : (JSON.parse(row.facts) as Facts);
}

/** The kinds of the last entries of the deployment's log, newest last. */
async function lastEvents(sql: Sql, count: number): Promise<string[]> {
  const rows = await sql<{ kind: string }[]>`
    select e.kind from ledger.entries e join ledger.logs l on l.log = e.log and l.tenant = '_deployment'
    order by e.seq desc limit ${count}`;
  return rows.map((row) => row.kind).toReversed();
}

describe('stop signal while a stream runs', () => {
  test('the stream finishes, new calls get 503 draining, the stop is recorded last, the process ends with 0', async () => {
    const { server, url } = await up();
    mock.next({ content: 'word '.repeat(40), chunks: 20, chunkDelayMs: 50 });
    const stream = await chat(url, { stream: true });
    server.child.kill('SIGTERM');

    const refused = await eventually(async () => {
      const answer = await readAnswer(await chat(url));
      expect([answer.status, answer.code]).toEqual([503, 'draining']);
      return answer;
    });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.headers.get('x-should-retry')).toBeNull();
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);

    const answer = await readAnswer(stream);
    expect(answer.text).toContain('word');
    expect(answer.text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(mock.counters.requests).toBe(1);
    await server.ended;
    expect(server.child.exitCode).toBe(0);
    expect(installation.database()).toBeNull();

    const next = await up();
    await withDatabase(async (sql) => {
      expect(await factsOf(sql, answer.call, 'outcome')).toMatchObject({ status: 'ok' });
      // Of the first life the stop is the last; then the second begins.
      expect(await lastEvents(sql, 4)).toEqual(['stop', 'writer', 'start', 'policy']);
      const [open] = await sql<{ count: number }[]>`select count(*)::int as count from ledger.open_calls`;
      expect(open?.count).toBe(0);
    });
    next.server.child.kill('SIGTERM');
    await next.server.ended;
  });

  test('a slow reader gets the whole of an answer that was recorded as given', async () => {
    const { server, url } = await up();
    const content = 'x'.repeat(20_000_000);
    mock.next({ content });
    const response = await slowCall(url);
    expect(response.statusCode).toBe(200);
    server.child.kill('SIGTERM');
    await sleep(1000);
    expect(server.child.exitCode).toBeNull();
    let read = 0;
    for await (const chunk of response) read += (chunk as Buffer).length;
    expect(response.complete).toBe(true);
    expect(read).toBe(Number(response.headers['content-length']));
    expect(read).toBeGreaterThan(content.length);
    await server.ended;
    expect(server.child.exitCode).toBe(0);
  });

  test('a stream that does not end in time is cut off and recorded as aborted', async () => {
    const { server, url } = await up();
    mock.next({ content: 'word '.repeat(400), chunks: 400, chunkDelayMs: 100 });
    const stream = await chat(url, { stream: true });
    const call = stream.headers.get('x-countersign-call') ?? '';
    const rest = stream.text().catch(() => 'cut off');
    server.child.kill('SIGTERM');
    expect(await rest).toBe('cut off');
    await eventually(() => {
      expect(mock.counters.aborted).toBe(1);
    });
    await server.ended;
    expect(server.child.exitCode).toBe(0);
    const next = await up();
    await withDatabase(async (sql) => {
      expect(await factsOf(sql, call, 'outcome')).toMatchObject({ status: 'aborted', usage: { estimated: true } });
      expect(await lastEvents(sql, 4)).toEqual(['stop', 'writer', 'start', 'policy']);
    });
    next.server.child.kill('SIGTERM');
    await next.server.ended;
  });
});

describe('gateway paused beyond its lease (the process is stopped)', () => {
  test.each([false, true])(
    'releases nothing more, corrects the unknown with a late_outcome, ends by itself with 1; stream: %s',
    async (stream) => {
      const { server, url } = await up();
      const database = installation.database();
      if (database === null) throw new TypeError('the database does not run');
      const [sql, writerSql] = [connect(database.gateway, 2), connect(database.gateway, 1)];
      const keys = await installation.keys(sql, ['demo']);
      const survivor = await openLedger({
        sql,
        writerSql,
        keys,
        origin: 'countersign.local',
        now: Date.now,
        leaseMs: LEASE_MS,
        recoverMs: 100,
      });

      mock.next({ content: 'The answer nobody may see.', delayMs: 500 });
      const answering = chat(url, { stream });
      await eventually(() => {
        expect(mock.counters.requests).toBe(1);
      });
      server.child.kill('SIGSTOP');
      const [{ call } = { call: '' }] = await sql<{ call: string }[]>`select call from ledger.open_calls`;
      const unknown = await eventually(async () => {
        const facts = await factsOf(sql, call, 'outcome');
        expect(facts).not.toBeNull();
        return facts;
      });
      expect(unknown).toMatchObject({ status: 'unknown', cost_nusd: null });
      await survivor.close();
      await Promise.all([sql.end(), writerSql.end()]);
      // The answer has long arrived at the stopped process.
      await sleep(600);
      server.child.kill('SIGCONT');

      const answer = await readAnswer(await answering);
      expect([answer.status, answer.code]).toEqual([stream ? 200 : 502, 'outcome_unrecorded']);
      expect(answer.text).not.toContain('[DONE]');
      if (!stream) expect(answer.text).not.toContain('nobody may see');
      // A supervisor starts it again; nobody has to look at its readiness.
      await server.ended;
      expect(server.isFenced()).toBe(true);
      expect(installation.log('server')).toContain('another process has taken over');
      expect(mock.counters.requests).toBe(1);

      const next = await up();
      await withDatabase(async (reader) => {
        expect(await factsOf(reader, call, 'late_outcome')).toMatchObject({ status: 'ok', cost_nusd: '26000' });
        expect((await verifyLive(reader, await installation.keys(reader, ['demo']))).firstBad).toBeNull();
      });
      expect((await chat(next.url)).status).toBe(200);
      next.server.child.kill('SIGTERM');
      await next.server.ended;
    },
  );
});

test('gateway that loses its lease while it starts: ends by itself with 1, the next one serves', async () => {
  const first = await up();
  await withDatabase(async (sql) => {
    await sql.unsafe(`
      create sequence public.starts;
      create function public.lose_lease() returns trigger language plpgsql security definer as $$
      begin
        if nextval('public.starts') = 1 then raise exception 'this writer is fenced' using errcode = 'CS020'; end if;
        return new;
      end $$;
      create trigger lose_lease before insert on ledger.entries for each row when (new.kind = 'start')
        execute function public.lose_lease()`);
  });
  first.server.child.kill('SIGTERM');
  await first.server.ended;

  const starved = spawnServer();
  await expect(starved.ready).rejects.toThrow();
  await starved.ended;
  expect(starved.isFenced()).toBe(true);

  const next = await up();
  expect((await chat(next.url)).status).toBe(200);
  next.server.child.kill('SIGTERM');
  await next.server.ended;
  expect(next.server.child.exitCode).toBe(0);
});
