import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBudgets, setBudgetScope } from '../../../ledger/index.ts';
import { expectLedgerIntact, openTestLedger, TEST_ROOT_KEY } from '../../support/ledger.ts';
import type { LedgerFixture } from '../../support/ledger.ts';
import { createDatabase } from '../../support/postgres.ts';
import type { TestDatabase } from '../../support/postgres.ts';

const PROCESSES = 8;
const CALLS = 25;
const FIT = 150;
const EACH = 100;

/** An operating-system process that runs writer.js. */
interface Writer {
  readonly wid: string;
  readonly pid: number;
  ask(round: object): Promise<{ readonly fitted: number; readonly refused: number }>;
  end(): Promise<number | null>;
}

let database: TestDatabase;
let reader: LedgerFixture;
let writers: Writer[];

beforeAll(async () => {
  // The processes run the product as it is compiled; that is a moment where it already is.
  execFileSync(process.execPath, [join('cli', 'bootstrap.js'), 'build'], { stdio: 'ignore' });
  database = await createDatabase();
  reader = await openTestLedger(database);
  writers = await Promise.all(Array.from({ length: PROCESSES }, startWriter));
}, 60_000);
afterAll(async () => {
  expect(await Promise.all(writers.map((writer) => writer.end()))).toEqual(Array.from({ length: PROCESSES }, () => 0));
  await reader.ledger.close();
  await database.drop();
});

async function startWriter(): Promise<Writer> {
  const settings = {
    connection: database.gateway,
    origin: 'countersign.test/ledger',
    rootKey: TEST_ROOT_KEY.toString('hex'),
  };
  const program = join('test', 'ledger', 'processes', 'writer.js');
  const child = spawn(process.execPath, [program, JSON.stringify(settings)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value));
  return {
    ...((await read()) as Pick<Writer, 'wid' | 'pid'>),
    ask: async (round) => {
      child.stdin.write(`${JSON.stringify(round)}\n`);
      return (await read()) as { fitted: number; refused: number };
    },
    end: () => {
      child.stdin.end();
      return ended;
    },
  };
}

test.each([
  ['one log', ['one']],
  ['100 logs', Array.from({ length: 100 }, (_, index) => `t-${String(index)}`)],
])(
  'eight processes on %s: dense, nothing twice, and the budget is spent to the last call and no further',
  async (_name, tenants) => {
    expect(new Set(writers.map(({ pid }) => pid)).size).toBe(PROCESSES);
    const scope = `key:${String(tenants.length)}`;
    await setBudgetScope(reader.sql, { scope, month: BigInt(EACH * FIT) });
    const round = { scope, tenants, calls: CALLS, reserved: EACH, spent: EACH };
    // Each begins elsewhere, so that together they reach every log, and share most.
    const answers = await Promise.all(writers.map((writer, index) => writer.ask({ ...round, first: 13 * index })));
    expect(answers.reduce((sum, { fitted }) => sum + fitted, 0)).toBe(FIT);
    expect(answers.reduce((sum, { refused }) => sum + refused, 0)).toBe(PROCESSES * CALLS - FIT);
    const [budget] = await readBudgets(reader.sql, [scope]);
    expect(budget).toMatchObject({ reserved: 0n, remaining: 0n, month: { spent: BigInt(EACH * FIT) } });
    const logs = await reader.sql<{ n: string; next: string; tenant: string; wids: string[] }[]>`
      select l.tenant, count(*) as n, max(e.seq) + 1 as next, array_agg(distinct e.wid) as wids
      from ledger.entries e join ledger.logs l using (log) group by l.tenant`;
    for (const { tenant, n, next } of logs) expect(n, tenant).toBe(next);
    const own = logs.filter(({ tenant }) => tenants.includes(tenant));
    expect(own.reduce((sum, { n }) => sum + Number(n), 0)).toBe(2 * FIT);
    const busy = writers.filter((_, index) => (answers[index]?.fitted ?? 0) > 0).map(({ wid }) => wid);
    expect(busy.length).toBeGreaterThan(3);
    expect([...new Set(own.flatMap(({ wids }) => wids))].toSorted()).toEqual(busy.toSorted());
    await expectLedgerIntact(reader.sql, reader.keys);
  },
  60_000,
);
