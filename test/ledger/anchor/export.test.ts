import { rootCertificates } from 'node:tls';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCertificates } from '../../../ledger/anchor/certificate.ts';
import type { TokenCertificate } from '../../../ledger/anchor/certificate.ts';
import { anchorNewest } from '../../../ledger/anchor/job.ts';
import { authorityTarget, witnessTarget } from '../../../ledger/anchor/target.ts';
import { exportTenant } from '../../../ledger/export/export.ts';
import { createNoteSigner, formatVerifierKey } from '../../../ledger/note/key.ts';
import { verifyFolder } from '../../../ledger/verify/folder.ts';
import type { VerifyReport } from '../../../ledger/verify/report.ts';
import { readTrust } from '../../../ledger/verify/trust.ts';
import { parsePolicy } from '../../../ledger/witness/policy.ts';
import { createWitnessState } from '../../../ledger/witness/state.ts';
import { openConnections, startWitness, type TestWitness } from '../../support/anchors.ts';
import { BundleEditor } from '../attacks/editor.ts';
import { fitDigests } from '../attacks/fit.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { decisionItem, newCall, openTestLedger } from '../../support/ledger.ts';
import { closeEpoch, createTestNotary, TEST_CHECKPOINT_KEY } from '../../support/notary.ts';
import { createDatabase } from '../../support/postgres.ts';
import { run } from '../../support/program.ts';
import { startAuthority, type TestAuthority } from '../../support/timestamp-authority.ts';
import { runNoteBlock } from '../../support/verify-note.ts';
import { findGo } from '../go/toolchain.ts';

const VKEY = formatVerifierKey(createNoteSigner('countersign.test/ledger/0', 'ed25519', TEST_CHECKPOINT_KEY).key);
const STRANGER = formatVerifierKey(createNoteSigner('stranger.test/w', 'cosignature', Buffer.alloc(32, 9)).key);

let witness: TestWitness;
let authority: TestAuthority;
let certificates: readonly TokenCertificate[];
let root: string;
/** Ten entries under an anchored checkpoint; the same with three more behind it; another history by the same keys. */
const folders = { covered: '', younger: '', rewritten: '' };

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'countersign-anchored-'));
  const policy = parsePolicy(`log ${VKEY}\nquorum none\n`);
  witness = await startWitness({ policy, state: createWitnessState(join(root, 'witness')) });
  authority = await startAuthority({ key: 'ec' });
  certificates = readCertificates(authority.ca) ?? [];
  for (const [name, younger] of [
    ['covered', 'younger'],
    ['rewritten', null],
  ] as const) {
    folders[name] = join(root, name);
    if (younger !== null) folders[younger] = join(root, younger);
    await makeExports(folders[name], younger === null ? null : folders[younger], name === 'covered');
  }
});
afterAll(async () => {
  await witness.close();
  await authority.close();
  rmSync(root, { recursive: true, force: true });
});

async function makeExports(dir: string, younger: string | null, isAnchored: boolean): Promise<void> {
  const database = await createDatabase();
  const { sql, keys, ledger } = await openTestLedger(database);
  const notary = createTestNotary(database);
  const { send, egress } = openConnections();
  const append = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1) await ledger.append(decisionItem(newCall(), { open: false }));
  };
  for (const count of [4, 6]) {
    await append(count);
    await closeEpoch({ sql, ledger }, notary);
    const tsa = { name: 'test', url: authority.url, everyMs: 0, trusted: null, random: randomBytes };
    const targets = [
      witnessTarget({ name: 'w', key: witness.key, url: witness.url }, send),
      authorityTarget(tsa, send),
    ];
    const failures: string[] = [];
    if (isAnchored) await anchorNewest({ sql, targets, onError: ({ message }) => failures.push(message) });
    expect(failures).toEqual([]);
  }
  await exportTenant(sql, keys, { tenant: 'demo', dir });
  await append(3);
  if (younger !== null) await exportTenant(sql, keys, { tenant: 'demo', dir: younger });
  await ledger.close();
  await notary.close();
  await egress.close();
  await database.drop();
}

const trustIn = (
  vkeys: readonly string[],
  quorum = `group g all ${vkeys.map((_, i) => `W${String(i)}`).join(' ')}\nquorum g`,
): string => [`log ${VKEY}`, ...vkeys.map((vkey, i) => `witness W${String(i)} ${vkey}`), quorum].join('\n');

function verify(dir: string, policyText: string | null, pem: readonly TokenCertificate[] = []): Promise<VerifyReport> {
  return verifyFolder(dir, { ...readTrust({ policy: policyText }), certificates: pem });
}

