import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Egress } from '../../../gateway/egress.ts';
import { readCertificates } from '../../../ledger/anchor/certificate.ts';
import { anchorNewest, startAnchorJob } from '../../../ledger/anchor/job.ts';
import { readAnchorStatus } from '../../../ledger/anchor/status.ts';
import { authorityTarget, witnessTarget } from '../../../ledger/anchor/target.ts';
import type { AnchorTarget } from '../../../ledger/anchor/target.ts';
import { verifyTimestamp } from '../../../ledger/anchor/timestamp.ts';
import type { AnchorSend } from '../../../ledger/anchor/send.ts';
import { epochOverview } from '../../../ledger/epoch/overview.ts';
import type { Published } from '../../../ledger/epoch/notary.ts';
import { createNoteSigner, formatVerifierKey, parseVerifierKey } from '../../../ledger/note/key.ts';
import { openNote } from '../../../ledger/note/note.ts';
import { parsePolicy } from '../../../ledger/witness/policy.ts';
import { createWitnessState } from '../../../ledger/witness/state.ts';
import { openConnections, startWitness, type TestWitness } from '../../support/anchors.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { decisionItem, newCall, openTestLedger } from '../../support/ledger.ts';
import type { LedgerFixture } from '../../support/ledger.ts';
import { closeEpoch, createTestNotary, TEST_CHECKPOINT_KEY } from '../../support/notary.ts';
import type { TestNotary } from '../../support/notary.ts';
import { createDatabase } from '../../support/postgres.ts';
import type { TestDatabase } from '../../support/postgres.ts';
import { startAuthority, type TestAuthority } from '../../support/timestamp-authority.ts';

const ORIGIN = 'countersign.test/ledger/0';
const VKEY = formatVerifierKey(createNoteSigner(ORIGIN, 'ed25519', TEST_CHECKPOINT_KEY).key);

let database: TestDatabase;
let fixture: LedgerFixture;
let notary: TestNotary;
let connections: { readonly send: AnchorSend; readonly egress: Egress };
let witnesses: TestWitness[];

beforeEach(async () => {
  database = await createDatabase();
  fixture = await openTestLedger(database);
  notary = createTestNotary(database);
  connections = openConnections();
  witnesses = [];
});
afterEach(async () => {
  await connections.egress.close();
  for (const witness of witnesses) await witness.close();
  await fixture.ledger.close();
  await notary.close();
  await database.drop();
});

async function checkpoint(): Promise<Published> {
  await fixture.ledger.append(decisionItem(newCall(), { open: false }));
  const { published } = await closeEpoch(fixture, notary);
  if (published === null) throw new TypeError('expected a checkpoint');
  return published;
}

async function witness(name: string, dir = join(temporaryFolder(), name), port = 0): Promise<TestWitness> {
  const policy = parsePolicy(`log ${VKEY}\nquorum none\n`);
  const started = await startWitness({ policy, state: createWitnessState(dir), name: `${name}.test/w`, port });
  witnesses.push(started);
  return started;
}

const targetOf = ({ key, url }: Pick<TestWitness, 'key' | 'url'>): AnchorTarget =>
  witnessTarget({ name: key.name, key, url }, connections.send);

interface Failure {
  readonly target: string | null;
  readonly code: string;
}

/** One look of the job; what failed. A pause of 1 ms unless another is wanted. */
async function look(targets: readonly AnchorTarget[], retryMs = 1): Promise<Failure[]> {
  const failures: Failure[] = [];
  const onError = ({ code }: { code: string }, target: string | null): void => void failures.push({ target, code });
  await anchorNewest({ sql: fixture.sql, targets, onError, retryMs });
  return failures;
}

const idOf = ({ vkey }: TestWitness): string => `witness:${vkey.split('+', 2).join('+')}`;

