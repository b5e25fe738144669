import { mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type postgres from 'postgres';
import { readAnchors } from '../anchor/stored.ts';
import { canonicalJson } from '../canonical.ts';
import type { JsonValue } from '../canonical.ts';
import { DEPLOYMENT } from '../entry.ts';
import { readCheckpoints, readOpenings, readWholeEpoch } from '../epoch/stored.ts';
import type { WholeEpoch } from '../epoch/stored.ts';
import { LedgerError } from '../error.ts';
import type { KeyRing } from '../keyring.ts';
import { openSections } from '../sections.ts';
import type { OpenedSection } from '../seal.ts';
import { readEntries } from '../stored.ts';
import type { StoredEntry } from '../stored.ts';
import { asObject, readLedgerFacts } from '../verify/call-check.ts';
import type { EvidenceEntry } from '../verify/evidence.ts';
import { readSnapshot } from '../verify/snapshot.ts';
import type { SnapshotLog } from '../verify/snapshot.ts';
import { ANCHORS_FILE, writeAnchors } from './anchors.ts';
import { CHECKPOINTS_FILE, EPOCHS_FILE, writeCheckpoint, writeOpening } from './heads.ts';
import { writeLine } from './line.ts';
import { writeManifest } from './manifest.ts';
import type { ExportedLog } from './manifest.ts';
import { VERIFY_NOTE } from './note.ts';

/** What to export, and where to. */
export interface ExportOptions {
  readonly tenant: string;
  /** New or empty folder. */
  readonly dir: string;
  /** `facts`: everything else stays withheld. Default `all`: what can be opened is disclosed. */
  readonly disclose?: 'all' | 'facts';
}

/** What was written. */
export interface ExportResult {
  readonly log: string;
  readonly entries: number;
  /** Leaf hash of the last exported entry. */
  readonly head: string | null;
  /** Entries of which only facts and hashes are left, because their key was destroyed. */
  readonly erased: number;
  /** Files written, relative to the folder, sorted. */
  readonly files: readonly string[];
}

/** What is gathered while the entries pass. */
interface Tally {
  readonly kinds: Record<string, number>;
  readonly open: Set<string>;
  readonly writers: { wid: string; key: string }[];
  /** Epochs the deployment's log tells of. */
  epochs: number;
  /** Entries whose key is gone. */
  erased: number;
}

/** What is disclosed of an entry; the key when it was destroyed. */
type Disclosed = Pick<EvidenceEntry, 'sections' | 'erasedKey'>;

/**
 * Writes a tenant's log as a folder that verifies offline (docs/ledger-format.md), readable by its owner only. The same ledger
 * gives the same bytes. Entries are read in short reads and streamed.
 *
 * @throws {LedgerError} `exists` for a folder with content, `unknown_tenant` for a tenant without a log
 */
export async function exportTenant(sql: postgres.Sql, keys: KeyRing, options: ExportOptions): Promise<ExportResult> {
  const { tenant, dir, disclose = 'all' } = options;
  const { logs } = await readSnapshot(sql);
  const own = logs.filter((log) => log.tenant === tenant);
  const last = own.at(-1);
  if (last === undefined || tenant === DEPLOYMENT) {
    throw new LedgerError(
      'unknown_tenant',
      `expected a tenant with a log, found none for ${tenant}; has it made a call yet?`,
    );
  }
  await makeFolder(dir);
  const tally: Tally = { kinds: {}, open: new Set(), writers: [], epochs: 0, erased: 0 };
  const exported: ExportedLog[] = [];
  const ids = new Set(logs.filter((log) => log.tenant === tenant || log.tenant === DEPLOYMENT).map((log) => log.log));
  for (const log of logs.filter((each) => each.tenant === DEPLOYMENT)) {
    const head = await writeLog(sql, dir, log, async (entry) => ({ sections: deploymentSections(entry, ids, tally) }));
    await writeHeads(dir, log, CHECKPOINTS_FILE, checkpointLines(sql, log));
    await writeHeads(dir, log, ANCHORS_FILE, anchorLines(sql, log));
    exported.push({ ...log, entries: log.tail + 1, head, role: 'deployment' });
  }
  const newest = tally.epochs === 0 ? null : await readWholeEpoch(sql, tally.epochs - 1);
  for (const log of own) {
    const head = await writeLog(sql, dir, log, async (entry) =>
      tenantSections(entry, tenant, disclose === 'all' ? keys : null, tally),
    );
    await writeHeads(dir, log, EPOCHS_FILE, epochLines(sql, log, newest));
    exported.push({ ...log, entries: log.tail + 1, head, role: 'tenant' });
  }
  const writers = tally.writers.toSorted((a, b) => (a.wid < b.wid ? -1 : 1));
  await writeText(
    join(dir, 'keys', 'writers.json'),
    canonicalJson(writers.map(({ wid, key }) => ({ wid, key, algorithm: 'ed25519' }))) + '\n',
  );
  const manifest = { tenant, disclose, logs: exported, kinds: tally.kinds, openCalls: [...tally.open].toSorted() };
  await writeText(join(dir, 'manifest.json'), writeManifest(manifest));
  await writeText(join(dir, 'VERIFY.md'), VERIFY_NOTE);
  const files = [
    'VERIFY.md',
    'keys/writers.json',
    'manifest.json',
    ...exported.flatMap(({ log, role }) => [
      `logs/${log}/entries.jsonl`,
      ...(role === 'tenant' ? [EPOCHS_FILE] : [CHECKPOINTS_FILE, ANCHORS_FILE]).map((name) => `logs/${log}/${name}`),
    ]),
  ];
  return {
    log: last.log,
    entries: last.tail + 1,
    head: exported.at(-1)?.head ?? null,
    erased: tally.erased,
    files: files.toSorted(),
  };
}

async function makeFolder(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if ((await readdir(dir)).length > 0) {
    throw new LedgerError('exists', `expected an empty folder at ${dir}, found files in it; choose another`);
  }
  await mkdir(join(dir, 'keys'), { mode: 0o700 });
  await mkdir(join(dir, 'logs'), { mode: 0o700 });
}

async function writeText(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600, flag: 'wx' });
}

