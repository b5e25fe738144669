import type postgres from 'postgres';
import { readAnchors } from '../anchor/stored.ts';
import { readCheckpoints, readOpenings, readWholeEpoch } from '../epoch/stored.ts';
import type { WholeEpoch } from '../epoch/stored.ts';
import type { OpenedHead } from '../epoch/check.ts';
import { LedgerError } from '../error.ts';
import type { KeyRing } from '../keyring.ts';
import { ANCHORS_FILE, writeAnchors } from './anchors.ts';
import { askedOf } from './asked.ts';
import { DerivedFiles, VIEWS_VERSION } from './derived.ts';
import { Disclosure } from './disclosure.ts';
import { EntryFiles } from './entry-files.ts';
import { BundleFolder } from './folder.ts';
import type { KeyHistory } from './key-history.ts';
import { CHECKPOINTS_FILE, EPOCHS_FILE, writeCheckpoint, writeOpening } from './heads.ts';
import { writeManifest } from './manifest.ts';
import type { ExportedLog } from './manifest.ts';
import type { ExportOptions, ExportResult } from './options.ts';
import { planExport } from './plan.ts';
import type { ExportPlan, PlannedLog } from './plan.ts';
import type { WrittenFile } from './out.ts';
import { readRangeEvidence } from './range.ts';
import { RANGE_FILE, writeRange } from './range-file.ts';
import { drawSample, writeSample } from './sample.ts';
import { writeTiles } from './tiles.ts';
import { VERIFY_NOTE } from './verify-note.ts';

/**
 * Writes a log as a folder that verifies offline (docs/ledger-format.md), readable by its owner only. The same ledger and the same
 * options give the same bytes. Entries are read in short reads and streamed: memory does not grow with the log.
 *
 * @throws {LedgerError} `exists` for a folder with content, `unknown_tenant` for a tenant without a log, `invalid_value` for a
 *   range or a section that cannot be, `not_yet` for a range that begins behind the newest epoch
 */
export async function exportTenant(sql: postgres.Sql, keys: KeyRing, options: ExportOptions): Promise<ExportResult> {
  return exportPlanned(sql, keys, await planExport(sql, options));
}

/** Writes what was planned. @throws {LedgerError} as `exportTenant` */
export async function exportPlanned(sql: postgres.Sql, keys: KeyRing, plan: ExportPlan): Promise<ExportResult> {
  return new Export(sql, keys, plan).run();
}

class Export {
  readonly #sql: postgres.Sql;
  readonly #keys: KeyRing;
  readonly #plan: ExportPlan;
  readonly #logs: (ExportedLog & { readonly logEntries: number })[] = [];

  constructor(sql: postgres.Sql, keys: KeyRing, plan: ExportPlan) {
    this.#sql = sql;
    this.#keys = keys;
    this.#plan = plan;
  }