describe('witnesses', () => {
  test('cosign every checkpoint, with proofs out of the database; a checkpoint is asked for once', async () => {
    const one = await witness('one');
    const two = await witness('two');
    const targets = [targetOf(one), targetOf(two)];
    expect(await look(targets)).toEqual([]);
    const first = await checkpoint();
    expect(await look(targets)).toEqual([]);
    for (let i = 0; i < 300; i += 1)
      await fixture.ledger.append({ tenant: '_deployment', kind: 'config', class: 'event', call: newCall(), subject: null, sections: {} }); // prettier-ignore
    const last = await checkpoint();
    expect(await look(targets)).toEqual([]);
    expect(await look(targets)).toEqual([]);
    const rows = await fixture.sql<
      { size: string; line: string }[]
    >`select size, line from ledger.cosignatures order by size, vkey`;
    expect(rows.map(({ size }) => Number(size))).toEqual([first.size, first.size, last.size, last.size]);
    const note = last.note + rows.slice(2).map(({ line }) => line).join(''); // prettier-ignore
    expect(openNote(note, [parseVerifierKey(VKEY), one.key, two.key]).verified).toHaveLength(3);
    expect((await epochOverview(fixture.sql)).witnesses.toSorted()).toEqual([one.vkey, two.vkey].toSorted());
  });

  test('reach a quorum or do not, and the status says how far', async () => {
    const [one, two, three] = [await witness('one'), await witness('two'), await witness('three')];
    const lines = [one, two, three].map(({ vkey }, index) => `witness W${String(index)} ${vkey}`);
    const policy = parsePolicy([...lines, 'group g 2 W0 W1 W2', 'quorum g'].join('\n'));
    const { size } = await checkpoint();
    await look([targetOf(one)]);
    expect((await readAnchorStatus(fixture.sql, policy)).newest.witness).toBeNull();
    expect((await readAnchorStatus(fixture.sql, null)).newest.witness?.size).toBe(size);
    await look([targetOf(one), targetOf(three)]);
    const later = await checkpoint();
    await look([targetOf(two)]);
    const status = await readAnchorStatus(fixture.sql, policy);
    expect([status.checkpointSize, status.newest.witness?.size]).toEqual([later.size, size]);
    expect(status.targets.find(({ id }) => id === idOf(two))?.newest?.size).toBe(later.size);
  });

  test('that are away are left alone for longer each time, and are asked again', async () => {
    const dir = join(temporaryFolder(), 'state');
    const one = await witness('one', dir);
    const port = Number(new URL(one.url).port);
    await one.close();
    await checkpoint();
    const target = targetOf(one);
    expect(await look([target], 60_000)).toEqual([{ target: idOf(one), code: 'unavailable' }]);
    // Within the pause nobody asks.
    expect(await look([target], 60_000)).toEqual([]);
    const [state] = (await readAnchorStatus(fixture.sql, null)).targets;
    expect(state).toMatchObject({ id: idOf(one), failures: 1, newest: null, forked: false });
    expect((state?.nextTryMs ?? 0) - Date.now()).toBeGreaterThan(30_000);
    const { sql } = fixture;
    const pauses: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      await sql`select ledger.note_anchor_try('witness:other', 'away', false, 5000, 12000)`;
      const [row] = await sql<{ ms: number }[]>`
        select extract(epoch from next_try - clock_timestamp())::float8 * 1000 as ms from ledger.anchor_tries where target = 'witness:other'`;
      pauses.push(Math.round((row?.ms ?? 0) / 1000));
    }
    expect(pauses).toEqual([5, 10, 12]);
    await database.connectAdmin(1)`update ledger.anchor_tries set next_try = now()`;
    await witness('one', dir, port);
    expect(await look([target])).toEqual([]);
    const again = (await readAnchorStatus(sql, null)).targets.find(({ id }) => id === idOf(one));
    expect(again).toMatchObject({ failures: 0, problem: null, nextTryMs: null });
  });

  test('say when the database was restored to an older state, and stay with what they saw', async () => {
    const one = await witness('one');
    const first = await checkpoint();
    await checkpoint();
    expect(await look([targetOf(one)])).toEqual([]);
    await cutBack(first.size);
    expect(await look([targetOf(one)])).toEqual([{ target: idOf(one), code: 'forked' }]);
    const status = await readAnchorStatus(fixture.sql, null);
    expect(status.targets).toEqual([expect.objectContaining({ forked: true, failures: 1 })]);
    expect(status.targets[0]?.problem).toContain('restored');
  });

  test('say so too when the log has grown beyond again with other entries', async () => {
    const one = await witness('one');
    const first = await checkpoint();
    await checkpoint();
    await look([targetOf(one)]);
    await cutBack(first.size);
    // A notary without its memory signs whatever it finds, of a process that remembers none of what was lost.
    const forgetful = createTestNotary(database);
    const other = await openTestLedger(database);
    for (let i = 0; i < 20; i += 1)
      await other.ledger.append({ tenant: '_deployment', kind: 'config', class: 'event', call: newCall(), subject: null, sections: {} }); // prettier-ignore
    await other.ledger.append(decisionItem(newCall(), { open: false }));
    await closeEpoch(other, forgetful);
    expect(await look([targetOf(one)])).toEqual([{ target: idOf(one), code: 'forked' }]);
    await other.ledger.close();
    await forgetful.close();
  });
});

