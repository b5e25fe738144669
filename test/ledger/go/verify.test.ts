import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { proveEntry } from '../../../ledger/epoch/prove.ts';
import { readBundle, readConsistency, readTile } from '../../../ledger/epoch/tree-reader.ts';
import type { Appended } from '../../../ledger/index.ts';
import { bundlePath, encodeTile, hashesAt, tilePath } from '../../../ledger/tree/tile.ts';
import { decisionItem, newCall, openTestLedger } from '../../support/ledger.ts';
import type { LedgerFixture } from '../../support/ledger.ts';
import { closeEpoch, createTestNotary } from '../../support/notary.ts';
import type { TestNotary } from '../../support/notary.ts';
import { createDatabase } from '../../support/postgres.ts';
import type { TestDatabase } from '../../support/postgres.ts';
import { findGo, GO_MODULE } from './toolchain.ts';

const go = findGo();

interface Input {
  vkey: string;
  origin: string;
  checkpoint: string;
  older: string;
  consistency: string[];
  folder: string;
  proof: string;
  entry: string;
}

describe.skipIf(go === null)('golang.org/x/mod and transparency-dev/merkle', () => {
  let database: TestDatabase;
  let fixture: LedgerFixture;
  let notary: TestNotary;
  let folder: string;
  let program: string;
  let input: Input;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-go-'));
    program = join(folder, 'verify');
    execFileSync(go ?? '', ['build', '-o', program, '.'], {
      cwd: GO_MODULE,
      env: { ...process.env, GOFLAGS: '-mod=readonly' },
    });
    database = await createDatabase();
    fixture = await openTestLedger(database);
    notary = createTestNotary(database);
    let entry: Appended | undefined;
    for (let index = 0; index < 300; index += 1)
      entry = await fixture.ledger.append(decisionItem(newCall(), { open: false }));
    await closeEpoch(fixture, notary);
    // The deployment's log needs more than one tile.
    await Promise.all(
      Array.from({ length: 600 }, () =>
        fixture.ledger.append({
          tenant: '_deployment',
          kind: 'config',
          class: 'event',
          call: newCall(),
          subject: null,
          sections: {},
        }),
      ),
    );
    await fixture.ledger.append(decisionItem(newCall(), { open: false }));
    await closeEpoch(fixture, notary);
    if (entry === undefined) throw new TypeError('an entry');
    input = await gather(entry);
  });
  afterAll(async () => {
    await fixture.ledger.close();
    await notary.close();
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  /** Everything a stranger would fetch, in files as it is served. */
  async function gather(entry: Appended): Promise<Input> {
    const { sql } = fixture;
    const [older, newer] = await sql<{ log: string; size: number; note: string; vkey: string }[]>`
      select log, size::int, note, vkey from ledger.checkpoints order by size`;
    if (older === undefined || newer === undefined) throw new TypeError('two checkpoints');
    const { log, size } = newer;
    const write = (path: string, bytes: Uint8Array): void => {
      mkdirSync(dirname(join(folder, 'tile', path)), { recursive: true });
      writeFileSync(join(folder, 'tile', path), bytes);
    };
    for (let level = 0; hashesAt(level, size) > 0; level += 1) {
      for (let n = 0; n * 256 < hashesAt(level, size); n += 1) {
        const tile = { level, n, width: Math.min(256, hashesAt(level, size) - n * 256) };
        write(tilePath(tile), encodeTile(await readTile(sql, log, tile)));
        if (level === 0) write(bundlePath(tile), await readBundle(sql, log, tile));
      }
    }
    const consistency = await readConsistency(sql, log, older.size, size);
    const [row] = await sql<
      { header: string }[]
    >`select header from ledger.entries where log = ${entry.log} and seq = ${entry.seq}`;
    return {
      vkey: newer.vkey,
      origin: 'countersign.test/ledger/0',
      checkpoint: newer.note,
      older: older.note,
      consistency: consistency.map((hash) => Buffer.from(hash, 'hex').toString('base64')),
      folder,
      proof: await proveEntry(sql, entry),
      entry: row?.header ?? '',
    };
  }

  const verify = (change: Partial<Input>): string =>
    spawnSync(program, { input: JSON.stringify({ ...input, ...change }), encoding: 'utf8' }).stdout.trim();

  test('verify our checkpoints, consistency, tiles, bundles and proofs', () => {
    expect(verify({})).toBe('ok');
  });

  test('and so does the check of another log implementation', { timeout: 400_000 }, () => {
    const fsck = join(folder, 'fsck');
    const environment = { ...process.env, GOFLAGS: '-mod=readonly', CGO_ENABLED: '0' };
    execFileSync(go ?? '', ['build', '-o', fsck, 'github.com/transparency-dev/tessera/cmd/fsck'], {
      cwd: GO_MODULE,
      env: environment,
    });
    writeFileSync(join(folder, 'checkpoint'), input.checkpoint);
    writeFileSync(join(folder, 'vkey'), input.vkey);
    const args = [
      `--storage_url=file://${folder}/`,
      `--public_key=${join(folder, 'vkey')}`,
      `--origin=${input.origin}`,
      '--ui=false',
    ];
    const sound = spawnSync(fsck, args, { encoding: 'utf8', timeout: 60_000 });
    expect([sound.status, sound.stderr]).toEqual([0, expect.stringContaining('Successfully')]);
  });

  test('find what was changed', () => {
    expect(verify({ checkpoint: input.checkpoint.replace(/\n\d+\n/, '\n7\n') })).toMatch(/^checkpoint/);
    expect(verify({ consistency: input.consistency.slice(1) })).toMatch(/^consistency/);
    expect(verify({ proof: input.proof.replace(/\nindex \d+/, '\nindex 1') })).toMatch(/^proof/);
    expect(verify({ entry: input.entry.replace('"seq":299', '"seq":298') })).toMatch(/^proof/);
    for (const path of ['0/000', '1/000.p/2', 'entries/001']) {
      const file = join(folder, 'tile', path);
      const bytes = readFileSync(file);
      writeFileSync(file, Buffer.from(bytes.map((byte, index) => (index === 100 % bytes.length ? byte ^ 1 : byte))));
      expect(verify({})).toMatch(/^tiles/);
      writeFileSync(file, bytes);
    }
    expect(verify({})).toBe('ok');
  });
});