/** Returns the leaf hash of the last entry. */
async function writeLog(
  sql: postgres.Sql,
  dir: string,
  log: SnapshotLog,
  disclose: (entry: StoredEntry) => Promise<Disclosed>,
): Promise<string | null> {
  const folder = join(dir, 'logs', log.log);
  await mkdir(folder, { mode: 0o700 });
  const file = await open(join(folder, 'entries.jsonl'), 'wx', 0o600);
  let head: string | null = null;
  let pending = '';
  try {
    for await (const entry of readEntries(sql, log.log, 0, log.tail)) {
      const { header, hash, receipt } = entry;
      const leaves = entry.leaves.match(/.{1,64}/g) ?? [];
      pending += writeLine({ header, hash, leaves, receipt, ...(await disclose(entry)) });
      head = hash;
      if (pending.length > 1_000_000) {
        await file.write(pending);
        pending = '';
      }
    }
    await file.write(pending);
  } finally {
    await file.close();
  }
  return head;
}

async function writeHeads(
  dir: string,
  { log }: SnapshotLog,
  name: string,
  lines: AsyncIterable<string>,
): Promise<void> {
  const file = await open(join(dir, 'logs', log, name), 'wx', 0o600);
  try {
    for await (const line of lines) await file.write(line);
  } finally {
    await file.close();
  }
}

async function* checkpointLines(sql: postgres.Sql, { log, checkpoint }: SnapshotLog): AsyncGenerator<string> {
  for await (const each of readCheckpoints(sql, log, checkpoint)) yield writeCheckpoint(each);
}

async function* anchorLines(sql: postgres.Sql, { log, checkpoint }: SnapshotLog): AsyncGenerator<string> {
  for await (const each of readAnchors(sql, log, checkpoint)) yield writeAnchors(each);
}

/** Every epoch that changed the log, and the newest: whoever leaves out the end of the log has to leave out that one. */
async function* epochLines(sql: postgres.Sql, log: SnapshotLog, newest: WholeEpoch | null): AsyncGenerator<string> {
  let last = -1;
  for await (const opening of readOpenings(sql, log, newest?.epoch ?? -1)) {
    yield writeOpening(opening);
    last = opening.epoch;
  }
  const opening = newest === null || newest.epoch === last ? null : newest.open(log.log);
  if (opening !== null) yield writeOpening(opening);
}

/** Of the deployment's log only its epochs, who the writers were, and what this tenant's log and the deployment's are made of. */
function deploymentSections(
  entry: StoredEntry,
  own: ReadonlySet<string>,
  tally: Tally,
): ReadonlyMap<string, OpenedSection> {
  const facts = asObject(parseFacts(entry));
  const { log, key } = facts;
  if (entry.kind === 'writer' && typeof key === 'string') tally.writers.push({ wid: entry.wid, key });
  if (entry.kind === 'epoch') tally.epochs += 1;
  const needed =
    entry.kind === 'writer' ||
    entry.kind === 'epoch' ||
    (entry.kind === 'log' && typeof log === 'string' && own.has(log));
  return needed ? new Map([['facts', { salt: entry.factsSalt, text: entry.facts }]]) : new Map();
}

async function tenantSections(
  entry: StoredEntry,
  tenant: string,
  keys: KeyRing | null,
  tally: Tally,
): Promise<Disclosed> {
  tally.kinds[entry.kind] = (tally.kinds[entry.kind] ?? 0) + 1;
  if (entry.kind === 'decision' && readLedgerFacts(parseFacts(entry)).open) tally.open.add(entry.call);
  if (entry.kind === 'outcome') tally.open.delete(entry.call);
  const { sections, erased } = await openSections(entry, tenant, keys);
  if (!erased || entry.keyRef === null) return { sections };
  tally.erased += 1;
  return { sections, erasedKey: entry.keyRef };
}

/** A damaged row is exported as it is: finding it is the verifier's work. */
function parseFacts({ facts }: StoredEntry): JsonValue {
  try {
    return JSON.parse(facts) as JsonValue;
  } catch {
    return null;
  }
}