/** What an owner can do after turning the triggers off, as a restore would. */
async function cutBack(size: number): Promise<void> {
  await database.connectAdmin(1).begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    for (const { name } of await tx<{ name: string }[]>`
      select tgrelid::regclass::text as name from pg_trigger where tgname = 'refuse_change'`)
      await tx.unsafe(`alter table ${name} disable trigger refuse_change`);
    const log = tx`(select log from ledger.logs where tenant = '_deployment')`;
    for (const table of ['cosignatures', 'timestamps', 'checkpoints'])
      await tx`delete from ${tx(`ledger.${table}`)} where size > ${size}`;
    await tx`delete from ledger.entries where log = ${log} and seq >= ${size}`;
    await tx`delete from ledger.epoch_heads where epoch > 0`;
    await tx`delete from ledger.epochs where epoch > 0`;
  });
}

describe('timestamp authorities', () => {
  let authority: TestAuthority;
  beforeEach(async () => {
    authority = await startAuthority({ key: 'ec' });
  });
  afterEach(() => authority.close());

  const target = (everyMs: number, pem: string | null = authority.ca): AnchorTarget => {
    const trusted = pem === null ? null : (readCertificates(pem) ?? []);
    return authorityTarget(
      { name: 'test', url: authority.url, everyMs, trusted, random: randomBytes },
      connections.send,
    );
  };

  test('stamp the exact note, as often as they are asked to', async () => {
    const first = await checkpoint();
    expect(await look([target(3_600_000)])).toEqual([]);
    await checkpoint();
    expect(await look([target(3_600_000)])).toEqual([]);
    const rows = await fixture.sql<{ size: string; token: Buffer }[]>`select size, token from ledger.timestamps`;
    expect(rows.map(({ size }) => Number(size))).toEqual([first.size]);
    const trusted = readCertificates(authority.ca) ?? [];
    const { timeMs } = verifyTimestamp(rows[0]?.token ?? Buffer.alloc(0), Buffer.from(first.note), trusted);
    const status = await readAnchorStatus(fixture.sql, null);
    expect(status.newest.tsa).toEqual({ size: first.size, timeMs });
    expect(await look([target(0)])).toEqual([]);
    expect(await fixture.sql`select 1 from ledger.timestamps`).toHaveLength(2);
  });

  test('that answer what no reader could verify, or nothing, have failed', async () => {
    await checkpoint();
    const other = await startAuthority({ key: 'ec' });
    expect(await look([target(0, other.ca)])).toEqual([{ target: 'tsa:test', code: 'timestamp' }]);
    await other.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    authority.failing = 503;
    expect(await look([target(0)])).toEqual([{ target: 'tsa:test', code: 'timestamp' }]);
    expect(await fixture.sql`select 1 from ledger.timestamps`).toHaveLength(0);
  });
});

test('what is stored cannot be changed, and only the functions store', async () => {
  const one = await witness('one');
  await checkpoint();
  await look([targetOf(one)]);
  const admin = database.connectAdmin(1);
  for (const table of ['cosignatures', 'timestamps', 'copies']) {
    await expect(admin.unsafe(`delete from ledger.${table}`)).rejects.toMatchObject({ code: 'CS050' });
    await expect(fixture.sql.unsafe(`insert into ledger.${table} default values`)).rejects.toMatchObject({
      code: '42501',
    });
  }
  await expect(fixture.sql`update ledger.anchor_tries set failures = 0`).rejects.toMatchObject({ code: '42501' });
});

test('one process of several does the work, and another goes on when it ends', async () => {
  const one = await witness('one');
  const looks = { a: 0, b: 0, c: 0 };
  const errors: unknown[] = [];
  const start = (holder: keyof typeof looks): ReturnType<typeof startAnchorJob> =>
    startAnchorJob({
      sql: fixture.sql, holder, targets: [targetOf(one)], pollMs: 20, onError: (error) => errors.push(error),
      onLook: () => Promise.resolve(void (looks[holder] += 1)),
    }); // prettier-ignore
  const jobs = [start('a'), start('b')];
  const sizes: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    sizes.push((await checkpoint()).size);
    await expect.poll(async () => (await readAnchorStatus(fixture.sql, null)).newest.witness?.size, { timeout: 20_000 }).toBe(sizes.at(-1)); // prettier-ignore
  }
  await expect.poll(() => Math.min(looks.a, looks.b)).toBeGreaterThan(0);
  for (const job of jobs) await job.close();
  // Whoever closes gives it to the next, who need not wait for a lease to end.
  const { size } = await checkpoint();
  const next = start('c');
  await expect.poll(async () => (await readAnchorStatus(fixture.sql, null)).newest.witness?.size, { timeout: 20_000 }).toBe(size); // prettier-ignore
  await next.close();
  expect(errors).toEqual([]);
});
