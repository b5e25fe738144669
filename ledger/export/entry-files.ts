import type postgres from 'postgres';
import type { JsonValue } from '../canonical.ts';
import { readEntries } from '../stored.ts';
import type { StoredEntry } from '../stored.ts';
import type { DerivedFiles, Disclosed } from './derived.ts';
import { parseFacts } from './disclosure.ts';
import type { Disclosure } from './disclosure.ts';
import { writeLine } from './line.ts';
import type { ExportOptions } from './options.ts';
import type { OutFolder } from './out.ts';
import type { PlannedLog } from './plan.ts';

/** Writes the entries of the logs, and tells those who derive other files from them. Each entry passes once. */
export class EntryFiles {
  readonly #out: OutFolder;
  readonly #options: ExportOptions;
  readonly #disclosure: Disclosure;
  readonly #derived: DerivedFiles;

  constructor(out: OutFolder, options: ExportOptions, disclosure: Disclosure, derived: DerivedFiles) {
    this.#out = out;
    this.#options = options;
    this.#disclosure = disclosure;
    this.#derived = derived;
  }

  /** Writes the planned entries of a log. @returns the leaf hash of the last one */
  async write(sql: postgres.Sql, log: PlannedLog): Promise<string | null> {
    const file = await this.#out.open(`logs/${log.log}/entries.jsonl`);
    let head: string | null = null;
    try {
      for await (const entry of readEntries(sql, log.log, log.first, log.end - 1)) {
        const facts = parseFacts(entry);
        const { header, hash, receipt } = entry;
        const leaves = entry.leaves.match(/.{1,64}/g) ?? [];
        const disclosed = await this.#disclose(log, entry, facts);
        await this.#derived.add(log.tenant ?? '', entry, facts, disclosed);
        await file.write(writeLine({ header, hash, leaves, receipt, ...disclosed }));
        head = hash;
      }
    } finally {
      await file.close();
    }
    return head;
  }

  async #disclose({ tenant }: PlannedLog, entry: StoredEntry, facts: JsonValue): Promise<Disclosed> {
    if (tenant === this.#options.tenant) return this.#disclosure.own(entry, facts);
    return { sections: this.#disclosure.deployment(entry, facts) };
  }
}
