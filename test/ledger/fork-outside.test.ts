import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { anchorNewest } from '../../ledger/anchor/job.ts';
import type { AnchorSend } from '../../ledger/anchor/send.ts';
import { witnessTarget } from '../../ledger/anchor/target.ts';
import { createHeadStore, findFork } from '../../ledger/index.ts';
import type { ForkFinding, LedgerOptions, OutsideMemory } from '../../ledger/index.ts';
import { createNoteSigner } from '../../ledger/note/key.ts';
import { createWitnessState } from '../../ledger/witness/state.ts';
import { openConnections, startWitness } from '../support/anchors.ts';
import type { TestWitness } from '../support/anchors.ts';
import { temporaryFolder } from '../support/folder.ts';
import { decisionItem, newCall, outcomeItem } from '../support/ledger.ts';
import type { LedgerFixture } from '../support/ledger.ts';
import { closeEpoch, TEST_CHECKPOINT_KEY } from '../support/notary.ts';
import { createDatabase } from '../support/postgres.ts';
import { LEDGER_NAME, restoreStand } from '../support/restores.ts';

const ANY = expect.any(Number) as number;

const stand = restoreStand();
const { declare } = stand;

const start = (options: Partial<LedgerOptions> = {}): Promise<LedgerFixture> =>
  stand.start({ heads: stand.notary.heads, ...options });

async function call({ ledger }: LedgerFixture, tenant = 'demo'): Promise<void> {
  const id = newCall();
  await ledger.append(decisionItem(id, { tenant }));
  await ledger.append(outcomeItem(id, 5n, { tenant }));
}

const look = (outside: readonly OutsideMemory[] = []): Promise<ForkFinding> =>
  findFork(stand.database.connectGateway(1), stand.notary.heads, LEDGER_NAME, outside);
const headFiles = (): string[] => readdirSync(stand.notary.dir).filter((name) => name.endsWith('.heads'));

describe('what was acknowledged after the last checkpoint', () => {
  test('is missed after a restore, by the next start of a process that stopped', async () => {
    const first = await start();
    await call(first);
    await closeEpoch(first, stand.notary);
    await first.ledger.close();
    const copy = await stand.database.copy();
    const second = await start();
    await call(second);
    await second.ledger.close();
    expect(await look()).toMatchObject({ guard: 'head store', problem: null });
    await stand.database.restore(copy);
    expect((await start()).ledger.status()).toMatchObject({
      state: 'forked',
      fork: expect.stringContaining('was acknowledged') as string,
    });
    const { lost } = await declare();
    // The second process had told the deployment's log of itself; it told a caller of two entries of the tenant's.
    expect(lost).toMatchObject({ from: ANY, to: lost.from + 1 });
    const [row] = await stand.database.connectAdmin(1)<{ facts: string }[]>`
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
      ...stand.notary.heads,
      keepAcknowledged: async (...what: Parameters<typeof stand.notary.heads.keepAcknowledged>) => {
        writes += 1;
        await stand.notary.heads.keepAcknowledged(...what);
      },
    };
    const fixture = await start({ heads });
    const copy = await stand.database.copy();
    await call(fixture);
    await expect.poll(() => headFiles().length, { timeout: 5000 }).toBe(1);
    for (let round = 0; round < 50; round += 1) await call(fixture);
    expect(writes).toBeLessThan(5);
    await stand.database.restore(copy);
    expect((await look()).problem).toContain('was acknowledged');
  });

  test('stays one file however many processes start, and what one cannot write does not stop it', async () => {
    for (const tenant of ['a', 'b', 'c']) {
      const { ledger } = await start();
      await call({ ledger } as LedgerFixture, tenant);
      await ledger.close();
    }
    expect(headFiles()).toHaveLength(1);
    expect((await stand.notary.heads.acknowledged(LEDGER_NAME)).size).toBe(4);
    const told: string[] = [];
    const heads = { ...stand.notary.heads, keepAcknowledged: () => Promise.reject(new Error('disk full')) };
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
    const key = createNoteSigner(`${LEDGER_NAME}/0`, 'ed25519', TEST_CHECKPOINT_KEY).key;
    const next = createNoteSigner(`${LEDGER_NAME}/1`, 'ed25519', TEST_CHECKPOINT_KEY).key;
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
    const { published } = await closeEpoch(fixture, stand.notary);
    const target = witnessTarget({ name: 'w', key: witness.key, url: witness.url }, send);
    await anchorNewest({ sql: fixture.sql, targets: [target], onError: (error) => expect.unreachable(error.message) });
    return published?.size ?? 0;
  }

  /** The database as it was after a first checkpoint, and everything kept on the host gone with the disk. */
  async function restored(): Promise<number> {
    const fixture = await start();
    await cosigned(fixture);
    expect(await look([memory()])).toMatchObject({ problem: null, outside: [{ said: 'agrees' }] });
    const copy = await stand.database.copy();
    const size = await cosigned(fixture);
    await fixture.ledger.close();
    await stand.database.restore(copy);
    for (const name of readdirSync(stand.notary.dir)) rmSync(`${stand.notary.dir}/${name}`);
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
    const { lost, inc } = await declare({ outside: [memory()] });
    expect({ inc, lost }).toMatchObject({ inc: 1, lost: { to: size, checkpoint: { size } } });
    const next = await start({ outside: [memory()] });
    expect(next.ledger.status().state).toBe('up');
    await cosigned(next);
    expect(await look([memory()])).toMatchObject({ guard: 'head store', problem: null, outside: [{ said: 'agrees' }] });
  });

  test('that has seen a deployment is asked by an empty database that claims its name', async () => {
    await restored();
    await stand.database.drop();
    stand.database = await createDatabase();
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
  const store = createHeadStore(stand.notary.dir);
  const head = { inc: 0, slot: 3, seq: 9, hash: 'cd'.repeat(32) };
  await store.keepAcknowledged('other.test/ledger', 'w-1', new Map([['ab'.repeat(32), head]]));
  await start();
  expect(await look()).toMatchObject({ problem: null });
  expect([...(await store.acknowledged('other.test/ledger')).values()]).toEqual([head]);
});

test('heads of an older version, without slots, are read; and a slot that no log can have costs a few thousand', async () => {
  const first = await start();
  const copies = [await stand.database.copy(), await stand.database.copy()];
  await call(first);
  await first.ledger.close();
  const [file = ''] = headFiles();
  const path = join(stand.notary.dir, file);
  const text = readFileSync(path, 'utf8');
  const declared = async (copy: string | undefined, slot: string): Promise<number[]> => {
    writeFileSync(path, text.replaceAll(/^([0-9a-f]{64} .*) \d+$/gm, `$1${slot}`));
    await stand.database.restore(copy ?? '');
    await declare();
    const rows = await stand.database.connectAdmin(1)<{ slot: string }[]>`select slot from ledger.logs order by slot`;
    return rows.map((row) => Number(row.slot));
  };
  expect(await declared(copies[0], '')).toEqual([0, 1]);
  expect(await declared(copies[1], ' 999999999')).toEqual([0, 4097]);
});
