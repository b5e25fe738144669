import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../ledger/canonical.ts';
import type { JsonValue } from '../../../ledger/index.ts';
import { exportTenant, readTrust, verifyFolder } from '../../../ledger/index.ts';
import type { ExportResult, VerifyReport } from '../../../ledger/index.ts';
import { leafHash, merkleRoot } from '../../../ledger/merkle.ts';
import { createNoteSigner, formatVerifierKey } from '../../../ledger/note/key.ts';
import { parseNote, signNote } from '../../../ledger/note/note.ts';
import { sectionLeaf } from '../../../ledger/seal.ts';
import { decisionItem, newCall, openTestLedger } from '../../support/ledger.ts';
import type { LedgerFixture } from '../../support/ledger.ts';
import { closeEpoch, createTestNotary, TEST_CHECKPOINT_KEY } from '../../support/notary.ts';
import type { TestNotary } from '../../support/notary.ts';
import { createDatabase } from '../../support/postgres.ts';
import type { TestDatabase } from '../../support/postgres.ts';

let database: TestDatabase;
let fixture: LedgerFixture;
let notary: TestNotary;
let folder: string;
let exported: ExportResult;
let deployment: string;
const KEY = createNoteSigner('countersign.test/ledger/0', 'ed25519', TEST_CHECKPOINT_KEY).key;

const append = (tenant: string): Promise<unknown> =>
  fixture.ledger.append(decisionItem(newCall(), { tenant, open: false }));

beforeAll(async () => {
  database = await createDatabase();
  fixture = await openTestLedger(database);
  notary = createTestNotary(database);
  // Epochs 0 to 4 over 2, 4, 6, 6 and 8 entries of demo; in epoch 3 only the neighbour's log changes. One entry is younger.
  for (const changes of [
    ['demo', 'demo', 'other'],
    ['demo', 'demo'],
    ['demo', 'demo', 'other'],
    ['other'],
    ['demo', 'demo'],
  ]) {
    for (const tenant of changes) await append(tenant);
    await closeEpoch(fixture, notary);
  }
  await append('other');
  await closeEpoch(fixture, notary);
  await append('demo');
  folder = mkdtempSync(join(tmpdir(), 'export-'));
  exported = await exportTenant(fixture.sql, fixture.keys, { tenant: 'demo', dir: join(folder, 'good') });
  deployment = exported.files.find((file) => file.endsWith('checkpoints.jsonl'))?.split('/')[1] ?? '';
});
afterAll(async () => {
  await fixture.ledger.close();
  await notary.close();
  rmSync(folder, { recursive: true });
  await database.drop();
});

interface Line {
  hash: string;
  header: string;
  leaves: string[];
  receipt: unknown;
  sections: Record<string, { salt: string; value: JsonValue }>;
}

/** A copy of the export, with what an attacker needs. */
class Forgery {
  readonly dir: string;

  constructor(name: string) {
    this.dir = join(folder, name.replaceAll(/\W+/g, '-'));
    cpSync(join(folder, 'good'), this.dir, { recursive: true });
  }

  path(log: string, file: string): string {
    return join(this.dir, 'logs', log, file);
  }

  lines<T>(log: string, file: string): T[] {
    const text = readFileSync(this.path(log, file), 'utf8');
    return text.trimEnd().split('\n').map((line) => JSON.parse(line) as T); // prettier-ignore
  }

  write(log: string, file: string, lines: readonly unknown[]): void {
    writeFileSync(this.path(log, file), lines.map((line) => `${canonicalJson(line as JsonValue)}\n`).join(''));
  }

  /** Changes facts of an entry and computes every hash after it again, as an owner could; receipts go. */
  rechain(log: string, seq: number, change: (facts: { [name: string]: JsonValue }) => void): string[] {
    const lines = this.lines<Line>(log, 'entries.jsonl');
    const facts = lines[seq]?.sections['facts'];
    if (facts !== undefined) change(facts.value as { [name: string]: JsonValue });
    let prev = '';
    for (const [index, line] of lines.entries()) {
      if (index >= seq) {
        const own = line.sections['facts'];
        if (own !== undefined) line.leaves[0] = sectionLeaf(own.salt, canonicalJson(own.value));
        const header = JSON.parse(line.header) as { [name: string]: JsonValue };
        line.header = canonicalJson({
          ...header,
          body: merkleRoot(line.leaves),
          prev: prev === '' ? (header['prev'] ?? null) : prev,
        });
        line.receipt = null;
        line.hash = leafHash(line.header);
      }
      prev = line.hash;
    }
    this.write(log, 'entries.jsonl', lines);
    this.manifest((manifest) => {
      for (const each of manifest.logs) if (each.log === log) each.head = prev;
    });
    return lines.map(({ hash }) => hash);
  }

