import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportTenant, verifyFolder } from '../../ledger/index.ts';
import type { ExportResult, Problem } from '../../ledger/index.ts';
import { decisionItem, newCall, openTestLedger, outcomeItem } from '../support/ledger.ts';
import type { LedgerFixture } from '../support/ledger.ts';
import { createDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let fixture: LedgerFixture;
let folder: string;
let exported: ExportResult;

beforeAll(async () => {
  database = await createDatabase();
  fixture = await openTestLedger(database);
  const { ledger } = fixture;
  for (let index = 0; index < 3; index += 1) {
    const call = newCall();
    const decision = await ledger.append(decisionItem(call));
    await ledger.signReceipt(decision, 'ef'.repeat(32));
    await ledger.append(decisionItem(newCall(), { tenant: 'secretive-neighbour', open: false }));
    await ledger.append(outcomeItem(call, 20n));
  }
  await ledger.append(decisionItem(newCall()));
  await ledger.close();
  folder = mkdtempSync(join(tmpdir(), 'export-'));
  exported = await exportTenant(fixture.sql, fixture.keys, { tenant: 'demo', dir: join(folder, 'all') });
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await database.drop();
});

function entriesFile(dir: string, log = exported.log): string {
  return join(dir, 'logs', log, 'entries.jsonl');
}

describe('an export', () => {
  test('verifies without database and keys', async () => {
    const report = await verifyFolder(join(folder, 'all'));
    expect(report).toMatchObject({ verdict: 'UNANCHORED', anchored: false, firstBad: null, openCalls: 1 });
    expect(report.logs.find((log) => log.tenant === 'demo')).toMatchObject({
      entries: 7,
      head: exported.head,
      receipts: 6,
      unread: 0,
    });
  });

  test('of the same ledger is the same bytes', async () => {
    const again = await exportTenant(fixture.sql, fixture.keys, { tenant: 'demo', dir: join(folder, 'again') });
    expect(again).toEqual(exported);
    for (const file of exported.files) {
      expect(readFileSync(join(folder, 'again', file)).equals(readFileSync(join(folder, 'all', file))), file).toBe(
        true,
      );
    }
  });

  test('holds nothing of another tenant, is for its owner only, and is never written over', async () => {
    for (const file of exported.files) {
      expect(readFileSync(join(folder, 'all', file), 'utf8')).not.toContain('neighbour');
      expect(statSync(join(folder, 'all', file)).mode & 0o777).toBe(0o600);
    }
    const again = exportTenant(fixture.sql, fixture.keys, { tenant: 'demo', dir: join(folder, 'all') });
    await expect(again).rejects.toMatchObject({ code: 'exists' });
    const unknown = exportTenant(fixture.sql, fixture.keys, { tenant: 'nobody', dir: join(folder, 'none') });
    await expect(unknown).rejects.toMatchObject({ code: 'unknown_tenant' });
  });

  test('with facts only withholds the rest and verifies all the same', async () => {
    const dir = join(folder, 'facts');
    await exportTenant(fixture.sql, fixture.keys, { tenant: 'demo', dir, disclose: 'facts' });
    expect(readFileSync(entriesFile(dir), 'utf8')).not.toContain('Grüße');
    expect(readFileSync(entriesFile(join(folder, 'all')), 'utf8')).toContain('Grüße');
    const report = await verifyFolder(dir);
    expect(report.verdict).toBe('UNANCHORED');
    expect(report.notProven.join(' ')).toMatch(/were not read/);
  });
});

interface Line {
  hash: string;
  header: string;
  leaves: string[];
  receipt: { sig: string } | null;
  sections: Record<string, { salt: string; value: Record<string, unknown> } | undefined>;
}

/** Edits one line of the tenant's log in a copy of the export. */
function editLine(index: number, edit: (line: Line) => void): (dir: string) => void {
  return (dir) => {
    const lines = readFileSync(entriesFile(dir), 'utf8').split('\n');
    const line = JSON.parse(lines[index] ?? '') as Line;
    edit(line);
    lines[index] = JSON.stringify(line);
    writeFileSync(entriesFile(dir), lines.join('\n'));
  };
}

function editText(edit: (lines: string[]) => string[]): (dir: string) => void {
  return (dir) => writeFileSync(entriesFile(dir), edit(readFileSync(entriesFile(dir), 'utf8').split('\n')).join('\n'));
}

const ATTACKS: readonly (readonly [string, (dir: string) => void, Partial<Problem>])[] = [
  [
    'a section is edited',
    editLine(2, (line) => ((line.sections['input'] ?? { value: {} }).value = { version: 2 })),
    { seq: 2, section: 'input' },
  ],
  [
    'facts are edited',
    editLine(1, (line) => ((line.sections['facts'] ?? { value: {} }).value = { status: 'denied' })),
    { seq: 1, section: 'facts' },
  ],
  [
    'facts are withheld',
    editLine(1, (line) => delete line.sections['facts']),
    { seq: 1, section: 'facts', shows: 'INCOMPLETE' },
  ],
  [
    'a salt is changed',
    editLine(1, (line) => ((line.sections['outcome'] ?? { salt: '' }).salt = '0'.repeat(32))),
    { seq: 1, section: 'outcome' },
  ],
  [
    'a header is edited',
    editLine(3, (line) => (line.header = line.header.replace('"kind":"outcome"', '"kind":"attempt"'))),
    { seq: 3 },
  ],
  ['a hash is edited', editLine(3, (line) => (line.hash = 'a'.repeat(64))), { seq: 3 }],
  ['a leaf is edited', editLine(3, (line) => (line.leaves[1] = 'a'.repeat(64))), { seq: 3, section: 'outcome' }],
  ['a receipt is edited', editLine(2, (line) => (line.receipt = { ...line.receipt, sig: 'A'.repeat(86) })), { seq: 2 }],
  ['a line is removed', editText((lines) => lines.toSpliced(2, 1)), { seq: 2 }],
  [
    'two lines are swapped',
    editText((lines) => [...lines.slice(0, 2), lines[3] ?? '', lines[2] ?? '', ...lines.slice(4)]),
    { seq: 2 },
  ],
  ['the end is cut', editText((lines) => [...lines.slice(0, 5), '']), { seq: 5, shows: 'INCOMPLETE' }],
  ['a line is doubled', editText((lines) => lines.toSpliced(2, 0, lines[1] ?? '')), { seq: 2 }],
  ['a line is not JSON', editText((lines) => lines.with(2, '{')), { seq: 2 }],
  ['a line is deeply nested', editText((lines) => lines.with(2, '['.repeat(100_000))), { seq: 2 }],
  [
    'a section is deeply nested',
    editLine(
      2,
      (line) =>
        ((line.sections['input'] ?? { value: {} }).value = JSON.parse(
          '{"a":'.repeat(50) + '1' + '}'.repeat(50),
        ) as Record<string, unknown>),
    ),
    { seq: 2, section: 'input' },
  ],
];

describe('an edited export is found out when', () => {
  test.each(ATTACKS)('%s', async (name, attack, bad) => {
    const dir = join(folder, name.replaceAll(' ', '-'));
    cpSync(join(folder, 'all'), dir, { recursive: true });
    attack(dir);
    const report = await verifyFolder(dir);
    expect(report.verdict).toBe(bad.shows ?? 'TAMPERED');
    expect(report.firstBad).toMatchObject({ log: exported.log, tenant: 'demo', ...bad });
  });

  test('the deployment log that names the writers is edited', async () => {
    const dir = join(folder, 'deployment');
    cpSync(join(folder, 'all'), dir, { recursive: true });
    const file = exported.files.find((name) => name.endsWith('entries.jsonl') && !name.includes(exported.log)) ?? '';
    writeFileSync(
      join(dir, file),
      readFileSync(join(dir, file), 'utf8').replace('"algorithm":"ed25519"', '"algorithm":"none"'),
    );
    expect(await verifyFolder(dir)).toMatchObject({
      verdict: 'TAMPERED',
      firstBad: { tenant: '_deployment', section: 'facts' },
    });
  });

  test('the end is cut in the file and in the manifest, but the call is listed nowhere as open', async () => {
    const dir = join(folder, 'both');
    cpSync(join(folder, 'all'), dir, { recursive: true });
    const kept = readFileSync(entriesFile(dir), 'utf8').split('\n').slice(0, 5);
    writeFileSync(entriesFile(dir), `${kept.join('\n')}\n`);
    const head = (JSON.parse(kept[4] ?? '') as Line).hash;
    const manifest = readFileSync(join(dir, 'manifest.json'), 'utf8');
    writeFileSync(
      join(dir, 'manifest.json'),
      manifest.replace('"entries":7', '"entries":5').replace(exported.head ?? '', head),
    );
    expect(await verifyFolder(dir)).toMatchObject({ verdict: 'INCOMPLETE', firstBad: { seq: 5 } });
  });
});

test('a folder that is no export, or leads elsewhere, cannot be verified', async () => {
  const dir = mkdtempSync(join(folder, 'odd-'));
  expect(await verifyFolder(dir)).toMatchObject({ verdict: 'UNVERIFIABLE' });
  for (const manifest of ['', '[]', '{"format":"other"}', '{', '['.repeat(100_000)]) {
    writeFileSync(join(dir, 'manifest.json'), manifest);
    expect(await verifyFolder(dir)).toMatchObject({ verdict: 'UNVERIFIABLE' });
  }
  const copy = join(folder, 'traversal');
  cpSync(join(folder, 'all'), copy, { recursive: true });
  const text = readFileSync(join(copy, 'manifest.json'), 'utf8');
  writeFileSync(join(copy, 'manifest.json'), text.replaceAll(exported.log, '../../../../etc'));
  expect(await verifyFolder(copy)).toMatchObject({ verdict: 'UNVERIFIABLE' });
  writeFileSync(join(copy, 'manifest.json'), text);
  rmSync(entriesFile(copy));
  symlinkSync(entriesFile(join(folder, 'all')), entriesFile(copy));
  expect(await verifyFolder(copy)).toMatchObject({ verdict: 'UNVERIFIABLE' });
});
