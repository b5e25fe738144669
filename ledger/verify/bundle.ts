import { MAX_RANGE_BYTES, RANGE_FILE, readRange } from '../export/range-file.ts';
import type { RangeEvidence } from '../export/range-file.ts';
import { ANCHORS_FILE, MAX_ANCHOR_CHARS, readAnchorLine } from '../export/anchors.ts';
import { CHECKPOINTS_FILE, EPOCHS_FILE, MAX_HEAD_CHARS, readCheckpoint, readOpening } from '../export/heads.ts';
import { readLine } from '../export/line.ts';
import { readManifest } from '../export/manifest.ts';
import type { ExportedLog, Manifest } from '../export/manifest.ts';
import { CompactRange } from '../tree/range.ts';
import type { StoredAnchors } from '../anchor/stored.ts';
import { judgeErasures } from '../erasure/check.ts';
import { judgePrunes } from '../erasure/prune-check.ts';
import { AnchorCheck } from './anchors.ts';
import { readLines, readText } from './bundle-files.ts';
import type { BundleFiles } from './bundle-files.ts';
import type { EvidenceEntry } from './evidence.ts';
import { HeadCheck } from './heads.ts';
import { announcement, LogCheck } from './log-check.ts';
import { ReceiptCheck } from './receipt-check.ts';
import { buildReport, unverifiable } from './report.ts';
import type { Problem, VerifyReport } from './report.ts';
import { TreeWalk } from './tree-walk.ts';
import { NO_TRUST } from './trust.ts';
import type { ReaderTrust } from './trust.ts';
import { WriterCheck } from './writer-check.ts';

/** What all logs of a bundle are checked against together. */
interface Bundle {
  readonly files: BundleFiles;
  readonly manifest: Manifest;
  readonly trust: ReaderTrust;
  readonly writers: WriterCheck;
  readonly walk: TreeWalk;
  readonly anchors: AnchorCheck;
  readonly receipts: ReceiptCheck;
  readonly strangers: Set<string>;
}

/**
 * Checks an exported bundle: no network, no database, nothing but these files and what the reader brings. Everything in the bundle
 * is untrusted; files are streamed, and what has to be kept of them is bounded.
 *
 * @param trust whom the reader believes; without it nothing is anchored
 */
export async function verifyBundle(files: BundleFiles, trust: ReaderTrust = NO_TRUST): Promise<VerifyReport> {
  const read = await readText(files, 'manifest.json');
  if ('problem' in read)
    return unverifiable(
      read.problem === 'none' ? 'format' : read.problem,
      `expected manifest.json, found ${UNREADABLE[read.problem]}`,
    );
  const manifest = readManifest(read.text);
  if (manifest === null)
    return unverifiable('format', 'expected manifest.json of format countersign/export/v1, found another');
  const bundle: Bundle = {
    files, manifest, trust,
    writers: new WriterCheck(), walk: new TreeWalk(), anchors: new AnchorCheck(trust),
    receipts: new ReceiptCheck(trust.receipts), strangers: new Set(),
  }; // prettier-ignore
  const checks: LogCheck[] = [];
  for (const log of manifest.logs.toSorted((a, b) => a.role.localeCompare(b.role) || a.inc - b.inc)) {
    const check = await checkLog(bundle, log);
    if (!(check instanceof LogCheck)) return check;
    checks.push(check);
  }
  checkKeys(checks, manifest);
  return buildReport(
    checks.map((check) => check.report()),
    unannounced(manifest, checks),
    bundle.anchors.newest,
    limitsOf(bundle),
  );
}

const UNREADABLE = {
  none: 'none',
  unsafe_file: 'something that is no ordinary file of the bundle',
  limit: 'a larger file than one may be',
  not_utf8: 'bytes that are not UTF-8',
} as const;

/** A report instead when the log's files cannot be read. */
async function checkLog(bundle: Bundle, log: ExportedLog): Promise<LogCheck | VerifyReport> {
  const { files, manifest, walk, anchors, writers, receipts, trust } = bundle;
  const folder = `logs/${log.log}`;
  const isDeployment = log.role === 'deployment';
  const part = await readPart(files, log);
  if (part === undefined) return unverifiable('format', `expected ${RANGE_FILE} that fits the manifest, found none`);
  const check = new LogCheck(log, writers, part);
  for (const name of ['entries.jsonl', isDeployment ? CHECKPOINTS_FILE : EPOCHS_FILE]) {
    const found = await files.look(`${folder}/${name}`);
    if (found === 'unsafe')
      return unverifiable('unsafe_file', `expected a file ${folder}/${name}, found no ordinary one`);
    if (found === 'none')
      check.fail(log.first, { problem: `the file ${folder}/${name} is missing`, shows: 'INCOMPLETE' });
  }
  if (check.problem !== null) return check;
  const heads = new HeadCheck(log, walk, trust, anchors, part);
  const from = walk.places;
  if (isDeployment) await anchors.begin(anchorLines(files, `${folder}/${ANCHORS_FILE}`));
  const bound = isDeployment
    ? heads.checkpoints(parsed(files, `${folder}/${CHECKPOINTS_FILE}`, readCheckpoint))
    : heads.epochs(parsed(files, `${folder}/${EPOCHS_FILE}`, readOpening));
  const entries = readEvidence(files, `${folder}/entries.jsonl`, log, check);
  const seen = receipts.of(log.log);
  const root = await walk.walk(log, check, bound, entries, seen === null ? undefined : (hash) => seen.see(hash, check), peaksOf(part)); // prettier-ignore
  const uncovered = check.problem === null ? heads.uncovered(root) : null;
  if (uncovered !== null) check.fail(log.first, { problem: uncovered });
  if (heads.cover?.covered === true) check.covered = log.first + log.entries;
  const missing = heads.missing();
  if (missing !== null) check.fail(check.length, { problem: missing, shows: 'INCOMPLETE' });
  seen?.end(check, part === null ? null : part.end);
  checkEnd(check, log, manifest);
  check.anchored = Math.min(heads.anchored, log.first + log.entries);
  if (isDeployment) anchors.ranges.push({ from, to: from + heads.anchored });
  for (const stranger of heads.strangers) bundle.strangers.add(stranger);
  return check;
}