  /** Cuts a log, in the manifest too. */
  cut(log: string, length: number): void {
    const lines = this.lines<Line>(log, 'entries.jsonl').slice(0, length);
    this.write(log, 'entries.jsonl', lines);
    this.manifest((manifest) => {
      for (const each of manifest.logs)
        if (each.log === log) [each.entries, each.head] = [length, lines.at(-1)?.hash ?? null];
    });
  }

  manifest(change: (manifest: { logs: { log: string; head: string | null; entries: number }[] }) => void): void {
    const path = join(this.dir, 'manifest.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as {
      logs: { log: string; head: string | null; entries: number }[];
    };
    change(manifest);
    writeFileSync(path, `${canonicalJson(manifest as unknown as JsonValue)}\n`);
  }

  verify(): Promise<VerifyReport> {
    return verifyFolder(this.dir, readTrust({ policy: `log ${formatVerifierKey(KEY)}\nquorum none\n` }));
  }
}

interface Opening {
  epoch: number;
  size: number;
  root: string;
  nonce: string;
  path: string[];
}

describe('an export', () => {
  test('holds each epoch that changed the log and the newest, and checkpoints that cover them', async () => {
    const forgery = new Forgery('as it is');
    const openings = forgery.lines<Opening>(exported.log, 'epochs.jsonl');
    expect(openings.map(({ epoch, size }) => [epoch, size])).toEqual([[0, 2], [1, 4], [2, 6], [4, 8], [5, 8]]); // prettier-ignore
    expect(forgery.lines(deployment, 'checkpoints.jsonl')).toHaveLength(6);
    const report = await forgery.verify();
    expect(report).toMatchObject({ verdict: 'UNANCHORED', firstBad: null });
    expect(report.logs.map(({ tenant, entries, covered }) => [tenant, entries - covered])).toEqual([
      ['_deployment', 0],
      ['demo', 1],
    ]);
    expect(report.notProven.join(' ')).toContain('1 entries are covered by no checkpoint yet');
    expect(await verifyFolder(forgery.dir)).toMatchObject({ verdict: 'UNANCHORED' });
  });

  test('holds nothing a neighbour could be recognised by', () => {
    const text = readFileSync(join(folder, 'good', 'logs', exported.log, 'epochs.jsonl'), 'utf8');
    expect(text).not.toContain('other');
    expect(text.match(/"path"/g)).toHaveLength(5);
    // Five epochs, four levels: no hash of another slot occurs twice, though most slots are empty and never change.
    const hashes = new Forgery('hashes').lines<Opening>(exported.log, 'epochs.jsonl').flatMap(({ path }) => path);
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe('tampering is found out', () => {
  test('when a log was rewritten and chained again between two epochs', async () => {
    const forgery = new Forgery('rechained');
    forgery.rechain(exported.log, 4, (facts) => (facts['effect'] = 'deny'));
    const { verdict, firstBad } = await forgery.verify();
    expect(verdict).toBe('TAMPERED');
    // Four entries are as the epoch before bound them.
    expect(firstBad).toMatchObject({
      log: exported.log,
      seq: 4,
      problem: expect.stringContaining('epoch 2') as string,
    });
  });

  test('when the records of the epochs were fitted to it', async () => {
    const forgery = new Forgery('records fitted');
    const hashes = forgery.rechain(exported.log, 4, (facts) => (facts['effect'] = 'deny'));
    const openings = forgery.lines<Opening>(exported.log, 'epochs.jsonl');
    for (const opening of openings) opening.root = merkleRoot(hashes.slice(0, opening.size));
    forgery.write(exported.log, 'epochs.jsonl', openings);
    const { verdict, firstBad } = await forgery.verify();
    expect([verdict, firstBad?.problem]).toEqual(['TAMPERED', expect.stringContaining('does not bind this head')]);
  });

  test('when the deployment\u2019s log was rewritten too, by its checkpoints', async () => {
    const forgery = new Forgery('deployment rewritten');
    const lines = forgery.lines<Line>(deployment, 'entries.jsonl');
    const seq = lines.findIndex(({ header }) => header.includes('"kind":"epoch"'));
    const hashes = forgery.rechain(deployment, seq, (facts) => (facts['root'] = 'ab'.repeat(32)));
    expect(await forgery.verify()).toMatchObject({ verdict: 'TAMPERED', firstBad: { log: deployment } });
    // Every epoch names the one before: those behind have to be rewritten too.
    const again = forgery.lines<Line>(deployment, 'entries.jsonl');
    for (let at = seq + 1; at < again.length; at += 1) {
      if (!(again[at]?.header ?? '').includes('"kind":"epoch"')) continue;
      const before = forgery
        .lines<Line>(deployment, 'entries.jsonl')
        .findLast((line, index) => index < at && line.header.includes('"kind":"epoch"'));
      forgery.rechain(deployment, at, (facts) => (facts['prev'] = before?.hash ?? ''));
    }
    const { firstBad } = await forgery.verify();
    expect(firstBad).toMatchObject({
      log: deployment,
      problem: expect.stringContaining('checkpoint of size') as string,
    });
    expect(hashes.length).toBe(again.length);
  });

  test('when the checkpoints were signed again by another key, or changed', async () => {
    const forgery = new Forgery('signed again');
    const notes = forgery.lines<{ note: string; vkey: string }>(deployment, 'checkpoints.jsonl');
    const thief = createNoteSigner(KEY.name, 'ed25519', Buffer.alloc(32, 8));
    const resigned = notes.map(({ note, vkey }) => ({ note: signNote(parseNote(note).text, [thief]), vkey }));
    forgery.write(deployment, 'checkpoints.jsonl', resigned);
    expect((await forgery.verify()).firstBad?.problem).toContain('not signed by the key');
    const edited = notes.map(({ note, vkey }) => ({
      note: note.replace(/\n(\d+)\n/, (_, size: string) => `\n${String(Number(size) - 1)}\n`),
      vkey,
    }));
    forgery.write(deployment, 'checkpoints.jsonl', edited);
    expect((await forgery.verify()).verdict).toBe('TAMPERED');
    forgery.write(deployment, 'checkpoints.jsonl', notes.toReversed());
    expect((await forgery.verify()).firstBad?.problem).toContain('order');
  });

  test('when the end of the log was cut with everything that speaks of it', async () => {
    const forgery = new Forgery('cut');
    const openings = forgery.lines<Opening>(exported.log, 'epochs.jsonl');
    forgery.cut(exported.log, 6);
    expect((await forgery.verify()).firstBad).toMatchObject({
      seq: 6,
      problem: expect.stringContaining('epoch 4 bound it with 8') as string,
    });
    forgery.write(exported.log, 'epochs.jsonl', openings.filter(({ size }) => size <= 6)); // prettier-ignore
    const { verdict, firstBad } = await forgery.verify();
    expect(verdict).toBe('INCOMPLETE');
    expect(firstBad).toMatchObject({
      log: exported.log,
      seq: 6,
      problem: expect.stringContaining('epoch 5 bound this log') as string,
    });
    // With all records gone as well: the deployment's log told of this log long before its newest epoch.
    forgery.write(exported.log, 'epochs.jsonl', []);
    expect((await forgery.verify()).verdict).toBe('INCOMPLETE');
  });

  test('when records are swapped, repeated, moved to another epoch or another form', async () => {
    const forgery = new Forgery('records');
    const openings = forgery.lines<Opening>(exported.log, 'epochs.jsonl');
    const [first, second, ...rest] = openings;
    if (first === undefined || second === undefined) throw new TypeError('two records');
    const bad: readonly (readonly unknown[])[] = [
      [second, first, ...rest],
      [first, first, second, ...rest],
      [{ ...first, epoch: 3 }, ...rest],
      [{ ...first, nonce: second.nonce }, second, ...rest],
      [{ ...first, path: second.path }, second, ...rest],
      [{ ...first, path: first.path.slice(1) }, second, ...rest],
      [{ ...first, size: 3 }, second, ...rest],
      [{ ...first, epoch: 99 }],
      [{ ...first, path: Array<string>(65).fill(first.root) }, second, ...rest],
      ['something else'],
    ];
    for (const [index, lines] of bad.entries()) {
      forgery.write(exported.log, 'epochs.jsonl', lines);
      // An epoch that the deployment's log does not know may as well be missing there.
      expect([index, (await forgery.verify()).verdict]).toEqual([index, index === 7 ? 'INCOMPLETE' : 'TAMPERED']);
    }
    writeFileSync(forgery.path(exported.log, 'epochs.jsonl'), '['.repeat(100_000));
    expect((await forgery.verify()).verdict).toBe('TAMPERED');
    rmSync(forgery.path(exported.log, 'epochs.jsonl'));
    expect((await forgery.verify()).verdict).toBe('INCOMPLETE');
  });
});
