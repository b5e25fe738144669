import { answersQuery } from '../controls/control.ts';
import { DEPLOYMENT } from '../entry.ts';
import type { EntryHeader } from '../entry.ts';
import type { StatedLog } from '../export/completeness.ts';
import { CSV_FILE, DerivedFiles, OCSF_FILE, REPORT_FILE, VIEWS_VERSION } from '../export/derived.ts';
import type { Answers } from '../export/derived.ts';
import type { ExportedLog, Manifest } from '../export/manifest.ts';
import { RANGE_FILE } from '../export/range-file.ts';
import { VERIFY_NOTE } from '../export/verify-note.ts';
import { LedgerError } from '../error.ts';
import type { JsonValue } from '../canonical.ts';
import { parseVerifierKey } from '../note/key.ts';
import type { VerifierKey } from '../note/key.ts';
import { knownQuery, readAsked } from './asked-file.ts';
import type { AskedFile } from './asked-file.ts';
import { readText } from './bundle-files.ts';
import type { BundleFiles } from './bundle-files.ts';
import { ComparedFolder } from './compare.ts';
import type { EvidenceEntry } from './evidence.ts';
import { checkListed, surveyFolder } from './listed-files.ts';
import { entryFiles, lastSize } from './log-files.ts';
import type { FileProblem, FolderReport } from './report.ts';
import { SampleCheck } from './sample-check.ts';
import { manifestProblems } from './manifest-check.ts';
import { TileCheck } from './tile-check.ts';
import { logKeys } from './trust.ts';
import type { ReaderTrust } from './trust.ts';
import { tracedMatches } from './traced-matches.ts';

const NOTE_FILE = 'VERIFY.md';

/** An entry that was found good, and what its facts say; null when they are withheld. */
interface GoodEntry {
  readonly entry: EvidenceEntry;
  readonly header: EntryHeader;
  readonly facts: JsonValue;
}

/** What the files around the entries show once all logs were found good. */
export interface FolderFindings {
  readonly problems: readonly FileProblem[];
  readonly folder: FolderReport;
  /** What was not shown, one sentence each. */
  readonly limits: readonly string[];
}

/**
 * Everything in an exported folder that follows from its entries is made again and compared: views, statement, report, keys, tiles,
 * sample. What follows from nothing has the digest the manifest lists, or is named.
 */
export class FolderCheck {
  readonly #files: BundleFiles;
  readonly #manifest: Manifest;
  readonly #trust: ReaderTrust;
  readonly #compared: ComparedFolder;
  readonly #derived: DerivedFiles;
  readonly #asked: AskedFile;
  readonly #sample: SampleCheck | null;
  readonly #tiles = new Map<string, number>();
  #tile: TileCheck | null = null;
  #isBroken = false;

  private constructor(
    files: BundleFiles,
    manifest: Manifest,
    trust: ReaderTrust,
    made: { readonly compared: ComparedFolder; readonly derived: DerivedFiles; readonly asked: AskedFile },
  ) {
    this.#files = files;
    this.#manifest = manifest;
    this.#trust = trust;
    this.#compared = made.compared;
    this.#derived = made.derived;
    this.#asked = made.asked;
    const { sample } = made.asked.asked;
    this.#sample = sample === null ? null : new SampleCheck(sample, manifest.files);
  }

  static async begin(files: BundleFiles, manifest: Manifest, trust: ReaderTrust): Promise<FolderCheck> {
    const views = manifest.views === VIEWS_VERSION ? [] : [CSV_FILE, OCSF_FILE, REPORT_FILE];
    const compared = new ComparedFolder(files, new Set(views));
    const asked = await readAsked(files, manifest);
    const derived = await DerivedFiles.open(compared, asked.asked, answersOf(files, asked));
    return new FolderCheck(files, manifest, trust, { compared, derived, asked });
  }

