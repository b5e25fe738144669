import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../ledger/canonical.ts';
import type { JsonValue } from '../../../ledger/index.ts';
import { exportTenant, parseVerifierKey, verifyFolder, verifyProof } from '../../../ledger/index.ts';
import type { ExportOptions, ExportResult } from '../../../ledger/index.ts';
import { leafHash, merkleRoot } from '../../../ledger/merkle.ts';
import { sampleRank } from '../../../ledger/export/draw.ts';
import { sectionLeaf } from '../../../ledger/seal.ts';
import { seedHistory } from '../../support/evidence.ts';
import { openTestLedger, type LedgerFixture } from '../../support/ledger.ts';
import { createTestNotary, type TestNotary } from '../../support/notary.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres.ts';

let database: TestDatabase;
let fixture: LedgerFixture;
let notary: TestNotary;
let folder: string;
let folders = 0;

beforeAll(async () => {
  database = await createDatabase();
  fixture = await openTestLedger(database);
  notary = createTestNotary(database);
  folder = mkdtempSync(join(tmpdir(), 'parts-'));
  await seedHistory(fixture, notary);
});
afterAll(async () => {
  await fixture.ledger.close();
  await notary.close();
  rmSync(folder, { recursive: true });
  await database.drop();
});

async function write(options: Partial<ExportOptions> = {}): Promise<ExportResult & { readonly dir: string }> {
  folders += 1;
  const dir = join(folder, String(folders));
  return { dir, ...(await exportTenant(fixture.sql, fixture.keys, { tenant: 'demo', dir, ...options })) };
}

interface Line {
  hash: string;
  header: string;
  leaves: string[];
  sections: Record<string, { salt: string; value: { [name: string]: JsonValue } }>;
}

const text = (dir: string, path: string): string => readFileSync(join(dir, path), 'utf8');
const lines = <T>(dir: string, path: string): T[] =>
  text(dir, path).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as T); // prettier-ignore
const demo = (report: Awaited<ReturnType<typeof verifyFolder>>): (typeof report.logs)[number] | undefined =>
  report.logs.find(({ tenant }) => tenant === 'demo');

