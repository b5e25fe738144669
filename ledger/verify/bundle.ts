import { ANCHORS_FILE } from '../export/anchors.ts';
import { CHECKPOINTS_FILE, EPOCHS_FILE } from '../export/heads.ts';
import { readManifest } from '../export/manifest.ts';
import type { ExportedLog, Manifest } from '../export/manifest.ts';
import { RANGE_FILE } from '../export/range-file.ts';
import { judgeErasures } from '../erasure/check.ts';
import { judgePrunes } from '../erasure/prune-check.ts';
import { AnchorCheck } from './anchors.ts';
import { readText } from './bundle-files.ts';
import type { BundleFiles } from './bundle-files.ts';
import type { EvidenceEntry } from './evidence.ts';
import { FolderCheck } from './folder-check.ts';
import { HeadCheck } from './heads.ts';
import { announcement, LogCheck } from './log-check.ts';
import { anchorLines, checkpointLines, openingLines, peaksOf, readEvidence, readPart } from './log-files.ts';
import { ReceiptCheck } from './receipt-check.ts';
import { buildReport, unverifiable } from './report.ts';
import type { FileProblem, Problem, VerifyReport } from './report.ts';
import { TreeWalk } from './tree-walk.ts';
import { NO_TRUST } from './trust.ts';
import type { ReaderTrust } from './trust.ts';
import { WriterCheck } from './writer-check.ts';
import type { VerifyMany } from './writer-check.ts';

/** What a reader may ask besides. */
export interface VerifyWish {
  /** Only the state of the newest log when this was its last entry. */
  readonly at?: number | null;
  /** For a place where one signature at a time is slow. */
  readonly verifyMany?: VerifyMany;
  /** Told how many entries were read, now and then; the work goes on when it is done. */
  readonly pause?: (entries: number) => Promise<void>;
}

/** What all logs of a bundle are checked against together. */
interface Bundle {
  readonly files: BundleFiles;
  readonly manifest: Manifest;
  readonly trust: ReaderTrust;
  readonly at: number | null;
  readonly ahead: ((log: ExportedLog, entries: readonly EvidenceEntry[]) => Promise<void>) | null;
  readonly writers: WriterCheck;
  readonly walk: TreeWalk;
  readonly anchors: AnchorCheck;
  readonly receipts: ReceiptCheck;
  readonly strangers: Set<string>;
  /** Null when a state of the past is asked for: the other files are about all of the log. */
  readonly folder: FolderCheck | null;
}

/**
 * Checks an exported bundle: no network, no database, nothing but these files and what the reader brings. Everything in the bundle
 * is untrusted; files are streamed, and what has to be kept of them is bounded. The entries come first; when nothing is wrong with
 * them, every other file of the bundle is made again from them and compared.
 *
 * @param trust whom the reader believes; without it nothing is anchored
 */
export async function verifyBundle(
  files: BundleFiles,
  trust: ReaderTrust = NO_TRUST,
  wish: VerifyWish = {},
): Promise<VerifyReport> {
  const manifest = await openManifest(files);
  if ('verdict' in manifest) return manifest;
  const { at = null } = wish;
  const writers = new WriterCheck();
  const folder = at === null ? await FolderCheck.begin(files, manifest, trust) : null;
  const bundle: Bundle = {
    files, manifest, trust, at, folder, writers, ahead: aheadOf(writers, wish), walk: new TreeWalk(), anchors: new AnchorCheck(trust),
    receipts: new ReceiptCheck(trust.receipts), strangers: new Set(),
  }; // prettier-ignore
  const checks: LogCheck[] = [];
  for (const log of manifest.logs.toSorted((a, b) => a.role.localeCompare(b.role) || a.inc - b.inc)) {
    const check = await checkLog(bundle, log, previousOf(manifest, checks, log));
    if (!(check instanceof LogCheck)) return check;
    checks.push(check);
  }
  checkOpen(checks.at(-1), manifest);
  checkKeys(checks, bundle);
  const general = [...unannounced(manifest, checks), ...unknownWriters(bundle)];
  const isGood = general.length === 0 && checks.every(({ problem }) => problem === null);
  const found = (await folder?.end(isGood)) ?? null;
  general.push(...(found?.problems ?? []).map(aboutFile));
  const logs = checks.map((check) => check.report());
  const report = buildReport(logs, general, bundle.anchors.newest, [...limitsOf(bundle), ...(found?.limits ?? [])]);
  const reason = report.firstBad?.shows === 'UNVERIFIABLE' ? 'unsafe_file' : null;
  return { ...report, at, reason, folder: found?.folder ?? null };
}