function peaksOf(part: RangeEvidence | null): CompactRange | undefined {
  return part === null ? undefined : (CompactRange.restore(part.first, part.peaks.join('')) ?? undefined);
}

const PART =
  'Only a part of a log was checked: calls decided before it, and orders of erasures outside of it, were not seen.';
const MOST_NAMED = 3;

function limitsOf({ manifest, strangers, receipts }: Bundle): string[] {
  const limits = manifest.logs.some(({ first }) => first > 0) ? [PART] : [];
  if (strangers.size > 0)
    limits.push(
      `Checkpoints are signed by keys that your policy file does not name for this log (${[...strangers].slice(0, MOST_NAMED).join(', ')}): they count for nothing.`,
    );
  if (receipts.elsewhere > 0)
    limits.push(`${String(receipts.elsewhere)} receipts are about logs, or parts of them, that are not here.`);
  return limits;
}

/** Erased entries are covered by erasure entries. A log that was not read to its end may hold orders nobody saw. */
function checkKeys(checks: readonly LogCheck[], { logs }: Manifest): void {
  if (checks.some((check) => check.problem !== null)) return;
  const erasures = checks.map((check) => check.erasures);
  const roles = new Map(logs.map(({ log, role }) => [log, role]));
  // The orders may lie outside of a part; the report says that they were not seen.
  const isPart = logs.some(({ first }) => first > 0);
  const elsewhere = isPart ? new Set(erasures.flatMap(({ sealed }) => [...sealed.keys()])) : undefined;
  const findings = [judgeErasures(erasures, () => true, elsewhere)];
  // A deployment's log says nothing about the bodies of a tenant's.
  for (const role of ['tenant', 'deployment'])
    findings.push(judgePrunes(erasures.filter(({ log }) => roles.get(log) === role), () => true, isPart).findings); // prettier-ignore
  for (const check of checks) {
    const [finding] = findings.flatMap((each) => each.get(check.erasures) ?? []);
    if (finding !== undefined) check.fail(finding.seq, finding);
  }
}

/** Null for a whole log; undefined when a part has no evidence, or one that does not fit the manifest or itself. */
async function readPart(
  files: BundleFiles,
  { log, role, first, entries }: ExportedLog,
): Promise<RangeEvidence | null | undefined> {
  if (role === 'deployment') return first === 0 ? null : undefined;
  const read = await readText(files, `logs/${log}/${RANGE_FILE}`, MAX_RANGE_BYTES);
  if ('problem' in read) return read.problem === 'none' && first === 0 ? null : undefined;
  const part = readRange(read.text);
  if (part === null || part.first !== first || part.end !== first + entries) return undefined;
  return CompactRange.restore(part.first, part.peaks.join('')) === null ? undefined : part;
}

async function* parsed<T>(
  files: BundleFiles,
  path: string,
  read: (line: string) => T | null,
): AsyncGenerator<T | null> {
  for await (const line of readLines(files, path, MAX_HEAD_CHARS)) yield line === null ? null : read(line);
}

/** No anchors is no problem: there is nobody then who could say so. */
async function* anchorLines(files: BundleFiles, path: string): AsyncGenerator<StoredAnchors | null> {
  if ((await files.look(path)) !== 'file') return;
  for await (const line of readLines(files, path, MAX_ANCHOR_CHARS)) yield line === null ? null : readAnchorLine(line);
}

/** The lines of a log as entries, up to the first that is none. */
async function* readEvidence(
  files: BundleFiles,
  path: string,
  log: ExportedLog,
  check: LogCheck,
): AsyncGenerator<EvidenceEntry> {
  for await (const line of readLines(files, path)) {
    const entry = line === null ? null : readLine(line);
    if (line === null) return check.fail(check.length, { problem: 'the line is too long, or no UTF-8' });
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
  const listed = new Set(manifest.openCalls);
  for (const call of check.calls.open.keys()) {
    if (!listed.has(call)) {
      check.fail(check.length, {
        problem: `call ${call} has no outcome in the log, and the manifest does not list it as open`,
        shows: 'INCOMPLETE',
      });
    }
  }
}

function unannounced({ logs }: Manifest, checks: readonly LogCheck[]): Problem[] {
  const announced = new Set(checks.flatMap((check) => [...check.announced]));
  const problem = 'the deployment log does not tell of this log';
  return logs
    .filter(
      ({ inc, log, nonce, origin, slot, entries }) =>
        entries > 0 && !announced.has(announcement({ inc, log, nonce, origin, slot })),
    )
    .map(({ log, tenant }) => ({ log, tenant, seq: null, section: null, writer: null, problem, shows: 'INCOMPLETE' }));
}