  async run(): Promise<ExportResult> {
    const { options, logs } = this.#plan;
    const folder = await BundleFolder.create(options.dir);
    const own = logs.filter(({ tenant }) => tenant === options.tenant);
    const sample = options.sample === undefined ? null : await drawSample(this.#sql, own, options.sample);
    const disclosure = new Disclosure(options, this.#keys, new Set(logs.map(({ log }) => log)), sample);
    const derived = await DerivedFiles.open(folder, askedOf(options), (tenant, { kind }, facts) =>
      disclosure.answers(tenant, kind, facts),
    );
    const entries = new EntryFiles(folder, options, disclosure, derived);
    try {
      for (const log of logs) await this.#writeLog(folder, log, entries, derived.history);
    } finally {
      await derived.close();
    }
    if (sample !== null) await writeSample(this.#sql, folder, sample);
    await derived.finish(this.#logs);
    await folder.write('VERIFY.md', VERIFY_NOTE);
    return this.#finish(folder, derived);
  }

  async #writeLog(folder: BundleFolder, log: PlannedLog, entries: EntryFiles, history: KeyHistory): Promise<void> {
    const head = await entries.write(this.#sql, log);
    const { role, first, end, tail } = log;
    this.#logs.push({ ...log, entries: end - first, head, logEntries: tail + 1 });
    const base = `logs/${log.log}/`;
    if (role === 'deployment') {
      await folder.writeAll(base + CHECKPOINTS_FILE, this.#checkpoints(log, history));
      await folder.writeAll(base + ANCHORS_FILE, this.#anchors(log));
      if (log.checkpoint > 0) await folder.write(`${base}checkpoint`, history.newest?.note ?? '');
      await writeTiles(this.#sql, folder, { log: log.log, size: log.checkpoint });
      return;
    }
    const newest = history.epochs === 0 ? null : await readWholeEpoch(this.#sql, history.epochs - 1);
    await this.#writeHeads(folder, log, newest);
  }

  /** A whole log with every epoch that changed it and its tree; of a part, what leads to it. */
  async #writeHeads(folder: BundleFolder, log: PlannedLog, newest: WholeEpoch | null): Promise<void> {
    const base = `logs/${log.log}/`;
    const isPart = this.#plan.options.range !== undefined;
    const { first, end } = log;
    let bound = 0;
    let cover: OpenedHead | null = null;
    const file = await folder.open(base + EPOCHS_FILE);
    try {
      for await (const opening of epochsOf(this.#sql, log, newest)) {
        bound = opening.size;
        // Of a part: the epochs within, and the first that holds all of it.
        if (isPart && (opening.size < first || cover !== null)) continue;
        if (opening.size >= end) cover ??= opening;
        await file.write(writeOpening(opening));
      }
    } finally {
      await file.close();
    }
    if (!isPart) return writeTiles(this.#sql, folder, { log: log.log, size: bound });
    if (first > bound) throw notBound(first, bound);
    await folder.write(
      base + RANGE_FILE,
      writeRange(await readRangeEvidence(this.#sql, log.log, { first, end, cover })),
    );
  }

  async *#checkpoints({ log, checkpoint }: PlannedLog, history: KeyHistory): AsyncGenerator<string> {
    for await (const each of readCheckpoints(this.#sql, log, checkpoint)) {
      history.addCheckpoint(each);
      yield writeCheckpoint(each);
    }
  }

  async *#anchors({ log, checkpoint }: PlannedLog): AsyncGenerator<string> {
    for await (const each of readAnchors(this.#sql, log, checkpoint)) yield writeAnchors(each);
  }

  async #finish(folder: BundleFolder, { tally, matches }: DerivedFiles): Promise<ExportResult> {
    const { options, newest } = this.#plan;
    await folder.write(
      'manifest.json',
      writeManifest({
        tenant: options.tenant,
        disclose: options.disclose ?? 'all',
        withheld: (options.withhold ?? []).toSorted(),
        logs: this.#logs,
        kinds: Object.fromEntries(tally.kinds),
        openCalls: [...tally.open].toSorted(),
        views: VIEWS_VERSION,
        files: listed(folder),
      }),
    );
    return {
      log: newest.log,
      first: newest.first,
      last: newest.end - 1,
      entries: newest.end - newest.first,
      head: this.#logs.at(-1)?.head ?? null,
      erased: tally.erased,
      matches: options.control === undefined ? null : matches,
      manifest: folder.files.get('manifest.json')?.sha256 ?? '',
      files: [...folder.files.keys()].toSorted(),
    };
  }
}

/** Tiles are many and vouch for themselves: their hashes are the tree's. */
function listed({ files }: BundleFolder): ReadonlyMap<string, WrittenFile> {
  return new Map([...files].filter(([path]) => !path.includes('/tile/')));
}

/** Every epoch that changed the log, and the newest: whoever leaves out the end of the log has to leave out that one. */
async function* epochsOf(sql: postgres.Sql, log: PlannedLog, newest: WholeEpoch | null): AsyncGenerator<OpenedHead> {
  let last = -1;
  for await (const opening of readOpenings(sql, log, newest?.epoch ?? -1)) {
    yield opening;
    last = opening.epoch;
  }
  const opening = newest === null || newest.epoch === last ? null : newest.open(log.log);
  if (opening !== null) yield opening;
}

function notBound(first: number, bound: number): LedgerError {
  return new LedgerError(
    'not_yet',
    `expected a range that begins at entry ${String(bound)} or before, where the newest epoch ends; found ${String(first)}. Run "countersign ledger epoch --now" first`,
  );
}