/** A report instead when it cannot be read, or when something it lists is no file. */
async function openManifest(files: BundleFiles): Promise<Manifest | VerifyReport> {
  const read = await readText(files, 'manifest.json');
  if ('problem' in read)
    return unverifiable(
      read.problem === 'none' ? 'format' : read.problem,
      `expected manifest.json, found ${UNREADABLE[read.problem]}`,
    );
  const manifest = readManifest(read.text);
  if (manifest === null)
    return unverifiable('format', 'expected manifest.json of format countersign/export/v1, found another');
  for (const path of manifest.files.keys())
    if ((await files.look(path)) === 'unsafe')
      return unverifiable('unsafe_file', `expected a file ${path}, found no ordinary one`);
  return manifest;
}

function aheadOf(writers: WriterCheck, { verifyMany, pause }: VerifyWish): Bundle['ahead'] {
  if (verifyMany === undefined && pause === undefined) return null;
  let count = 0;
  return async ({ origin }, entries) => {
    await pause?.((count += entries.length));
    if (verifyMany !== undefined) await writers.prepare(origin, entries, verifyMany);
  };
}

const UNREADABLE = {
  none: 'none',
  unsafe_file: 'something that is no ordinary file of the bundle',
  limit: 'a larger file than one may be',
  not_utf8: 'bytes that are not UTF-8',
} as const;

/** A report instead when the log's files cannot be read. */
async function checkLog(bundle: Bundle, log: ExportedLog, previous: LogCheck | null): Promise<LogCheck | VerifyReport> {
  const { files, manifest, walk, anchors, writers, receipts, trust, folder } = bundle;
  const base = `logs/${log.log}`;
  const isDeployment = log.role === 'deployment';
  const part = await readPart(files, log);
  if (part === undefined) return unverifiable('format', `expected ${RANGE_FILE} that fits the manifest, found none`);
  const until = bundle.at !== null && log === manifest.logs.at(-1) ? bundle.at + 1 : Infinity;
  const check = new LogCheck(log, writers, part, until, previous);
  for (const name of ['entries.jsonl', isDeployment ? CHECKPOINTS_FILE : EPOCHS_FILE]) {
    const found = await files.look(`${base}/${name}`);
    if (found === 'unsafe')
      return unverifiable('unsafe_file', `expected a file ${base}/${name}, found no ordinary one`);
    if (found === 'none')
      check.fail(log.first, { problem: `the file ${base}/${name} is missing`, shows: 'INCOMPLETE' });
  }
  if (check.problem !== null) return check;
  await folder?.beginLog(log);
  const heads = new HeadCheck(log, walk, trust, anchors, part);
  const from = walk.places;
  if (isDeployment) await anchors.begin(anchorLines(files, `${base}/${ANCHORS_FILE}`));
  const bound = isDeployment
    ? heads.checkpoints(checkpointLines(files, `${base}/${CHECKPOINTS_FILE}`, (each) => folder?.addCheckpoint(each)))
    : heads.epochs(openingLines(files, `${base}/${EPOCHS_FILE}`));
  const ahead = bundle.ahead === null ? null : bundle.ahead.bind(null, log);
  const entries = readEvidence(files, `${base}/entries.jsonl`, log, check, ahead);
  const seen = receipts.of(log.log);
  const onGood = (entry: EvidenceEntry): Promise<void> | void => {
    seen?.see(entry.hash, check);
    if (check.last !== null) return folder?.add(log, { entry, ...check.last });
  };
  const root = await walk.walk(log, check, bound, entries, onGood, peaksOf(part));
  if (!check.isPast) checkBehind(bundle, log, { check, heads, root });
  seen?.end(check, Number.isFinite(until) ? until : (part?.end ?? null));
  if (isDeployment) anchors.ranges.push({ from, to: from + check.anchored });
  for (const stranger of heads.strangers) bundle.strangers.add(stranger);
  await folder?.endLog(log);
  return check;
}

