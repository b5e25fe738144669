import type { StoredAnchors } from '../anchor/stored.ts';
import type { OpenedHead } from '../epoch/check.ts';
import { ANCHORS_FILE, MAX_ANCHOR_CHARS, readAnchorLine } from '../export/anchors.ts';
import { CHECKPOINTS_FILE, EPOCHS_FILE, MAX_HEAD_CHARS, readCheckpoint, readOpening } from '../export/heads.ts';
import { readLine } from '../export/line.ts';
import type { ExportedLog } from '../export/manifest.ts';
import { MAX_RANGE_BYTES, RANGE_FILE, readRange } from '../export/range-file.ts';
import type { RangeEvidence } from '../export/range-file.ts';
import { CompactRange } from '../tree/range.ts';
import { readLines, readText } from './bundle-files.ts';
import type { BundleFiles } from './bundle-files.ts';
import type { EvidenceEntry } from './evidence.ts';
import type { KeptNote } from './heads.ts';
import type { LogCheck } from './log-check.ts';
import type { Finding } from './report.ts';

/** Entries that are looked at together, and their characters. */
const AHEAD = 128;
const AHEAD_CHARS = 4_000_000;

/** The files of one log that are read as evidence, whole paths. */
export function entryFiles({ log, role }: ExportedLog, isPart: boolean): string[] {
  const own = role === 'deployment' ? [CHECKPOINTS_FILE, ANCHORS_FILE] : [EPOCHS_FILE];
  return ['entries.jsonl', ...own, ...(isPart ? [RANGE_FILE] : [])].map((name) => `logs/${log}/${name}`);
}

/** Size of the newest head of a log. 0 without one. */
export async function lastSize(files: BundleFiles, { log, role }: ExportedLog): Promise<number> {
  const path = `logs/${log}/${role === 'deployment' ? CHECKPOINTS_FILE : EPOCHS_FILE}`;
  if ((await files.look(path)) !== 'file') return 0;
  let last: string | null = null;
  for await (const line of readLines(files, path, MAX_HEAD_CHARS)) last = line;
  if (last === null) return 0;
  return role === 'deployment' ? noteSize(readCheckpoint(last)?.note ?? '') : (readOpening(last)?.size ?? 0);
}

/** The number of entries a checkpoint's text names; 0 when it names none. */
export function noteSize(note: string): number {
  const [, size = ''] = note.split('\n', 2);
  return /^(?:0|[1-9][0-9]{0,14})$/.test(size) ? Number(size) : 0;
}

/** The tree of what comes before a part. */
export function peaksOf(part: RangeEvidence | null): CompactRange | undefined {
  return part === null ? undefined : (CompactRange.restore(part.first, part.peaks.join('')) ?? undefined);
}

/** Null for a whole log; undefined when a part has no evidence, or one that does not fit the manifest or itself. */
export async function readPart(
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

/** Checkpoints of a deployment's log; null in place of a line of another form. @param onEach sees each that is one */
export async function* checkpointLines(
  files: BundleFiles,
  path: string,
  onEach: (checkpoint: KeptNote & { readonly size: number }) => void,
): AsyncGenerator<KeptNote | null> {
  for await (const kept of parsed(files, path, readCheckpoint)) {
    if (kept !== null) onEach({ ...kept, size: noteSize(kept.note) });
    yield kept;
  }
}

/** What epochs say of a tenant's log; null in place of a line of another form. */
export function openingLines(files: BundleFiles, path: string): AsyncGenerator<OpenedHead | null> {
  return parsed(files, path, readOpening);
}

/** No anchors is no problem: there is nobody then who could say so. */
export async function* anchorLines(files: BundleFiles, path: string): AsyncGenerator<StoredAnchors | null> {
  if ((await files.look(path)) !== 'file') return;
  for await (const line of readLines(files, path, MAX_ANCHOR_CHARS)) yield line === null ? null : readAnchorLine(line);
}

/** The lines of a log as entries, up to the first that is none. */
export async function* readEvidence(
  files: BundleFiles,
  path: string,
  log: ExportedLog,
  check: LogCheck,
  ahead: ((entries: readonly EvidenceEntry[]) => Promise<void>) | null = null,
): AsyncGenerator<EvidenceEntry> {
  const held: EvidenceEntry[] = [];
  let chars = 0;
  const release = async function* (): AsyncGenerator<EvidenceEntry> {
    if (ahead !== null && held.length > 0) await ahead(held);
    yield* held;
    held.length = chars = 0;
  };
  for await (const line of readLines(files, path)) {
    const entry = line === null ? null : readLine(line);
    const problem = lineProblem(line, entry, log);
    if (problem !== null || entry === null || line === null) {
      yield* release();
      // What is wrong with the entries before it comes first.
      if (problem !== null) check.fail(check.length, problem);
      return;
    }
    held.push(entry);
    chars += line.length;
    if (ahead === null || held.length === AHEAD || chars > AHEAD_CHARS) yield* release();
  }
  yield* release();
}

function lineProblem(line: string | null, entry: EvidenceEntry | null, { role }: ExportedLog): Finding | null {
  if (line === null) return { problem: 'the line is too long, or no UTF-8' };
  if (entry === null) return { problem: 'the line is not an exported entry' };
  if (role === 'deployment' || entry.sections.has('facts')) return null;
  const problem = 'the facts are missing: they are never withheld';
  return { section: 'facts', problem, shows: 'INCOMPLETE' };
}