function deploymentFile(dir: string, name: string): string {
  const logs = join(dir, 'logs');
  const log = readdirSync(logs).find((each) => readdirSync(join(logs, each)).includes('checkpoints.jsonl')) ?? '';
  return join(logs, log, name);
}

describe('VERIFY.md', () => {
  test('checks the authority with openssl and the witness with Go, and believes no others', () => {
    const ca = join(root, 'ca.pem');
    writeFileSync(ca, authority.ca);
    const stamped = runNoteBlock(folders.covered, 'timestamps', { TSA_CA: ca });
    expect(stamped).toMatchObject({ status: 0, said: expect.stringContaining('Verification: OK') as string });
    const stranger = join(root, 'stranger.pem');
    writeFileSync(stranger, rootCertificates[0] ?? '');
    expect(runNoteBlock(folders.covered, 'timestamps', { TSA_CA: stranger }).status).not.toBe(0);
    if (findGo() === null) return;
    const cosigned = runNoteBlock(folders.covered, 'signatures', { WITNESS: witness.vkey });
    expect(cosigned).toMatchObject({ status: 0, said: expect.stringContaining('your witness cosigned') as string });
    const other = runNoteBlock(folders.rewritten, 'signatures', { WITNESS: witness.vkey });
    expect([other.status, other.said]).toEqual([1, expect.stringContaining('FAILED')]);
  });
});

describe('an export is anchored', () => {
  test('when a witness whom the reader names cosigned a checkpoint over all of it', async () => {
    const report = await verify(folders.covered, trustIn([witness.vkey]));
    expect(report).toMatchObject({
      verdict: 'VALID',
      anchored: true,
      anchor: { witnesses: [witness.key.name], timestamps: 0 },
    });
    expect(report.logs.find(({ tenant }) => tenant === 'demo')).toMatchObject({ entries: 10, anchored: 10 });
    expect(Math.abs((report.anchor?.timeMs ?? 0) - Date.now())).toBeLessThan(600_000);
    expect(report.notProven.join()).not.toContain('No outside anchor');
  });

  test('when an authority stamped it whose certificate, or whose issuer\u2019s, the reader has', async () => {
    for (const pem of [authority.ca, authority.certificate]) {
      const report = await verify(folders.covered, trustIn([], 'quorum none'), readCertificates(pem) ?? []);
      expect(report).toMatchObject({ verdict: 'VALID', anchored: true, anchor: { witnesses: [], timestamps: 1 } });
      expect(report.notProven.join()).toContain('that takes witnesses');
    }
  });

  test('only up to the last anchor', async () => {
    const report = await verify(folders.younger, trustIn([witness.vkey]), certificates);
    expect(report).toMatchObject({ verdict: 'UNANCHORED', anchored: false, anchor: { timestamps: 1 } });
    expect(report.logs.find(({ tenant }) => tenant === 'demo')).toMatchObject({ entries: 13, anchored: 10 });
    expect(report.notProven[0]).toMatch(/^\d+ entries are younger than the last outside anchor/);
  });
});

