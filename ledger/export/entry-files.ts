import type postgres from 'postgres';
import { canonicalJson } from '../canonical.ts';
import type { JsonValue } from '../canonical.ts';
import { queryText } from '../controls/control.ts';
import { readEntries } from '../stored.ts';
import type { StoredEntry } from '../stored.ts';
import { parseFacts } from './disclosure.ts';
import type { Disclosed, Disclosure } from './disclosure.ts';
import type { BundleFile, BundleFolder } from './folder.ts';
import { writeLine } from './line.ts';
import type { ExportOptions } from './options.ts';
import type { PlannedLog } from './plan.ts';
import { Remarkable } from './remarkable.ts';
import { Tally } from './tally.ts';
import { CSV_HEAD, csvRow } from './view-csv.ts';
import { OcsfView } from './view-ocsf.ts';

/** The files that grow with the log: its entries, the views of them, and what answers a control. Each entry passes once. */
export class EntryFiles {
  readonly tally = new Tally();
  readonly remarkable = new Remarkable();
  /** Entries that answer the control. */
  matches = 0;
  readonly #folder: BundleFolder;
  readonly #options: ExportOptions;
  readonly #disclosure: Disclosure;
  readonly #csv: BundleFile;
  readonly #ocsf: BundleFile;
  readonly #control: BundleFile | null;
  readonly #events: OcsfView;

  private constructor(
    folder: BundleFolder,
    options: ExportOptions,
    disclosure: Disclosure,
    [csv, ocsf, control]: readonly [BundleFile, BundleFile, BundleFile | null],
  ) {
    this.#folder = folder;
    this.#options = options;
    this.#disclosure = disclosure;
    this.#csv = csv;
    this.#ocsf = ocsf;
    this.#control = control;
    this.#events = new OcsfView(options.tenant);
  }

  static async open(folder: BundleFolder, options: ExportOptions, disclosure: Disclosure): Promise<EntryFiles> {
    const { control } = options;
    if (control !== undefined) {
      const { query, ...words } = control;
      const asked = { ...words, query: queryText(query) };
      await folder.write('control/control.json', `${canonicalJson(asked)}\n`);
    }
    const csv = await folder.open('views/entries.csv');
    await csv.write(CSV_HEAD);
    const ocsf = await folder.open('views/ocsf.jsonl');
    const matches = control === undefined ? null : await folder.open('control/entries.jsonl');
    return new EntryFiles(folder, options, disclosure, [csv, ocsf, matches]);
  }

  async close(): Promise<void> {
    await this.#csv.close();
    await this.#ocsf.close();
    await this.#control?.close();
  }

  /**
   * Writes the planned entries of a log.
   *
   * @param onEntry sees every entry
   * @returns the leaf hash of the last one
   */
  async write(
    sql: postgres.Sql,
    log: PlannedLog,
    onEntry: (entry: StoredEntry, facts: JsonValue) => void,
  ): Promise<string | null> {
    const file = await this.#folder.open(`logs/${log.log}/entries.jsonl`);
    let head: string | null = null;
    try {
      for await (const entry of readEntries(sql, log.log, log.first, log.end - 1)) {
        const facts = parseFacts(entry);
        onEntry(entry, facts);
        const { header, hash, receipt } = entry;
        const leaves = entry.leaves.match(/.{1,64}/g) ?? [];
        await file.write(writeLine({ header, hash, leaves, receipt, ...(await this.#disclose(log, entry, facts)) }));
        head = hash;
      }
    } finally {
      await file.close();
    }
    return head;
  }

  async #disclose(log: PlannedLog, entry: StoredEntry, facts: JsonValue): Promise<Disclosed> {
    if (log.tenant !== this.#options.tenant) {
      const sections = this.#disclosure.deployment(entry, facts);
      if (sections.has('facts')) await this.#match(log.tenant ?? '', entry, facts);
      return { sections };
    }
    const disclosed = await this.#disclosure.own(entry, facts);
    this.tally.add(entry, facts, disclosed.erasedKey !== undefined);
    this.remarkable.add(entry, facts);
    await this.#csv.write(csvRow(entry, facts));
    await this.#ocsf.write(this.#events.row(entry, facts, disclosed.sections));
    await this.#match(log.tenant ?? '', entry, facts);
    return disclosed;
  }

  async #match(tenant: string, entry: StoredEntry, facts: JsonValue): Promise<void> {
    if (this.#control === null || !this.#disclosure.answers(tenant, entry.kind, facts)) return;
    this.matches += 1;
    const { log, seq, hash, kind, call } = entry;
    await this.#control.write(`${canonicalJson({ call, hash, kind, log, seq })}\n`);
  }
}
