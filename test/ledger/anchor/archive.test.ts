import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anchorNewest } from '../../../ledger/anchor/job.ts';
import { archiveTarget } from '../../../ledger/anchor/archive.ts';
import type { ArchiveOptions } from '../../../ledger/anchor/archive.ts';
import type { AnchorTarget } from '../../../ledger/anchor/target.ts';
import { findFork } from '../../../ledger/index.ts';
import type { ForkFinding, OutsideMemory } from '../../../ledger/index.ts';
import { readAnchorStatus } from '../../../ledger/anchor/status.ts';
import { merkleRoot } from '../../../ledger/merkle.ts';
import { parseCheckpoint } from '../../../ledger/note/checkpoint.ts';
import { parseNote } from '../../../ledger/note/note.ts';
import { openConnections } from '../../support/anchors.ts';
import { decisionItem, newCall, openTestLedger } from '../../support/ledger.ts';
import type { LedgerFixture } from '../../support/ledger.ts';
import { findMoto, startStore, type TestStore } from '../../support/moto.ts';
import { closeEpoch, createTestNotary } from '../../support/notary.ts';
import type { TestNotary } from '../../support/notary.ts';
import { createDatabase } from '../../support/postgres.ts';
import type { TestDatabase } from '../../support/postgres.ts';

const python = findMoto();

describe.skipIf(python === null)('an object store with object lock', () => {
  let store: TestStore;
  let database: TestDatabase;
  let fixture: LedgerFixture;
  let notary: TestNotary;
  const { send, egress } = openConnections();

  beforeAll(async () => {
    store = await startStore(python ?? '');
    database = await createDatabase();
    fixture = await openTestLedger(database);
    notary = createTestNotary(database);
    store.python(`s3.create_bucket(Bucket='evidence', ObjectLockEnabledForBucket=True)\nprint('null')`);
  });
  afterAll(async () => {
    await egress.close();
    await fixture.ledger.close();
    await notary.close();
    await database.drop();
    await store.close();
  });

  function archive(change: Partial<ArchiveOptions> = {}): AnchorTarget {
    const bucket = { url: store.url, bucket: 'evidence', region: 'us-east-1', accessKeyId: 'k', secretAccessKey: 's' };
    const lock = { mode: 'COMPLIANCE', days: 30 } as const;
    return archiveTarget({ bucket, prefix: 'ledger/', everyMs: 0, lock, now: Date.now, ...change }, send);
  }

  async function copy(change: Partial<ArchiveOptions> = {}): Promise<string[]> {
    const target = archive(change);
    const failures: string[] = [];
    const onError = ({ message }: Error): void => void failures.push(message);
    await anchorNewest({ sql: fixture.sql, targets: [target], onError, retryMs: 1 });
    return failures;
  }

  const append = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1)
      await fixture.ledger.append({ tenant: '_deployment', kind: 'config', class: 'event', call: newCall(), subject: null, sections: {} }); // prettier-ignore
    await fixture.ledger.append(decisionItem(newCall(), { open: false }));
  };

  test('keeps checkpoints and tiles that give the root again, and lets nobody delete them', async () => {
    for (const count of [3, 600]) {
      await append(count);
      await closeEpoch(fixture, notary);
      expect(await copy()).toEqual([]);
    }
    const listed = store.python(
      `print(json.dumps([o['Key'] for o in s3.list_objects_v2(Bucket='evidence')['Contents']]))`,
    ) as string[];
    const log = listed[0]?.split('/')[1] ?? '';
    const note = listed.filter((key) => key.endsWith('.note')).at(-1) ?? '';
    const read = (key: string): Buffer =>
      Buffer.from(String(store.python(`print(json.dumps(s3.get_object(Bucket='evidence', Key='${key}')['Body'].read().hex()))`)), 'hex'); // prettier-ignore
    const { size, root } = parseCheckpoint(parseNote(read(note).toString('utf8')).text);
    expect(size).toBeGreaterThan(600);
    const width = size - 512;
    const leaves = ['000', '001', `002.p/${String(width)}`].flatMap(
      (tile) => read(`ledger/${log}/tile/0/${tile}`).toString('hex').match(/.{64}/g) ?? [],
    );
    expect(merkleRoot(leaves)).toBe(root);
    expect(JSON.parse(read(note.replace('.note', '.anchors.json')).toString('utf8'))).toEqual({ cosignatures: [], size, timestamps: [] }); // prettier-ignore
    const locked = store.python(`
head = s3.head_object(Bucket='evidence', Key='${note}')
version = s3.list_object_versions(Bucket='evidence', Prefix='${note}')['Versions'][0]['VersionId']
try:
  s3.delete_object(Bucket='evidence', Key='${note}', VersionId=version)
  deleted = 'deleted'
except Exception as error:
  deleted = error.response['Error']['Code']
print(json.dumps([head['ObjectLockMode'], head['ObjectLockRetainUntilDate'].timestamp() * 1000, deleted]))`) as [string, number, string]; // prettier-ignore
    expect([locked[0], locked[2]]).toEqual(['COMPLIANCE', 'AccessDenied']);
    expect(locked[1] - Date.now()).toBeGreaterThan(29 * 86_400_000);
    const status = await readAnchorStatus(fixture.sql, null);
    expect(status.newest.archive?.size).toBe(size);
  });

  test('that refuses is asked again, and without object lock nothing is taken for locked', async () => {
    await append(1);
    await closeEpoch(fixture, notary);
    const bucket = { url: store.url, bucket: 'missing', region: 'us-east-1', accessKeyId: 'k', secretAccessKey: 's' };
    expect(await copy({ bucket })).toEqual([expect.stringContaining('found status 404')]);
    store.python(`s3.create_bucket(Bucket='plain')\nprint('null')`);
    expect(await copy({ bucket: { ...bucket, bucket: 'plain' } })).toEqual([
      expect.stringContaining('found status 400'),
    ]);
    expect(await copy({ bucket: { ...bucket, bucket: 'plain' }, lock: null, prefix: 'open/' })).toEqual([]);
  });

  test('that keeps a newer checkpoint than a restored database keeps a process from writing to it', async () => {
    const { id, newest } = archive();
    const outside: OutsideMemory[] = newest === undefined ? [] : [{ id, newest }];
    await closeEpoch(fixture, notary);
    expect(await copy()).toEqual([]);
    const look = (): Promise<ForkFinding> =>
      findFork(database.connectGateway(1), null, 'countersign.test/ledger', outside);
    expect(await look()).toMatchObject({ guard: 'outside', problem: null, outside: [{ id, said: 'agrees' }] });
    const older = await database.copy();
    await append(1);
    await closeEpoch(fixture, notary);
    expect(await copy()).toEqual([]);
    const { checkpointSize } = await readAnchorStatus(fixture.sql, null);
    await fixture.ledger.close();
    await database.restore(older);
    expect((await look()).problem).toContain(`${id} remembers a checkpoint of ${String(checkpointSize)} entries`);
    fixture = await openTestLedger(database, { outside });
    expect(fixture.ledger.status().state).toBe('forked');
    expect(
      await findFork(fixture.sql, null, '', [{ id, newest: () => Promise.reject(new Error('away')) }]),
    ).toMatchObject({
      guard: 'memory only',
      outside: [{ said: 'unreached' }],
    });
  });
});