describe('an export is not anchored', () => {
  test('by itself: keys and certificates inside it are not trust', async () => {
    for (const report of [
      await verifyFolder(folders.covered),
      await verify(folders.covered, trustIn([], 'quorum none')),
    ]) {
      expect(report).toMatchObject({ verdict: 'UNANCHORED', anchored: false, anchor: null });
      expect(report.notProven[0]).toContain('No outside anchor');
    }
  });

  test('by witnesses or authorities that the reader does not name, nor by too few', async () => {
    expect(await verify(folders.covered, trustIn([STRANGER]))).toMatchObject({ anchored: false, anchor: null });
    expect(await verify(folders.covered, trustIn([witness.vkey, STRANGER]))).toMatchObject({
      anchored: false,
      anchor: null,
    });
    const other = await startAuthority({ key: 'ec' });
    const pem = readCertificates(other.ca) ?? [];
    expect(await verify(folders.covered, trustIn([], 'quorum none'), pem)).toMatchObject({
      anchored: false,
      anchor: null,
    });
    await other.close();
  });

  test('under checkpoints of a log whose key the reader does not name', async () => {
    expect(await verify(folders.covered, null, certificates)).toMatchObject({ verdict: 'UNANCHORED', anchor: null });
    const policy = trustIn([witness.vkey]).replace(VKEY, formatVerifierKey(createNoteSigner('countersign.test/ledger/0', 'ed25519', Buffer.alloc(32, 8)).key)); // prettier-ignore
    const report = await verify(folders.covered, policy, certificates);
    expect(report).toMatchObject({ verdict: 'UNANCHORED', consistent: true, anchor: null });
    expect(report.notProven[0]).toContain(VKEY);
  });

  test('by anchors of another history that the same keys signed', async () => {
    const dir = join(temporaryFolder(), 'export');
    cpSync(folders.rewritten, dir, { recursive: true });
    const trust = trustIn([witness.vkey]);
    expect(await verify(dir, trust, certificates)).toMatchObject({
      verdict: 'UNANCHORED',
      anchored: false,
      anchor: null,
    });
    // Transplanted, with the sizes that the other history has.
    const notes = readFileSync(deploymentFile(dir, 'checkpoints.jsonl'), 'utf8').trim().split('\n');
    const sizes = notes.map((line) => Number((JSON.parse(line) as { note: string }).note.split('\n')[1]));
    const anchors = readFileSync(deploymentFile(folders.covered, 'anchors.jsonl'), 'utf8').trim().split('\n');
    const moved = anchors.map((line, i) => line.replace(/"size":\d+/, `"size":${String(sizes[i] ?? 0)}`));
    writeFileSync(deploymentFile(dir, 'anchors.jsonl'), `${moved.join('\n')}\n`);
    fitDigests(new BundleEditor(dir));
    expect(await verify(dir, trust, certificates)).toMatchObject({
      verdict: 'UNANCHORED',
      anchored: false,
      anchor: null,
    });
  });

  test('by what is no anchor, and a tampered log is never anchored', async () => {
    const trust = trustIn([witness.vkey]);
    for (const text of [
      '',
      '\n\n',
      '{"size":1}\n',
      '{"cosignatures":[1],"size":1,"timestamps":[]}\n',
      'x'.repeat(100_000),
    ]) {
      const dir = join(temporaryFolder(), 'export');
      cpSync(folders.covered, dir, { recursive: true });
      writeFileSync(deploymentFile(dir, 'anchors.jsonl'), text);
      fitDigests(new BundleEditor(dir));
      expect(await verify(dir, trust, certificates)).toMatchObject({
        verdict: 'UNANCHORED',
        anchored: false,
        anchor: null,
      });
    }
    const dir = join(temporaryFolder(), 'export');
    cpSync(folders.covered, dir, { recursive: true });
    const log = readdirSync(join(dir, 'logs')).find((each) =>
      readdirSync(join(dir, 'logs', each)).includes('epochs.jsonl'),
    );
    const entries = join(dir, 'logs', log ?? '', 'entries.jsonl');
    writeFileSync(entries, readFileSync(entries, 'utf8').replace('"effect":"allow"', '"effect":"deny"'));
    expect(await verify(dir, trust, certificates)).toMatchObject({ verdict: 'TAMPERED', anchored: false });
  });
});

test('openssl verifies the exported timestamp over the exported note', () => {
  const cwd = temporaryFolder();
  const last = <T>(name: string): T =>
    JSON.parse(readFileSync(deploymentFile(folders.covered, name), 'utf8').trim().split('\n').at(-1) ?? '') as T;
  writeFileSync(join(cwd, 'note'), last<{ note: string }>('checkpoints.jsonl').note);
  const token = last<{ timestamps: string[] }>('anchors.jsonl').timestamps[0] ?? '';
  writeFileSync(join(cwd, 'token'), Buffer.from(token, 'base64'));
  writeFileSync(join(cwd, 'ca.pem'), authority.ca);
  const args = ['ts', '-verify', '-data', 'note', '-in', 'token', '-token_in', '-CAfile', 'ca.pem'];
  expect(execFileSync('openssl', args, { cwd, encoding: 'utf8', stdio: 'pipe' })).toContain('OK');
});

test('the command takes the reader\u2019s files', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'trust'), trustIn([witness.vkey]));
  writeFileSync(join(cwd, 'ca.pem'), authority.ca);
  const files = ['--trust', join(cwd, 'trust'), '--tsa-certificates', join(cwd, 'ca.pem')];
  const { status, stdout } = await run(['ledger', 'verify', folders.covered, ...files]);
  expect(status).toBe(0);
  expect(stdout).toContain('VALID: every entry fits');
  expect(stdout).toContain(`by ${witness.key.name}, 1 timestamps.`);
  const missing = await run(['ledger', 'verify', folders.covered, '--trust', join(cwd, 'none')]);
  expect(missing.status).toBe(1);
});
