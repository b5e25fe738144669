import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anchorNewest } from '../../../ledger/anchor/job.ts';
import { authorityTarget, witnessTarget } from '../../../ledger/anchor/target.ts';
import { eraseKeys, exportTenant, findControl, findPerson } from '../../../ledger/index.ts';
import type { ExportOptions } from '../../../ledger/index.ts';
import { createNoteSigner, formatVerifierKey } from '../../../ledger/note/key.ts';
import { parsePolicy } from '../../../ledger/witness/policy.ts';
import { createWitnessState } from '../../../ledger/witness/state.ts';
import { openConnections, startWitness, type TestWitness } from '../../support/anchors.ts';
import { decisionItem, newCall, openTestLedger, outcomeItem, type LedgerFixture } from '../../support/ledger.ts';
import { closeEpoch, createTestNotary, TEST_CHECKPOINT_KEY, type TestNotary } from '../../support/notary.ts';
import { copyDatabase, createDatabase, type TestDatabase } from '../../support/postgres.ts';
import { startAuthority, type TestAuthority } from '../../support/timestamp-authority.ts';

const ORIGIN = 'countersign.test/ledger/0';
export const VKEY = formatVerifierKey(createNoteSigner(ORIGIN, 'ed25519', TEST_CHECKPOINT_KEY).key);

/**
 * Exports of one history, and of another one of the same log by the same keys:
 * `good` 10 entries, all under an anchor · `asked` the same, with a sample and a control · `erased` the same and an erasure of bob, anchored · `younger` 3 entries more, of which no
 * epoch tells · `fork` the database as it was after 6 entries, restored, and carried on with all keys
 */
export type Base = 'good' | 'asked' | 'erased' | 'younger' | 'fork';

/** What a reader may bring along, by the names of the verifier's inputs. */
export type TrustName = 'policy' | 'certificates' | 'checkpoints' | 'receipts';

export interface Stand {
  readonly root: string;
  /** Folder of an export. */
  dir(base: Base): string;
  /** File of the reader. `quorumless` names the log and asks no witness. */
  file(name: TrustName | 'quorumless' | 'other-log'): string;
  /** What the witness answered to the checkpoint of the second history. */
  readonly refusals: readonly string[];
  close(): Promise<void>;
}

interface Outside {
  readonly witness: TestWitness;
  readonly authority: TestAuthority;
}

