import { createReadStream } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readLine } from '../export/line.ts';
import { readManifest } from '../export/manifest.ts';
import type { ExportedLog, Manifest } from '../export/manifest.ts';
import { announcement, LogCheck } from './log-check.ts';
import { buildReport, unverifiable } from './report.ts';
import type { Problem, VerifyReport } from './report.ts';
import { WriterCheck } from './writer-check.ts';

const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;
/** An entry with its content; more is no entry of ours. */
const MAX_LINE_CHARS = 256 * 1024 * 1024;

/**
 * Checks an exported folder: no network, no database, no key. Everything in it is untrusted; files are streamed.
 */
export async function verifyFolder(dir: string): Promise<VerifyReport> {
  const text = await readBounded(join(dir, 'manifest.json'));
  const manifest = text === null ? null : readManifest(text);
  if (manifest === null) return unverifiable('expected manifest.json of format countersign/export/v1, found none');
  const writers = new WriterCheck();
  const checks: LogCheck[] = [];
  const announced = new Set<string>();
  for (const log of manifest.logs.toSorted((a, b) => a.role.localeCompare(b.role))) {
    const path = join(dir, 'logs', log.log, 'entries.jsonl');
    if (!(await isFile(path))) return unverifiable(`expected logs/${log.log}/entries.jsonl, found none`);
    const check = await checkFile(path, log, writers);
    checkEnd(check, log, manifest);
    if (log.role === 'deployment') for (const each of check.announced) announced.add(each);
    checks.push(check);
  }
  return buildReport(
    checks.map((check) => check.report()),
    unannounced(manifest, announced),
  );
}

async function checkFile(path: string, log: ExportedLog, writers: WriterCheck): Promise<LogCheck> {
  const check = new LogCheck(log, writers);
  for await (const line of readLines(path)) {
    const entry = readLine(line);
    if (entry === null) check.fail(check.length, { problem: 'the line is not an exported entry' });
    else if (log.role === 'tenant' && !entry.sections.has('facts')) {
      check.fail(check.length, { section: 'facts', problem: 'the facts are missing: they are never withheld' });
    } else check.add(entry);
    if (check.problem !== null) break;
  }
  return check;
}

/** Does the file hold what the manifest promises? Whoever edits both is found only by what lies outside the folder. */
function checkEnd(check: LogCheck, log: ExportedLog, manifest: Manifest): void {
  if (check.length !== log.entries) {
    check.fail(check.length, {
      problem: `the file ends after ${String(check.length)} entries, the manifest says ${String(log.entries)}`,
    });
  }
  if (check.report().head !== log.head)
    check.fail(check.length, { problem: 'the last entry is not the one the manifest names' });
  if (log.role !== 'tenant') return;
  for (const call of check.calls.open.keys()) {
    if (!manifest.openCalls.includes(call)) {
      check.fail(check.length, {
        problem: `call ${call} has no outcome in the log, and the manifest does not list it as open`,
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
    .map(({ log, tenant }) => ({ log, tenant, seq: null, section: null, problem }));
}

async function readBounded(path: string): Promise<string | null> {
  try {
    const stat = await lstat(path);
    return stat.isFile() && stat.size <= MAX_MANIFEST_BYTES ? await readFile(path, 'utf8') : null;
  } catch {
    return null;
  }
}

/** No symbolic links: a folder from elsewhere must not lead out of itself. */
async function isFile(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isFile();
  } catch {
    return false;
  }
}

/** Lines without their line feed; a line beyond the limit comes cut, and then is no entry. */
async function* readLines(path: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 18 })) {
    // Only the new part can hold the end of a line that was still open.
    let from = rest.length;
    let start = 0;
    rest += String(chunk);
    for (let end = rest.indexOf('\n', from); end !== -1; end = rest.indexOf('\n', from)) {
      yield rest.slice(start, end);
      start = end + 1;
      from = start;
    }
    rest = rest.slice(start);
    if (rest.length > MAX_LINE_CHARS) break;
  }
  if (rest !== '') yield rest;
}
