import { join, relative } from 'node:path';
import { readLine } from '../export/line.ts';
import { readManifest } from '../export/manifest.ts';
import type { ExportedLog, Manifest } from '../export/manifest.ts';
import { MAX_RANGE_BYTES, RANGE_FILE, readRange } from '../export/range.ts';
import type { RangeEvidence } from '../export/range.ts';
import type { AnchorTrust } from '../anchor/evidence.ts';
import type { VerifierKey } from '../note/key.ts';
import type { EvidenceEntry } from './evidence.ts';
import { isFile, readBounded, readLines } from './files.ts';
import { judgeErasures } from '../erasure/check.ts';
import { FolderAnchors } from './folder-anchors.ts';
import { FolderHeads } from './folder-heads.ts';
import { announcement, LogCheck } from './log-check.ts';
import { buildReport, unverifiable } from './report.ts';
import type { Problem, VerifyReport } from './report.ts';
import { CompactRange } from '../tree/range.ts';
import { TreeWalk } from './tree-walk.ts';
import { WriterCheck } from './writer-check.ts';

/**
 * Checks an exported folder: no network, no database. Everything in it is untrusted; files are streamed.
 *
 * @param checkpointKeys the keys whose checkpoints the reader believes; without them a checkpoint's signature is compared
 *   with the key that came along, which an owner of the deployment could have chosen
 * @param trust whom outside the deployment the reader believes; without it nothing is anchored
 */
export async function verifyFolder(
  dir: string,
  checkpointKeys?: readonly VerifierKey[],
  trust?: AnchorTrust,
): Promise<VerifyReport> {
  const text = await readBounded(join(dir, 'manifest.json'));
  const manifest = text === null ? null : readManifest(text);
  if (manifest === null)
    return unverifiable('format', 'expected manifest.json of format countersign/export/v1, found none');
  const writers = new WriterCheck();
  const checks: LogCheck[] = [];
  const announced = new Set<string>();
  const walk = new TreeWalk();
  const anchors = new FolderAnchors(trust ?? null);
  for (const log of manifest.logs.toSorted((a, b) => a.role.localeCompare(b.role) || a.inc - b.inc)) {
    const path = join(dir, 'logs', log.log, 'entries.jsonl');
    const part = await readPart(dir, log);
    if (part === undefined) return unverifiable('format', `expected ${RANGE_FILE} that fits the manifest, found none`);
    const heads = new FolderHeads(dir, log, walk, checkpointKeys ?? null, anchors, part);
    for (const file of [path, heads.path])
      if (!(await isFile(file))) return unverifiable('format', `expected ${relative(dir, file)}, found none`);
    const check = new LogCheck(log, writers, part);
    const from = walk.places;
    if (log.role === 'deployment') await anchors.begin(dir, log.log);
    const before = part === null ? undefined : (CompactRange.restore(part.first, part.peaks.join('')) ?? undefined);
    const root = await walk.walk(log, check, heads.read(), readEvidence(path, log, check), undefined, before);
    const uncovered = check.problem === null ? heads.uncovered(root) : null;
    if (uncovered !== null) check.fail(log.first, { problem: uncovered });
    if (heads.cover?.covered === true) check.covered = log.first + log.entries;
    const missing = heads.missing();
    if (missing !== null) check.fail(check.length, { problem: missing, shows: 'INCOMPLETE' });
    checkEnd(check, log, manifest);
    check.anchored = Math.min(heads.anchored, log.first + log.entries);
    if (log.role === 'deployment') anchors.ranges.push({ from, to: from + heads.anchored });
    if (log.role === 'deployment') for (const each of check.announced) announced.add(each);
    checks.push(check);
  }
  checkKeys(checks, manifest);
  return buildReport(
    checks.map((check) => check.report()),
    unannounced(manifest, announced),
    anchors.newest,
    manifest.logs.some(({ first }) => first > 0) ? [PART] : [],
  );
}

const PART =
  'Only a part of a log was checked: calls decided before it, and orders of erasures outside of it, were not seen.';

/** Erased entries are covered by erasure entries. A log that was not read to its end may hold orders nobody saw. */
function checkKeys(checks: readonly LogCheck[], { logs }: Manifest): void {
  if (checks.some((check) => check.problem !== null)) return;
  const erasures = checks.map((check) => check.erasures);
  // The orders may lie outside of a part; the report says that they were not seen.
  const isPart = logs.some(({ first }) => first > 0);
  const elsewhere = isPart ? new Set(erasures.flatMap(({ sealed }) => [...sealed.keys()])) : undefined;
  const findings = judgeErasures(erasures, () => true, elsewhere);
  for (const check of checks) {
    const finding = findings.get(check.erasures);
    if (finding !== undefined) check.fail(finding.seq, finding);
  }
}

/** Null for a whole log; undefined when a part has no evidence, or one that does not fit the manifest or itself. */
async function readPart(
  dir: string,
  { log, role, first, entries }: ExportedLog,
): Promise<RangeEvidence | null | undefined> {
  const path = join(dir, 'logs', log, RANGE_FILE);
  if (role === 'deployment' || !(await isFile(path))) return first === 0 ? null : undefined;
  const text = await readBounded(path, MAX_RANGE_BYTES);
  const part = text === null ? null : readRange(text);
  if (part === null || part.first !== first || part.end !== first + entries) return undefined;
  return CompactRange.restore(part.first, part.peaks.join('')) === null ? undefined : part;
}

/** The lines of a log as entries, up to the first that is none. */
async function* readEvidence(path: string, log: ExportedLog, check: LogCheck): AsyncGenerator<EvidenceEntry> {
  for await (const line of readLines(path)) {
    const entry = readLine(line);
    if (entry === null) return check.fail(check.length, { problem: 'the line is not an exported entry' });
    if (log.role === 'tenant' && !entry.sections.has('facts'))
      return check.fail(check.length, {
        section: 'facts',
        problem: 'the facts are missing: they are never withheld',
        shows: 'INCOMPLETE',
      });
    yield entry;
  }
}

/** Does the file hold what the manifest promises? Whoever edits both is found only by what lies outside the folder. */
function checkEnd(check: LogCheck, log: ExportedLog, manifest: Manifest): void {
  const length = check.length - log.first;
  if (length !== log.entries) {
    check.fail(check.length, {
      problem: `the file ends after ${String(length)} entries, the manifest says ${String(log.entries)}`,
      shows: length < log.entries ? 'INCOMPLETE' : 'TAMPERED',
    });
  }
  if (check.report().head !== log.head)
    check.fail(check.length, { problem: 'the last entry is not the one the manifest names' });
  if (log.role !== 'tenant') return;
  for (const call of check.calls.open.keys()) {
    if (!manifest.openCalls.includes(call)) {
      check.fail(check.length, {
        problem: `call ${call} has no outcome in the log, and the manifest does not list it as open`,
        shows: 'INCOMPLETE',
      });
    }
  }
}

function unannounced(manifest: Manifest, announced: ReadonlySet<string>): Problem[] {
  const problem = 'the deployment log does not tell of this log';
  return manifest.logs
    .filter(
      ({ inc, log, nonce, origin, slot, entries }) =>
        entries > 0 && !announced.has(announcement({ inc, log, nonce, origin, slot })),
    )
    .map(({ log, tenant }) => ({ log, tenant, seq: null, section: null, writer: null, problem, shows: 'INCOMPLETE' }));
}
