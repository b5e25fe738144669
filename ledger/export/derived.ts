import { canonicalJson } from '../canonical.ts';
import type { JsonValue } from '../canonical.ts';
import type { EvidenceEntry } from '../verify/evidence.ts';
import type { Asked } from './asked.ts';
import { COMPLETENESS_FILE, completenessText } from './completeness.ts';
import type { StatedLog } from './completeness.ts';
import { KeyHistory } from './key-history.ts';
import type { OutFile, OutFolder } from './out.ts';
import { Remarkable } from './remarkable.ts';
import { Tally } from './tally.ts';
import { CSV_HEAD, csvRow } from './view-csv.ts';
import { OcsfView } from './view-ocsf.ts';
import { reportPage } from './view-report.ts';
import type { ViewedEntry } from './viewed.ts';

/** Version of the bytes of the views: whoever changes them changes it, and older exports are then compared by digest alone. */
export const VIEWS_VERSION = 1;
export const CSV_FILE = 'views/entries.csv';
export const OCSF_FILE = 'views/ocsf.jsonl';
export const REPORT_FILE = 'report.html';
export const CONTROL_FILE = 'control/control.json';
export const MATCHES_FILE = 'control/entries.jsonl';

/** Does an entry answer the control that was asked for? */
export type Answers = (tenant: string, entry: ViewedEntry, facts: JsonValue) => boolean | Promise<boolean>;

/** What is disclosed of an entry; the key when it was destroyed. */
export type Disclosed = Pick<EvidenceEntry, 'sections' | 'erasedKey' | 'isPruned'>;

/**
 * Every file of an export that follows from its entries: views, statement, report, what answers a control, key history. The same
 * entries give the same bytes, so whoever checks an export makes them again. Each entry passes once.
 */
export class DerivedFiles {
  readonly tally = new Tally();
  readonly remarkable = new Remarkable();
  readonly history = new KeyHistory();
  /** Entries that answer the control. */
  matches = 0;
  readonly #out: OutFolder;
  readonly #asked: Asked;
  readonly #answers: Answers;
  readonly #csv: OutFile;
  readonly #ocsf: OutFile;
  readonly #control: OutFile | null;
  readonly #events: OcsfView;

  private constructor(
    out: OutFolder,
    asked: Asked,
    answers: Answers,
    [csv, ocsf, control]: readonly [OutFile, OutFile, OutFile | null],
  ) {
    this.#out = out;
    this.#asked = asked;
    this.#answers = answers;
    this.#csv = csv;
    this.#ocsf = ocsf;
    this.#control = control;
    this.#events = new OcsfView(asked.tenant);
  }

  /** @param answers false for every entry when no control was asked for */
  static async open(out: OutFolder, asked: Asked, answers: Answers): Promise<DerivedFiles> {
    const { control } = asked;
    if (control !== null) await out.write(CONTROL_FILE, `${canonicalJson({ ...control })}\n`);
    const csv = await out.open(CSV_FILE);
    await csv.write(CSV_HEAD);
    const ocsf = await out.open(OCSF_FILE);
    return new DerivedFiles(out, asked, answers, [csv, ocsf, control === null ? null : await out.open(MATCHES_FILE)]);
  }

  /**
   * The next entry, in the order of the logs.
   *
   * @param facts parsed; null when they are withheld or damaged
   */
  async add(tenant: string, entry: ViewedEntry, facts: JsonValue, disclosed: Disclosed): Promise<void> {
    const { sections, erasedKey } = disclosed;
    this.history.add(tenant, entry, facts);
    if (tenant !== this.#asked.tenant) {
      if (sections.has('facts')) await this.#match(tenant, entry, facts);
      return;
    }
    this.tally.add(entry, facts, erasedKey !== undefined);
    this.remarkable.add(entry, facts);
    await this.#csv.write(csvRow(entry, facts));
    await this.#ocsf.write(this.#events.row(entry, facts, sections));
    await this.#match(tenant, entry, facts);
  }

  /** After the last entry: the files that say something about all of them. */
  async finish(logs: readonly StatedLog[]): Promise<void> {
    await this.history.write(this.#out);
    await this.#out.write(COMPLETENESS_FILE, completenessText(this.#asked, logs, this));
    await this.#out.write(REPORT_FILE, reportPage(this.#asked, logs, this));
  }

  async close(): Promise<void> {
    await this.#csv.close();
    await this.#ocsf.close();
    await this.#control?.close();
  }

  async #match(tenant: string, entry: ViewedEntry, facts: JsonValue): Promise<void> {
    if (this.#control === null || !(await this.#answers(tenant, entry, facts))) return;
    this.matches += 1;
    const { log, seq, hash, kind, call } = entry;
    await this.#control.write(`${canonicalJson({ call, hash, kind, log, seq })}\n`);
  }
}
