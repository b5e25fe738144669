import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../ledger/canonical.ts';
import { Tally } from '../../../ledger/export/tally.ts';
import { csvCell } from '../../../ledger/export/view-csv.ts';
import { exportTenant } from '../../../ledger/index.ts';
import type { ExportResult, JsonValue } from '../../../ledger/index.ts';
import { NASTY, seedHistory } from '../../support/evidence.ts';
import { openTestLedger, type LedgerFixture } from '../../support/ledger.ts';
import { createTestNotary, type TestNotary } from '../../support/notary.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres.ts';

let database: TestDatabase;
let fixture: LedgerFixture;
let notary: TestNotary;
let folder: string;
let exported: ExportResult;

beforeAll(async () => {
  database = await createDatabase();
  fixture = await openTestLedger(database);
  notary = createTestNotary(database);
  folder = mkdtempSync(join(tmpdir(), 'views-'));
  await seedHistory(fixture, notary);
  exported = await exportTenant(fixture.sql, fixture.keys, { tenant: 'demo', dir: join(folder, 'all') });
});
afterAll(async () => {
  await fixture.ledger.close();
  await notary.close();
  rmSync(folder, { recursive: true });
  await database.drop();
});

const text = (path: string): string => readFileSync(join(folder, 'all', path), 'utf8');

/** RFC 4180, enough for what we write. */
function readCsv(csv: string): string[][] {
  return csv
    .trimEnd()
    .split('\r\n')
    .map((line) => [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((cell) => (cell[1] ?? cell[2] ?? '').replaceAll('""', '"'))); // prettier-ignore
}

interface Event {
  class_uid: number;
  type_uid: number;
  activity_id: number;
  category_uid: number;
  status_id?: number;
  metadata: { uid: string; sequence: number; profiles: string[]; version: string; product: { name: string } };
  unmapped: { log: string; seq: number; hash: string; kind: string };
  ai_model?: { name: string; ai_provider: string };
  message_context?: { total_tokens?: number };
  actor?: { user: { uid: string } };
  attestation_list: [{ fingerprint?: { value: string }; prev_event?: { uid: string; fingerprint: { value: string } } }];
}

test('every row of the CSV leads to its entry, and none is a formula', () => {
  const [head = [], ...rows] = readCsv(text('views/entries.csv'));
  const entries = text(`logs/${exported.log}/entries.jsonl`).trimEnd().split('\n').map((line) => JSON.parse(line) as { hash: string }); // prettier-ignore
  expect(rows).toHaveLength(26);
  for (const [index, row] of rows.entries()) {
    const cell = (name: string): string => row[head.indexOf(name)] ?? '';
    expect([cell('log'), cell('seq'), cell('hash')]).toEqual([exported.log, String(index), entries[index]?.hash]);
    for (const each of row) expect(each).not.toMatch(/^[=+\-@\t\r]/);
  }
  expect(rows.filter((row) => row[head.indexOf('model')] === `'${NASTY}`)).toHaveLength(4);
});

test.each([
  ['=1+1', '"\'=1+1"'],
  ['+1', '"\'+1"'],
  ['-1', '"\'-1"'],
  ['@SUM(A1)', '"\'@SUM(A1)"'],
  ['\t=1', '"\'\t=1"'],
  ['\r=1', '"\'\r=1"'],
  ['a "b", c', '"a ""b"", c"'],
  ['a\nb', '"a\nb"'],
  ['plain text', 'plain text'],
  [null, ''],
  [-3, '"\'-3"'],
  [7, '7'],
] as const)('the cell of %j is %s', (value, cell) => {
  expect(csvCell(value)).toBe(cell);
});

test('of names from outside no more is kept than their beginnings', () => {
  const tally = new Tally();
  const entry = { log: 'a', seq: 0, hash: 'b', timeMs: 1, kind: 'decision', call: 'c', wid: 'w', facts: '' };
  for (let index = 0; index < 1100; index += 1)
    tally.add(entry, { effect: `${String(index)}${'x'.repeat(100_000)}`, rules: ['r'.repeat(500)] }, false);
  expect(tally.effects.get('others')).toBe(100);
  expect(Math.max(...[...tally.effects.keys(), ...tally.rules.keys()].map(({ length }) => length))).toBe(200);
});

describe('OCSF events', () => {
  const events = (): Event[] => text('views/ocsf.jsonl').trimEnd().split('\n').map((line) => JSON.parse(line) as Event); // prettier-ignore

  test('have what class and profiles require, and lead to their entries', () => {
    expect(events()).toHaveLength(26);
    for (const [index, event] of events().entries()) {
      const { class_uid: kind, type_uid: type, activity_id: activity, metadata, unmapped } = event;
      expect([type, unmapped.seq, metadata.sequence, metadata.uid]).toEqual([kind * 100 + activity, index, index, unmapped.hash]); // prettier-ignore
      expect(metadata).toMatchObject({ version: '1.9.0', product: { name: 'Countersign' } });
      if (kind !== 6003) continue;
      expect(event).toMatchObject({
        category_uid: 6,
        src_endpoint: {},
        api: { operation: expect.any(String) as string },
      });
      expect([event.ai_model?.name, event.ai_model?.ai_provider].every((each) => typeof each === 'string')).toBe(true);
    }
    const byKind = (kind: string): Event[] => events().filter(({ unmapped }) => unmapped.kind === kind);
    expect(byKind('outcome')[0]?.message_context).toMatchObject({
      prompt_tokens: 12,
      completion_tokens: 30,
      total_tokens: 42,
    });
    expect(byKind('decision').map((each) => each.status_id).filter((id) => id === 2)).toHaveLength(4); // prettier-ignore
    expect(byKind('decision')[0]?.actor?.user.uid).toBe('ada');
    expect(byKind('export')[0]).toMatchObject({ class_uid: 0, type_uid: 99, activity_name: 'export' });
  });

  test('carry a fingerprint of themselves, and of the event before', () => {
    let before: string | undefined;
    for (const event of events()) {
      const [{ fingerprint, prev_event: prev, ...attestation }] = event.attestation_list;
      const kept = prev === undefined ? attestation : { ...attestation, prev_event: prev };
      const signed = canonicalJson({ ...event, attestation_list: [kept] } as unknown as JsonValue);
      expect(fingerprint?.value).toBe(createHash('sha256').update(signed).digest('hex'));
      expect(prev?.fingerprint.value).toBe(before);
      before = fingerprint?.value;
    }
  });
});

test('the report escapes what it shows and may load, run and send nothing', () => {
  const page = text('report.html');
  expect(page).not.toMatch(
    /<script|<img|<link|<iframe|<form|<a |javascript:|https?:\/\/(?!www\.w3\.org)| style=| on[a-z]+=/i,
  );
  const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(page)?.[1] ?? '';
  const style = /<style>(.*?)<\/style>/s.exec(page)?.[1] ?? '';
  const digest = createHash('sha256').update(style).digest('base64');
  expect(policy).toBe(`default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`);
  for (const shown of ['26', 'pii.refused', 'small-eu', '$15.00']) expect(page).toContain(shown);
});
