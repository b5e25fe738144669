import { join, relative } from 'node:path';
import { readLine } from '../export/line.ts';
import { readManifest } from '../export/manifest.ts';
import type { ExportedLog, Manifest } from '../export/manifest.ts';
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
    const heads = new FolderHeads(dir, log, walk, checkpointKeys ?? null, anchors);
    for (const file of [path, heads.path])
      if (!(await isFile(file))) return unverifiable('format', `expected ${relative(dir, file)}, found none`);
    const check = new LogCheck(log, writers);
    const from = walk.places;
    if (log.role === 'deployment') await anchors.begin(dir, log.log);
    await walk.walk(log, check, heads.read(), readEvidence(path, log, check));
    const missing = heads.missing();
    if (missing !== null) check.fail(check.length, { problem: missing, shows: 'INCOMPLETE' });
    checkEnd(check, log, manifest);
    check.anchored = heads.anchored;
    if (log.role === 'deployment') anchors.ranges.push({ from, to: from + heads.anchored });
    if (log.role === 'deployment') for (const each of check.announced) announced.add(each);
    checks.push(check);
  }
  checkKeys(checks);
  return buildReport(
    checks.map((check) => check.report()),
    unannounced(manifest, announced),
    anchors.newest,
  );
}

/** Erased entries are covered by erasure entries. A log that was not read to its end may hold orders nobody saw. */
function checkKeys(checks: readonly LogCheck[]): void {
  if (checks.some((check) => check.problem !== null)) return;
  const findings = judgeErasures(
    checks.map((check) => check.erasures),
    () => true,
  );
  for (const check of checks) {
    const finding = findings.get(check.erasures);
    if (finding !== undefined) check.fail(finding.seq, finding);
  }
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
  if (check.length !== log.entries) {
    check.fail(check.length, {
      problem: `the file ends after ${String(check.length)} entries, the manifest says ${String(log.entries)}`,
      shows: check.length < log.entries ? 'INCOMPLETE' : 'TAMPERED',
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
