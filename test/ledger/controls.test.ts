import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONTROLS, exportTenant, findControl, queryText, verifyFolder } from '../../ledger/index.ts';
import { ENTRY_KINDS } from '../../ledger/entry.ts';
import { answersQuery } from '../../ledger/controls/control.ts';
import { eventItem, seedHistory } from '../support/evidence.ts';
import { openTestLedger, type LedgerFixture } from '../support/ledger.ts';
import { createTestNotary, type TestNotary } from '../support/notary.ts';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let fixture: LedgerFixture;
let notary: TestNotary;
let folder: string;

/** Beside the history: what the deployment did, and what was done about demo in its own log. */
const DEPLOYMENT_EVENTS = ['stop', 'gap', 'config', 'reload', 'policy', 'role', 'budget', 'migration', 'approval', 'refusals'] as const; // prettier-ignore
const TENANT_EVENTS = [
  ['access', { verb: 'ledger.review', effect: 'allow' }],
  ['access', { verb: 'calls.read', effect: 'allow' }],
  ['hold', { action: 'add', hold: 'hd-1', scope: 'tenant' }],
  ['erasure', { basis: 'retention', scope: 'retention', keys: [] }],
] as const;

beforeAll(async () => {
  database = await createDatabase();
  fixture = await openTestLedger(database);
  notary = createTestNotary(database);
  folder = mkdtempSync(join(tmpdir(), 'controls-'));
  await seedHistory(fixture, notary);
  for (const kind of DEPLOYMENT_EVENTS) await fixture.ledger.append(eventItem(kind, { about: 'everybody' }));
  for (const [kind, facts] of TENANT_EVENTS) await fixture.ledger.append(eventItem(kind, facts, { tenant: 'demo' }));
});
afterAll(async () => {
  await fixture.ledger.close();
  await notary.close();
  rmSync(folder, { recursive: true });
  await database.drop();
});

describe('the catalogue', () => {
  test('names each control once, with a source, a date and a query about kinds there are', () => {
    expect(new Set(CONTROLS.map(({ id }) => id)).size).toBe(CONTROLS.length);
    for (const { id, source, inForce, query, clause, asks, supports } of CONTROLS) {
      expect([id, /^[a-z0-9-]{3,40}$/.test(id), source.startsWith('https://')]).toEqual([id, true, true]);
      expect(new Date(inForce).toISOString().slice(0, 10)).toBe(inForce);
      for (const kind of query.kinds) expect([id, kind, ENTRY_KINDS.includes(kind)]).toEqual([id, kind, true]);
      for (const text of [clause, asks, supports]) expect([id, text.length > 4]).toEqual([id, true]);
    }
  });

  test('covers every regime it should, clause by clause', () => {
    const ids = CONTROLS.map(({ id }) => id).join(' ');
    for (const part of [
      'ai-act-12',
      'ai-act-14',
      'ai-act-19',
      'ai-act-26',
      'iso-42001',
      'soc2',
      'hipaa',
      'pci-dss',
      'dora',
      'gdpr',
    ])
      expect([part, ids.includes(part)]).toEqual([part, true]);
  });

  test('never says that anybody complies', () => {
    for (const control of CONTROLS)
      expect(JSON.stringify(control)).not.toMatch(/complian|complies|comply|certif(y|ies)|guarantee/i);
  });
});

/** How many entries answer, in demo's export (its own log and what is disclosed of the deployment's) and in the deployment's. */
const EXPECTED: Readonly<Record<string, readonly [demo: number, deployment: number]>> = {
  'ai-act-12-1': [25, 0],
  'ai-act-12-2': [4, 0],
  'ai-act-14-4': [0, 1],
  'ai-act-19-1': [3, 4],
  'ai-act-26-5': [0, 1],
  'ai-act-26-1': [2, 7],
  'ai-act-12-reads': [3, 0],
  'soc2-cc6-2': [1, 4],
  'soc2-cc6-7': [3, 0],
  'soc2-cc7-2': [1, 0],
  'soc2-cc8-1': [6, 9],
  'pci-dss-10-2-1-4': [0, 1],
  'pci-dss-10-3-4': [6, 7],
  'gdpr-17': [2, 0],
};

describe('an export for a control', () => {
  test('every query is one of those whose answers are known', () => {
    const known = new Set(Object.keys(EXPECTED).map((id) => JSON.stringify(findControl(id)?.query)));
    for (const { id, query } of CONTROLS) expect([id, known.has(JSON.stringify(query))]).toEqual([id, true]);
  });

  test.each(Object.entries(EXPECTED))(
    '%s: lists what answers, and discloses no more',
    async (id, [demo, deployment]) => {
      const control = findControl(id);
      if (control === null) throw new TypeError(id);
      for (const [tenant, count] of [
        ['demo', demo],
        ['_deployment', deployment],
      ] as const) {
        const dir = join(folder, `${id}-${tenant}`);
        const result = await exportTenant(fixture.sql, fixture.keys, { tenant, dir, control });
        const read = (path: string): string[] => readFileSync(join(dir, path), 'utf8').split('\n').filter((line) => line !== ''); // prettier-ignore
        const listed = read('control/entries.jsonl').map(
          (line) => JSON.parse(line) as { log: string; seq: number; kind: string },
        );
        expect([tenant, result.matches, listed.length]).toEqual([tenant, count, count]);
        for (const { kind } of listed) expect(control.query.kinds).toContain(kind);
        const own = new Set(listed.filter(({ log }) => log === result.log).map(({ seq }) => seq));
        for (const [seq, line] of read(`logs/${result.log}/entries.jsonl`).entries()) {
          const { sections } = JSON.parse(line) as { sections: object };
          expect([seq, Object.keys(sections).length > 1]).toEqual([seq, own.has(seq)]);
        }
        expect(read('control/control.json')[0]).toContain(queryText(control.query));
        if (tenant === 'demo') expect((await verifyFolder(dir)).firstBad).toBeNull();
      }
    },
  );
});

test('a rule reads members, members of members and lists, and nothing that is not there', () => {
  const ask = (fact: string, is: readonly string[] | undefined, facts: unknown): boolean =>
    answersQuery(
      { log: 'both', kinds: ['start'], where: [is === undefined ? { fact } : { fact, is }] },
      { tenant: 'demo', kind: 'start', facts: facts as never },
    );
  expect(ask('a.b', ['x'], { a: { b: 'x' } })).toBe(true);
  expect(ask('a', ['x'], { a: ['y', 'x'] })).toBe(true);
  for (const facts of [null, [], 'x', { a: 'y' }, { a: { x: 'x' } }]) expect(ask('a', ['x'], facts)).toBe(false);
  expect(ask('constructor', undefined, {})).toBe(false);
  expect([0, '', false, null, []].map((a) => ask('a', undefined, { a }))).toEqual([false, false, false, false, false]);
  expect([1, 'x', true, ['x'], {}].map((a) => ask('a', undefined, { a }))).toEqual([true, true, true, true, true]);
});
