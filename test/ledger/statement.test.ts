import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exportTenant, verifyFolder, verifyLive } from '../../ledger/index.ts';
import type { Ledger, Statement, VerifyReport } from '../../ledger/index.ts';
import { newCall, openTestLedger, type LedgerFixture } from '../support/ledger.ts';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';

/** Waivers in exported folders: what an auditor sees of one that nobody signed. */

const folder = mkdtempSync(join(tmpdir(), 'countersign-statement-'));
let database: TestDatabase;
let fixture: LedgerFixture;

beforeAll(async () => {
  database = await createDatabase();
  fixture = await openTestLedger(database);
});
afterAll(async () => {
  await fixture.ledger.close();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

const statement = (tenant: string): Statement => ({
  tenant,
  id: `wv-${'1'.repeat(32)}`,
  rule: 'models.allow_list',
  scope: 'model:gated',
  expires_ms: 1_800_000_000_000,
  break_glass: false,
  reason: 'pilot “7”',
  by: 'ada',
  approved_by: 'grace',
  reviewed_by: null,
});

interface Forgery {
  readonly signer?: Pick<Ledger, 'signStatement'>;
  readonly wid?: string;
  /** Changes the statement after it was signed. */
  readonly change?: Statement;
  readonly facts?: { readonly [name: string]: string | number };
}

/** One waiver in a log of its own, exported. */
async function exported(tenant: string, forgery: Forgery = {}, disclose: 'all' | 'facts' = 'all'): Promise<string> {
  const { ledger, sql, keys } = fixture;
  const said = statement(tenant);
  const signature = (forgery.signer ?? ledger).signStatement('waiver', said);
  const facts = { action: 'waiver.made', rule: 'models.allow_list', expires_ms: 1_800_000_000_000, ...forgery.facts };
  await ledger.append({
    tenant,
    kind: 'policy',
    class: 'event',
    call: newCall(),
    subject: null,
    sections: {
      facts: { ...facts, signed_by: forgery.wid ?? ledger.wid },
      detail: { statement: { ...said, ...forgery.change }, signature },
    },
  });
  const dir = join(folder, tenant);
  await exportTenant(sql, keys, { tenant, dir, disclose });
  return dir;
}

const found = ({ verdict, firstBad }: VerifyReport): unknown => [verdict, firstBad?.section, firstBad?.problem];

test('a signed waiver is checked from the exported folder, by us and by anybody', async () => {
  const dir = await exported('good');
  const report = await verifyFolder(dir);
  expect([report.verdict, report.firstBad]).toEqual(['UNANCHORED', null]);
  // As docs/ledger-format.md 4.1 says, with nothing but the files.
  const [writer] = JSON.parse(readFileSync(join(dir, 'keys', 'writers.json'), 'utf8')) as { key: string }[];
  const manifest = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')) as {
    logs: { role: string; log: string }[];
  };
  const { log = '' } = manifest.logs.find(({ role }) => role === 'tenant') ?? {};
  const line = JSON.parse(readFileSync(join(dir, 'logs', log, 'entries.jsonl'), 'utf8').split('\n')[0] ?? '') as {
    sections: { detail: { value: { statement: Record<string, unknown>; signature: string } } };
  };
  const { statement: said, signature } = line.sections.detail.value;
  const members = Object.keys(said)
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${JSON.stringify(said[name])}`);
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: writer?.key ?? '' }, format: 'jwk' });
  const text = (body: string): Buffer => Buffer.from(`countersign/waiver/v1\n{${body}}\n`);
  expect(verify(null, text(members.join(',')), key, Buffer.from(signature, 'base64url'))).toBe(true);
});

test('who was given no details is told nothing about them', async () => {
  const report = await verifyFolder(await exported('withheld', { change: { scope: 'tenant' } }, 'facts'));
  expect(report.firstBad).toBeNull();
});

test.each<[string, Forgery, string]>([
  ['stranger', { signer: stranger() }, 'not signed by writer'],
  ['widened', { change: { scope: 'tenant' } }, 'not signed by writer'],
  ['moved', { change: { tenant: 'good' } }, 'not signed by writer'],
  ['longer', { facts: { expires_ms: 1_900_000_000_000 } }, 'another expires_ms'],
  ['unnamed', { wid: 'w-nobody' }, 'not signed by writer w-nobody'],
])('a waiver of the making of a %s is found', async (tenant, forgery, says) => {
  const dir = await exported(tenant, forgery);
  expect(found(await verifyFolder(dir))).toEqual(['TAMPERED', 'detail', expect.stringContaining(says)]);
});

test('so does whoever checks the database', async () => {
  const report = await verifyLive(fixture.sql, fixture.keys);
  const bad = report.logs.filter(({ problem }) => problem !== null).map(({ tenant }) => String(tenant));
  expect(bad.toSorted()).toEqual(['longer', 'moved', 'stranger', 'unnamed', 'widened', 'withheld']);
});

function stranger(): Pick<Ledger, 'signStatement'> {
  const { privateKey } = generateKeyPairSync('ed25519');
  return {
    signStatement: (_kind, said) => sign(null, Buffer.from(JSON.stringify(said)), privateKey).toString('base64url'),
  };
}