describe('a part of a log', () => {
  test.each([
    [{ fromSeq: 5, toSeq: 17 }, 5, 17],
    [{ fromSeq: 12, toSeq: 21 }, 12, 21],
    [{ fromSeq: 0, toSeq: 3 }, 0, 3],
    [{ fromSeq: 20 }, 20, 25],
    [{ toSeq: 12 }, 0, 12],
    [{ fromSeq: 25, toSeq: 400 }, 25, 25],
    [{ fromMs: 0, toMs: 4_000_000_000_000 }, 0, 25],
  ])('%j verifies and is whole', async (range, first, last) => {
    const result = await write({ range });
    expect(result).toMatchObject({ first, last, entries: last - first + 1 });
    const report = await verifyFolder(result.dir);
    expect([report.firstBad, demo(report)]).toMatchObject([null, { first, entries: last - first + 1 }]);
    const seqs = lines<Line>(result.dir, `logs/${result.log}/entries.jsonl`).map(({ header }) => (JSON.parse(header) as { seq: number }).seq); // prettier-ignore
    expect(seqs).toEqual(Array.from({ length: last - first + 1 }, (_, index) => first + index));
    const statement = JSON.parse(text(result.dir, 'completeness.json')) as { ranges: unknown; entries: number };
    expect(statement).toMatchObject({ ranges: [{ log: result.log, first, last, log_entries: 26 }], entries: last - first + 1 }); // prettier-ignore
  });

  test('is refused where it is empty or cannot be proven yet, and for the deployment', async () => {
    await expect(write({ range: { fromSeq: 50 } })).rejects.toMatchObject({ code: 'invalid_value' });
    await expect(write({ tenant: '_deployment', range: { fromSeq: 1 } })).rejects.toMatchObject({ code: 'invalid_value' }); // prettier-ignore
    await expect(write({ withhold: ['facts'] })).rejects.toMatchObject({ code: 'invalid_value' });
    await expect(write({ withhold: ['nothing'] })).rejects.toMatchObject({ code: 'invalid_value' });
    await expect(write({ sample: { size: 0, seed: 'a' } })).rejects.toMatchObject({ code: 'invalid_value' });
  });

  test('that was rewritten, cut, moved or robbed of its evidence is found out', async () => {
    const good = await write({ range: { fromSeq: 5, toSeq: 17 } });
    const entries = `logs/${good.log}/entries.jsonl`;
    const range = `logs/${good.log}/range.json`;
    const epochs = `logs/${good.log}/epochs.jsonl`;
    const change = (path: string, edit: (text: string) => string): string => {
      folders += 1;
      const dir = join(folder, String(folders));
      cpSync(good.dir, dir, { recursive: true });
      writeFileSync(join(dir, path), edit(text(dir, path)));
      return dir;
    };
    const edits: readonly (readonly [string, string, (text: string) => string])[] = [
      ['the first entry is left out', entries, (all) => all.slice(all.indexOf('\n') + 1)],
      ['the last entry is left out', entries, (all) => all.slice(0, all.lastIndexOf('\n', all.length - 2) + 1)],
      ['another entry before it', range, (all) => all.replace(/"prev":"./, (found) => (found.endsWith('0') ? '"prev":"1' : '"prev":"0'))], // prettier-ignore
      ['another tree before it', range, (all) => all.replace(/"peaks":\["./, (found) => (found.endsWith('0') ? '"peaks":["1' : '"peaks":["0'))], // prettier-ignore
      ['fewer trees before it', range, (all) => all.replace(/"peaks":\["[0-9a-f]{64}",/, '"peaks":[')],
      ['another covering epoch', range, (all) => all.replace('"epoch":1', '"epoch":0')],
      ['another way to it', range, (all) => all.replace(/"path":\["./, (found) => (found.endsWith('0') ? '"path":["1' : '"path":["0'))], // prettier-ignore
      ['no epochs', epochs, () => ''],
      ['no range', range, () => ''],
    ];
    for (const [name, path, edit] of edits) {
      const report = await verifyFolder(change(path, edit));
      expect([name, report.firstBad === null]).toEqual([name, false]);
    }
    const rewritten = change(entries, (all) => rechain(all));
    const manifest = JSON.parse(text(rewritten, 'manifest.json')) as { logs: { log: string; head: string }[] };
    const last = lines<Line>(rewritten, entries).at(-1)?.hash ?? '';
    for (const log of manifest.logs) if (log.log === good.log) log.head = last;
    writeFileSync(join(rewritten, 'manifest.json'), `${canonicalJson(manifest)}\n`);
    expect((await verifyFolder(rewritten)).firstBad?.problem).toContain('rewritten');
  });
});

/** Changes facts of the last entry and hashes it again: only an epoch can tell. */
function rechain(all: string): string {
  const parsed = all.trimEnd().split('\n').map((line) => JSON.parse(line) as Line & { receipt: null }); // prettier-ignore
  const line = parsed.at(-1);
  const facts = line?.sections['facts'];
  if (line === undefined || facts === undefined) throw new TypeError('an entry with facts');
  facts.value['effect'] = 'changed';
  line.leaves[0] = sectionLeaf(facts.salt, canonicalJson(facts.value));
  line.header = canonicalJson({
    ...(JSON.parse(line.header) as { [name: string]: JsonValue }),
    body: merkleRoot(line.leaves),
  });
  line.hash = leafHash(line.header);
  line.receipt = null;
  return parsed.map((each) => `${canonicalJson(each as unknown as JsonValue)}\n`).join('');
}

describe('what an export withholds', () => {
  test('sections by name, everywhere, and it verifies all the same', async () => {
    const { dir, log } = await write({ withhold: ['subject', 'content', 'input'] });
    for (const { sections } of lines<Line>(dir, `logs/${log}/entries.jsonl`))
      expect(Object.keys(sections).some((name) => ['subject', 'content', 'input'].includes(name))).toBe(false);
    expect(text(dir, 'views/ocsf.jsonl')).toContain('"uid":"withheld"');
    expect((await verifyFolder(dir)).firstBad).toBeNull();
  });

  test('of calls that were not drawn; whoever has the seed draws the same ones', async () => {
    const { dir, log } = await write({ sample: { size: 3, seed: 'auditor 7' } });
    const drawn = lines<{ call: string; seq: number; rank: string; proof: string; hash: string }>(
      dir,
      'samples/calls.jsonl',
    );
    const all = lines<Line>(dir, `logs/${log}/entries.jsonl`).map(({ header, sections }) => {
      const { kind, seq, call } = JSON.parse(header) as { kind: string; seq: number; call: string };
      return { kind, seq, call, opened: Object.keys(sections).length > 1 };
    });
    const decisions = all.filter(({ kind }) => kind === 'decision');
    const ranked = decisions.map(({ seq }) => ({ seq, rank: sampleRank('auditor 7', log, seq) }));
    const expected = ranked.toSorted((a, b) => (a.rank < b.rank ? -1 : 1)).slice(0, 3).map(({ seq }) => seq).toSorted((a, b) => a - b); // prettier-ignore
    expect(drawn.map(({ seq }) => seq)).toEqual(expected);
    const calls = new Set(drawn.map(({ call }) => call));
    for (const { call, opened } of all) expect([call, opened]).toEqual([call, calls.has(call)]);
    expect(JSON.parse(text(dir, 'samples/draw.json'))).toMatchObject({ drawn: 3, population: 15, seed: 'auditor 7' });
    const key = parseVerifierKey(text(dir, 'keys/checkpoint.vkey').trim());
    for (const { proof, hash } of drawn.filter((each) => each.proof !== null))
      expect(verifyProof(text(dir, proof), [key]).hash).toBe(hash);
    expect(drawn.filter(({ proof }) => proof === null).every(({ seq }) => seq === 25)).toBe(true);
    expect((await verifyFolder(dir)).firstBad).toBeNull();
    const again = await write({ sample: { size: 3, seed: 'auditor 7' } });
    for (const file of again.files) expect([file, text(again.dir, file)]).toEqual([file, text(dir, file)]);
  });

  test("another tenant's doings; the deployment's own export shows them", async () => {
    const { dir, files } = await write();
    for (const file of files) expect([file, /secretive|"k2"/.test(text(dir, file))]).toEqual([file, false]);
    const own = await write({ tenant: '_deployment' });
    expect(text(own.dir, 'views/entries.csv')).toContain('k2');
    expect((await verifyFolder(own.dir)).firstBad).toBeNull();
  });
});