  /** Before the entries of a log. */
  async beginLog(log: ExportedLog): Promise<void> {
    const isPart = log.role === 'tenant' && this.#manifest.files.has(`logs/${log.log}/${RANGE_FILE}`);
    for (const path of entryFiles(log, isPart)) this.#compared.known.add(path);
    // Of a part there are no tiles: it has a proof of its own.
    const size = isPart ? 0 : await lastSize(this.#files, log);
    this.#tiles.set(log.log, size);
    this.#tile = new TileCheck(this.#compared, log.log, size);
  }

  addCheckpoint(checkpoint: { readonly note: string; readonly vkey: string; readonly size: number }): void {
    this.#derived.history.addCheckpoint(checkpoint);
  }

  /** The next entry of the log, once it was found good. */
  async add({ tenant, log }: ExportedLog, { entry, header, facts }: GoodEntry): Promise<void> {
    await this.#tile?.add(entry.header, entry.hash);
    if (this.#isBroken) return;
    const { seq, kind, call, wid, t } = header;
    const text = entry.sections.get('facts')?.text ?? '';
    const viewed = { log, seq, hash: entry.hash, timeMs: t, kind, call, wid, facts: text };
    if (kind === 'decision' && tenant === this.#manifest.tenant) this.#sample?.add(viewed);
    try {
      await this.#derived.add(tenant ?? '', viewed, facts, entry);
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      this.#isBroken = true;
      const problem = `no view can be made of entry ${String(seq)}: ${error.message}`;
      this.#compared.add({ file: OCSF_FILE, problem, shows: 'TAMPERED' });
    }
  }

  /** After a log's last entry. */
  async endLog({ log, role }: ExportedLog): Promise<void> {
    const { newest } = this.#derived.history;
    if (role === 'deployment' && (this.#tiles.get(log) ?? 0) > 0)
      await this.#compared.write(`logs/${log}/checkpoint`, newest?.note ?? '');
  }

  /** After the last log. @param areGood nothing was found in any of them; else only the folder is surveyed */
  async end(areGood: boolean): Promise<FolderFindings> {
    const { files } = this.#manifest;
    if (areGood) await this.#compare();
    await this.#compared.abandon();
    const problems = areGood ? [...this.#compared.problems] : [];
    const known = new Map([...files].filter(([path]) => this.#compared.known.has(path)));
    if (areGood) {
      for (const file of this.#compared.known)
        if (!files.has(file))
          problems.push({ file, problem: `manifest.json does not list ${file}`, shows: 'INCOMPLETE' });
      const changed = await checkListed(this.#files, files);
      if (changed !== null) problems.push(changed);
    }
    const folder = await surveyFolder(this.#files, known, this.#tiles);
    return { problems, folder, limits: areGood ? await this.#limits(folder) : [] };
  }

  async #compare(): Promise<void> {
    const { logEntries, asked } = this.#asked;
    await this.#derived.close();
    await this.#sample?.end(this.#files, this.#compared, this.#keys());
    for (const path of this.#sample?.proofs ?? []) this.#compared.known.add(path);
    const logs = this.#manifest.logs.map((log): StatedLog => {
      const end = log.first + log.entries;
      const said = logEntries.get(log.log) ?? end;
      // Nobody can count what is not here; what is here can be.
      return { ...log, logEntries: asked.range === null || said < end ? end : said };
    });
    await this.#derived.finish(logs);
    this.#compared.known.add(NOTE_FILE);
    for (const problem of manifestProblems(this.#manifest, asked, this.#derived.tally)) this.#compared.add(problem);
  }

  /** Whose signature on a proof counts: the reader's keys, and the folder's own, as the entries were checked already. */
  #keys(): VerifierKey[] {
    const { newest } = this.#derived.history;
    return [...logKeys(this.#trust), ...(newest === null ? [] : [parseVerifierKey(newest.vkey)])];
  }

  async #limits({ strangers, more }: FolderReport): Promise<string[]> {
    const limits: string[] = [];
    if (this.#manifest.views !== VIEWS_VERSION)
      limits.push(
        'The views and the report were written by another version of the program: they were compared with their digests, not with the entries.',
      );
    const note = await readText(this.#files, NOTE_FILE);
    if ('text' in note && note.text !== VERIFY_NOTE)
      limits.push('VERIFY.md is not the one that this version writes: read its commands before you run them.');
    if (strangers.length > 0)
      limits.push(
        `${String(strangers.length + more)} files in the folder are no part of the export, and nobody looked into them: ${strangers.join(', ')}${more > 0 ? ', …' : ''}.`,
      );
    return limits;
  }
}

/** By the query itself where this version knows it; else an entry answers that the folder lists, in its place. */
function answersOf(files: BundleFiles, { asked: { control } }: AskedFile): Answers {
  if (control === null) return () => false;
  const query = knownQuery(control);
  if (query === null) return tracedMatches(files);
  return (tenant, { kind }, facts) => answersQuery(query, { tenant: tenant === '' ? DEPLOYMENT : tenant, kind, facts });
}