export async function openStand(): Promise<Stand> {
  const root = mkdtempSync(join(tmpdir(), 'countersign-attacks-'));
  const dir = (base: Base): string => join(root, base);
  const file = (name: string): string => join(root, 'reader', name);
  mkdirSync(join(root, 'reader'));
  const witness = await startWitness({
    policy: parsePolicy(`log ${VKEY}\nquorum none\n`),
    state: createWitnessState(join(root, 'witness')),
  });
  const outside = { witness, authority: await startAuthority({ key: 'rsa' }) };
  const { copy, receipts, notes } = await firstHistory(dir, outside);
  const refusals = await secondHistory(dir('fork'), copy, outside);
  const stranger = formatVerifierKey(createNoteSigner('other.test/ledger/0', 'ed25519', Buffer.alloc(32, 8)).key);
  const texts = {
    policy: `log ${VKEY}\nwitness W ${witness.vkey}\nquorum W\n`,
    quorumless: `log ${VKEY}\nquorum none\n`,
    'other-log': `log ${stranger}\nwitness W ${witness.vkey}\nquorum W\n`,
    certificates: outside.authority.ca,
    checkpoints: notes.map((note) => `${JSON.stringify({ note })}\n`).join(''),
    receipts: `${receipts.join('\n')}\n`,
  };
  for (const [name, text] of Object.entries(texts)) writeFileSync(file(name), text);
  await witness.close();
  await outside.authority.close();
  return {
    root,
    dir,
    file,
    refusals,
    close: () => {
      rmSync(root, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}

interface FirstHistory {
  /** The database after six entries. */
  readonly copy: TestDatabase;
  /** Of the decisions after them. */
  readonly receipts: readonly string[];
  /** The last two checkpoints. */
  readonly notes: readonly string[];
}

async function firstHistory(dir: (base: Base) => string, outside: Outside): Promise<FirstHistory> {
  const database = await createDatabase();
  const before = await openTestLedger(database);
  const early = createTestNotary(database);
  for (let i = 0; i < 3; i += 1) await answered(before);
  await anchored(before, early, outside);
  await before.ledger.close();
  await Promise.all([before.sql.end(), before.writerSql.end(), early.close()]);
  const copy = await copyDatabase(database);
  const fixture = await openTestLedger(database);
  const notary = createTestNotary(database);
  const receipts = [await answered(fixture, 'user:bob'), await answered(fixture)];
  const { published: second } = await anchored(fixture, notary, outside);
  const write = (base: Base, wish: Partial<ExportOptions> = {}): Promise<unknown> =>
    exportTenant(fixture.sql, fixture.keys, { tenant: 'demo', dir: dir(base), ...wish });
  await write('good');
  const control = findControl('ai-act-12-1');
  await write('asked', { sample: { size: 2, seed: 'lot' }, ...(control === null ? {} : { control }) });
  await erase(fixture, 'user:bob');
  const { published: third } = await anchored(fixture, notary, outside);
  await write('erased');
  receipts.push(await answered(fixture));
  await fixture.ledger.append(decisionItem(newCall()));
  await write('younger');
  await fixture.ledger.close();
  await notary.close();
  await database.drop();
  return { copy, receipts, notes: [second?.note ?? '', third?.note ?? ''] };
}

/** Whoever owns the database and all keys carries on from the backup. Only who was outside can tell. */
async function secondHistory(dir: string, database: TestDatabase, outside: Outside): Promise<string[]> {
  const fixture = await openTestLedger(database);
  // Its head store knows nothing of the first history.
  const notary = createTestNotary(database);
  for (let i = 0; i < 6; i += 1) await answered(fixture, 'user:eve');
  const { failures } = await anchored(fixture, notary, { witness: outside.witness });
  await exportTenant(fixture.sql, fixture.keys, { tenant: 'demo', dir });
  await fixture.ledger.close();
  await notary.close();
  await database.drop();
  return failures;
}

/** Two entries; the receipt of the first. */
async function answered({ ledger }: LedgerFixture, subject = 'user:ada'): Promise<string> {
  const call = newCall();
  const receipt = await ledger.signReceipt(await ledger.append(decisionItem(call, { subject })), 'ef'.repeat(32));
  await ledger.append(outcomeItem(call, 20n, { subject }));
  return receipt;
}

async function anchored(
  { sql, ledger }: LedgerFixture,
  notary: TestNotary,
  { witness, authority }: { readonly witness: TestWitness; readonly authority?: TestAuthority },
): Promise<{ readonly published: { readonly note: string } | null; readonly failures: string[] }> {
  const { send, egress } = openConnections();
  const { published } = await closeEpoch({ sql, ledger }, notary);
  const failures: string[] = [];
  const tsa = { name: 'tsa', url: authority?.url ?? '', everyMs: 0, trusted: null, random: randomBytes };
  const targets = [
    witnessTarget({ name: 'w', key: witness.key, url: witness.url }, send),
    ...(authority === undefined ? [] : [authorityTarget(tsa, send)]),
  ];
  await anchorNewest({ sql, targets, onError: ({ message }) => failures.push(message) });
  await egress.close();
  return { published, failures };
}

async function erase(fixture: LedgerFixture, subject: string): Promise<void> {
  const { scope, keys } = await findPerson(fixture.sql, fixture.keys, 'demo', { subject });
  const order = {
    tenant: 'demo',
    scope,
    basis: 'gdpr-17-1-b',
    keys: keys.map(({ key }) => key),
    facts: { approval: 'ap-test', approvers: 2 },
    detail: { by: 'a', approved_by: 'b', reason: 'asked for it' },
  } as const;
  await fixture.sql.begin((tx) => eraseKeys(tx, fixture, order));
  await fixture.keys.refresh();
}
