import { readdirSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { anchorNewest } from '../../ledger/anchor/job.ts';
import type { AnchorSend } from '../../ledger/anchor/send.ts';
import { witnessTarget } from '../../ledger/anchor/target.ts';
import { createHeadStore, declareLoss, findFork, openKeyRing } from '../../ledger/index.ts';
import type { ForkFinding, LedgerOptions, OutsideMemory, Recovery } from '../../ledger/index.ts';
import { createNoteSigner } from '../../ledger/note/key.ts';
import { createWitnessState } from '../../ledger/witness/state.ts';
import { openConnections, startWitness } from '../support/anchors.ts';
import type { TestWitness } from '../support/anchors.ts';
import { temporaryFolder } from '../support/folder.ts';
import { decisionItem, newCall, openTestLedger, outcomeItem, TEST_ROOT_KEY } from '../support/ledger.ts';
import type { LedgerFixture } from '../support/ledger.ts';
import { closeEpoch, createTestNotary, TEST_CHECKPOINT_KEY } from '../support/notary.ts';
import type { TestNotary } from '../support/notary.ts';
import { createDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';

const NAME = 'countersign.test/ledger';
const ANY = expect.any(Number) as number;

let database: TestDatabase;
let notary: TestNotary;
const opened: LedgerFixture[] = [];

beforeEach(async () => {
  database = await createDatabase();
  notary = createTestNotary(database);
});
afterEach(async () => {
  for (const { ledger } of opened.splice(0)) await ledger.close();
  await notary.close();
  await database.drop();
});

async function start(options: Partial<LedgerOptions> = {}): Promise<LedgerFixture> {
  const fixture = await openTestLedger(database, { appendTimeoutMs: 20_000, heads: notary.heads, ...options });
  opened.push(fixture);
  return fixture;
}

async function call({ ledger }: LedgerFixture, tenant = 'demo'): Promise<void> {
  const id = newCall();
  await ledger.append(decisionItem(id, { tenant }));
  await ledger.append(outcomeItem(id, 5n, { tenant }));
}

const look = (outside: readonly OutsideMemory[] = []): Promise<ForkFinding> =>
  findFork(database.connectGateway(1), notary.heads, NAME, outside);
const headFiles = (): string[] => readdirSync(notary.dir).filter((name) => name.endsWith('.heads'));

async function declare(outside: readonly OutsideMemory[] = []): Promise<Recovery> {
  const sql = database.connectGateway(2);
  const keys = await openKeyRing({ sql, rootKey: TEST_ROOT_KEY });
  return declareLoss({
    sql, writerSql: database.connectGateway(1), ownerSql: database.connectAdmin(1), keys, heads: notary.heads, origin: NAME, now: Date.now,
    outside, checkpoint: null, by: 'operator:ada', reason: 'disk lost', force: false,
  }); // prettier-ignore
}

describe('what was acknowledged after the last checkpoint', () => {
  test('is missed after a restore, by the next start of a process that stopped', async () => {
    const first = await start();
    await call(first);
    await closeEpoch(first, notary);
    await first.ledger.close();
    const copy = await database.copy();
    const second = await start();
    await call(second);
    await second.ledger.close();
    expect(await look()).toMatchObject({ guard: 'head store', problem: null });
    await database.restore(copy);
    expect((await start()).ledger.status()).toMatchObject({
      state: 'forked',
      fork: expect.stringContaining('was acknowledged') as string,
    });
    const { lost } = await declare();
    // The second process had told the deployment's log of itself; it told a caller of two entries of the tenant's.
    expect(lost).toMatchObject({ from: ANY, to: lost.from + 1 });
    const [row] = await database.connectAdmin(1)<{ facts: string }[]>`
      select e.facts from ledger.entries e join ledger.logs l on l.log = e.log where l.tenant = 'demo' and l.inc = 1 and e.seq = 0`;
    expect(JSON.parse(row?.facts ?? '')).toMatchObject({ lost: { from: 2, to: 4 } });
    const next = await start();
    expect(next.ledger.status().state).toBe('up');
    await call(next);
    expect(await look()).toMatchObject({ problem: null });
  });

  test('is kept within about a second by a process that is killed, and never by a call that waits', async () => {
    let writes = 0;
    const heads = {
      ...notary.heads,
      keepAcknowledged: async (...what: Parameters<typeof notary.heads.keepAcknowledged>) => {
        writes += 1;
        await notary.heads.keepAcknowledged(...what);
      },
    };
    const fixture = await start({ heads });
    const copy = await database.copy();
    await call(fixture);
    await expect.poll(() => headFiles().length, { timeout: 5000 }).toBe(1);
    for (let round = 0; round < 50; round += 1) await call(fixture);
    expect(writes).toBeLessThan(5);
    await database.restore(copy);
    expect((await look()).problem).toContain('was acknowledged');
  });

  test('stays one file however many processes start, and what one cannot write does not stop it', async () => {
    for (const tenant of ['a', 'b', 'c']) {
      const { ledger } = await start();
      await call({ ledger } as LedgerFixture, tenant);
      await ledger.close();
    }
    expect(headFiles()).toHaveLength(1);
    expect((await notary.heads.acknowledged(NAME)).size).toBe(4);
    const told: string[] = [];
    const heads = { ...notary.heads, keepAcknowledged: () => Promise.reject(new Error('disk full')) };
    const fixture = await start({ heads, onError: ({ message }) => told.push(message) });
    await call(fixture);
    await expect.poll(() => told.length, { timeout: 5000 }).toBe(1);
    await call(fixture);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(told).toHaveLength(1);
  });
});

describe('a witness', () => {
  let witness: TestWitness;
  const { send, egress } = openConnections();

  beforeEach(async () => {
    const key = createNoteSigner(`${NAME}/0`, 'ed25519', TEST_CHECKPOINT_KEY).key;
    const next = createNoteSigner(`${NAME}/1`, 'ed25519', TEST_CHECKPOINT_KEY).key;
    const logs = [key, next].map((each) => ({ key: each, url: null }));
    witness = await startWitness({ policy: { logs }, state: createWitnessState(temporaryFolder()) });
    return async () => witness.close();
  });

  const memory = (through: AnchorSend = send): OutsideMemory => {
    const { id, newest } = witnessTarget({ name: 'w', key: witness.key, url: witness.url }, through);
    if (newest === undefined) throw new TypeError('a witness remembers');
    return { id, newest };
  };
  /** One of another make has no page of its newest checkpoint. */
  const plain: AnchorSend = (request) =>
    request.method === 'GET'
      ? Promise.resolve({ status: 404, headers: new Map(), body: Buffer.alloc(0) })
      : send(request);

  async function cosigned(fixture: LedgerFixture): Promise<number> {
    await call(fixture);
    const { published } = await closeEpoch(fixture, notary);
    const target = witnessTarget({ name: 'w', key: witness.key, url: witness.url }, send);
    await anchorNewest({ sql: fixture.sql, targets: [target], onError: (error) => expect.unreachable(error.message) });
    return published?.size ?? 0;
  }

  /** The database as it was after a first checkpoint, and everything kept on the host gone with the disk. */
  async function restored(): Promise<number> {
    const fixture = await start();
    await cosigned(fixture);
    expect(await look([memory()])).toMatchObject({ problem: null, outside: [{ said: 'agrees' }] });
    const copy = await database.copy();
    const size = await cosigned(fixture);
    await fixture.ledger.close();
    await database.restore(copy);
    for (const name of readdirSync(notary.dir)) rmSync(`${notary.dir}/${name}`);
    return size;
  }

  test.each([
    ['of ours', () => memory()],
    ['of another make', () => memory(plain)],
  ])('%s that has seen a newer checkpoint than the database keeps a process from writing', async (_, ask) => {
    const size = await restored();
    const { ledger } = await start({ outside: [ask()] });
    expect(ledger.status()).toMatchObject({
      state: 'forked',
      fork: expect.stringContaining(`${String(size)} entries`) as string,
    });
    expect(await look([ask()])).toMatchObject({ guard: 'outside', outside: [{ said: 'differs' }] });
    // Nobody else on this host remembers.
    expect(await look()).toMatchObject({ guard: 'memory only', problem: null });
  });

  test('gives the checkpoint that a declared loss commits to, and takes the new incarnation', async () => {
    const size = await restored();
    const { lost, inc } = await declare([memory()]);
    expect({ inc, lost }).toMatchObject({ inc: 1, lost: { to: size, checkpoint: { size } } });
    const next = await start({ outside: [memory()] });
    expect(next.ledger.status().state).toBe('up');
    await cosigned(next);
    expect(await look([memory()])).toMatchObject({ guard: 'head store', problem: null, outside: [{ said: 'agrees' }] });
  });

  test('that has seen a deployment is asked by an empty database that claims its name', async () => {
    await restored();
    await database.drop();
    database = await createDatabase();
    expect((await look([memory()])).problem).toContain('which the database does not know');
  });

  test('that cannot be reached, or that answers nonsense, keeps nobody from starting', async () => {
    await restored();
    const nonsense: AnchorSend = () => Promise.resolve({ status: 200, headers: new Map(), body: Buffer.from('x\n\n') });
    await witness.close();
    const { ledger } = await start({ outside: [memory(), memory(nonsense)] });
    expect(ledger.status().state).toBe('up');
    expect((await look([memory()])).outside).toMatchObject([{ said: 'unreached' }]);
    await egress.close();
  });
});

test('a store that another deployment shares keeps its heads apart', async () => {
  const store = createHeadStore(notary.dir);
  await store.keepAcknowledged(
    'other.test/ledger',
    'w-1',
    new Map([['ab'.repeat(32), { inc: 0, seq: 9, hash: 'cd'.repeat(32) }]]),
  );
  await start();
  expect(await look()).toMatchObject({ problem: null });
  expect((await store.acknowledged('other.test/ledger')).size).toBe(1);
});
