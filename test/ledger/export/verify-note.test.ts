import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportTenant } from '../../../ledger/index.ts';
import { answeredCall, seedHistory } from '../../support/evidence.ts';
import { openTestLedger, type LedgerFixture } from '../../support/ledger.ts';
import { createTestNotary, type TestNotary } from '../../support/notary.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres.ts';
import { NOTE_BLOCKS, noteBlocks, runNoteBlock } from '../../support/verify-note.ts';
import { findGo } from '../go/toolchain.ts';

const go = findGo();
let database: TestDatabase;
let fixture: LedgerFixture;
let notary: TestNotary;
let folder: string;
let log: string;
let deployment: string;

beforeAll(async () => {
  database = await createDatabase();
  fixture = await openTestLedger(database);
  notary = createTestNotary(database);
  folder = mkdtempSync(join(tmpdir(), 'note-'));
  await seedHistory(fixture, notary);
  const receipt = await fixture.ledger.append({
    tenant: 'demo', kind: 'decision', class: 'decision', call: 'signed', subject: null, sections: {},
  }); // prettier-ignore
  await fixture.ledger.signReceipt(receipt, 'ef'.repeat(32));
  await answeredCall(fixture, 'demo', { text: 'Grüße, "1" \\ \u2028 \u0007 😀' });
  // Receipts are stored with a later batch.
  await fixture.ledger.close();
  const options = { tenant: 'demo', dir: join(folder, 'whole') };
  ({ log } = await exportTenant(fixture.sql, fixture.keys, options));
  await exportTenant(fixture.sql, fixture.keys, {
    ...options,
    dir: join(folder, 'part'),
    range: { fromSeq: 5, toSeq: 17 },
  });
  const logs = readdirSync(join(folder, 'whole', 'logs'));
  deployment = logs.find((each) => each !== log) ?? '';
});
afterAll(async () => {
  await notary.close();
  rmSync(folder, { recursive: true });
  await database.drop();
});

describe('VERIFY.md, block by block as it stands', () => {
  const runnable = NOTE_BLOCKS.filter((name) => name !== 'signatures' || go !== null);

  test.each(runnable)('%s: a whole log passes', (name) => {
    expect(noteBlocks(join(folder, 'whole'))).toHaveLength(NOTE_BLOCKS.length);
    expect(runNoteBlock(join(folder, 'whole'), name)).toMatchObject({ status: 0, said: expect.stringMatching(/^ok: |no timestamps|Successfully/m) as string }); // prettier-ignore
  });

  test.each(['files', 'entries', 'views', 'checkpoint'] as const)('%s: a part of a log passes', (name) => {
    expect(runNoteBlock(join(folder, 'part'), name)).toMatchObject({ status: 0 });
  });

  const flip = (text: string): string => text.replace('"effect":"allow"', '"effect":"alloW"');
  const entries = (): string => `logs/${log}/entries.jsonl`;
  const attacks: readonly (readonly [string, (typeof NOTE_BLOCKS)[number], () => string, (text: string) => string])[] =
    [
      ['a view is changed', 'files', () => 'views/entries.csv', (text) => text.replace('allow', 'ALLOW')],
      [
        'a row of a view is changed',
        'views',
        () => 'views/entries.csv',
        (text) => text.replace('""allow""', '""deny""'),
      ],
      [
        'an event of a view is left out',
        'views',
        () => 'views/ocsf.jsonl',
        (text) => text.slice(text.indexOf('\n') + 1),
      ],
      ['a number of the statement is changed', 'views', () => 'completeness.json', (text) => text.replace(/"open":\d/, '"open":9')], // prettier-ignore
      ['facts are changed', 'entries', entries, flip],
      ['an entry is left out', 'entries', entries, (text) => text.slice(text.indexOf('\n') + 1)],
      ['the end is left out', 'entries', entries, (text) => text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1)],
      ['an epoch is changed', 'entries', () => `logs/${log}/epochs.jsonl`, (text) => text.replace('"nonce":"', '"nonce":"00').replace(/"nonce":"(.{64})../, '"nonce":"$1')], // prettier-ignore
      ['the checkpoint is changed', 'checkpoint', () => `logs/${deployment}/checkpoint`, (text) => text.replace(/\n(\d)/, (_, digit: string) => `\n${String((Number(digit) + 1) % 10)}`)], // prettier-ignore
      ['a signature is changed', 'signatures', entries, (text) => text.replace(/"sig":"./, (found) => `"sig":"${found.endsWith('A') ? 'B' : 'A'}`)], // prettier-ignore
      ['another checkpoint', 'signatures', () => `logs/${deployment}/checkpoints.jsonl`, (text) => text.replace(/\\n(\d)/, (_, digit: string) => `\\n${String((Number(digit) + 1) % 10)}`)], // prettier-ignore
    ];
  test.each(attacks.filter(([, name]) => name !== 'signatures' || go !== null))(
    '%s: %s fails',
    (name, block, path, change) => {
      const dir = join(folder, name.replaceAll(' ', '-'));
      cpSync(join(folder, 'whole'), dir, { recursive: true });
      const text = readFileSync(join(dir, path()), 'utf8');
      expect(change(text)).not.toBe(text);
      writeFileSync(join(dir, path()), change(text));
      const { status, said } = runNoteBlock(dir, block);
      expect([status === 0, said]).toEqual([false, expect.stringMatching(/FAILED|Failure/)]);
    },
  );
});