/** After the last entry of a log that was read to its end. */
function checkBehind(
  { manifest, at }: Bundle,
  log: ExportedLog,
  { check, heads, root }: { readonly check: LogCheck; readonly heads: HeadCheck; readonly root: string },
): void {
  const uncovered = check.problem === null ? heads.uncovered(root) : null;
  if (uncovered !== null) check.fail(log.first, { problem: uncovered });
  if (heads.cover?.covered === true) check.covered = log.first + log.entries;
  if (heads.cover?.anchored === true) check.anchored = log.first + log.entries;
  const missing = heads.missing();
  if (missing !== null) check.fail(check.length, { problem: missing, shows: 'INCOMPLETE' });
  checkEnd(check, log);
  if (at !== null && log === manifest.logs.at(-1))
    check.fail(check.length, {
      problem: `expected a log that goes up to entry ${String(at)}, found its end before`,
      shows: 'INCOMPLETE',
    });
}

function aboutFile({ file, problem, shows }: FileProblem): Problem {
  return { log: null, tenant: null, seq: null, section: null, writer: null, file, problem, shows };
}

const PART =
  'Only a part of a log was checked: calls decided before it, and orders of erasures outside of it, were not seen.';
const MOST_NAMED = 3;

function limitsOf({ manifest, strangers, receipts, at }: Bundle): string[] {
  const limits = manifest.logs.some(({ first }) => first > 0) ? [PART] : [];
  if (at !== null)
    limits.push(
      `Only the log up to entry ${String(at)} was looked at, as it was then: nothing behind it, and no file around the entries.`,
    );
  if (strangers.size > 0)
    limits.push(
      `Checkpoints are signed by keys that your policy file does not name for this log (${[...strangers].slice(0, MOST_NAMED).join(', ')}): they count for nothing.`,
    );
  if (receipts.elsewhere > 0)
    limits.push(`${String(receipts.elsewhere)} receipts are about logs, or parts of them, that are not here.`);
  return limits;
}

/** Erased entries are covered by erasure entries. A log that was not read to its end may hold orders nobody saw. */
function checkKeys(checks: readonly LogCheck[], { manifest: { logs }, at }: Bundle): void {
  if (checks.some((check) => check.problem !== null)) return;
  const erasures = checks.map((check) => check.erasures);
  const roles = new Map(logs.map(({ log, role }) => [log, role]));
  // The orders may lie outside of a part; the report says that they were not seen.
  const isPart = at !== null || logs.some(({ first }) => first > 0);
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

/** Does the file hold what the manifest promises? Whoever edits both is found only by what lies outside the folder. */
function checkEnd(check: LogCheck, log: ExportedLog): void {
  const length = check.length - log.first;
  if (length !== log.entries) {
    check.fail(check.length, {
      problem: `the file ends after ${String(length)} entries, the manifest says ${String(log.entries)}`,
      shows: length < log.entries ? 'INCOMPLETE' : 'TAMPERED',
    });
  }
  if (check.report().head !== log.head)
    check.fail(check.length, { problem: 'the last entry is not the one the manifest names' });
}

/** The log of the incarnation before, which was checked just now. */
function previousOf({ logs }: Manifest, checks: readonly LogCheck[], { role, inc }: ExportedLog): LogCheck | null {
  const before = logs.filter((log) => log.role === role && log.inc < inc).toSorted((a, b) => b.inc - a.inc);
  return checks.find(({ erasures }) => erasures.log === before[0]?.log) ?? null;
}

/** @param check of the tenant's newest log: what was open in those before is open in it, or closed by it */
function checkOpen(check: LogCheck | undefined, manifest: Manifest): void {
  if (check === undefined || check.isPast || manifest.logs.every(({ role }) => role !== 'tenant')) return;
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

/** A key that nobody registered attributes nothing. */
function unknownWriters({ writers, at }: Bundle): Problem[] {
  const nowhere = { log: null, tenant: null, seq: null, section: null, file: null };
  return (at === null ? writers.strangers() : []).map((writer) => ({
    ...nowhere,
    writer,
    problem: `no deployment log tells of writer ${writer}, who wrote entries`,
    shows: 'INCOMPLETE',
  }));
}

function unannounced({ logs }: Manifest, checks: readonly LogCheck[]): Problem[] {
  const announced = new Set(checks.flatMap((check) => [...check.announced]));
  const problem = 'the deployment log does not tell of this log';
  return logs
    .filter(
      ({ inc, log, nonce, origin, slot, entries }) =>
        entries > 0 && !announced.has(announcement({ inc, log, nonce, origin, slot })),
    )
    .map(({ log, tenant }) => ({
      log,
      tenant,
      seq: null,
      section: null,
      writer: null,
      file: null,
      problem,
      shows: 'INCOMPLETE',
    }));
}
