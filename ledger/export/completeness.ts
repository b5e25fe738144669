import { canonicalJson } from '../canonical.ts';
import { queryText } from '../controls/control.ts';
import type { EntryFiles } from './entry-files.ts';
import type { BundleFolder } from './folder.ts';
import type { ExportPlan } from './plan.ts';
import { sortedCounts } from './tally.ts';

/** What the export claims to be complete about; each number can be counted again from the entries. */
export async function writeCompleteness(
  folder: BundleFolder,
  { options, logs }: ExportPlan,
  { tally, matches }: EntryFiles,
): Promise<void> {
  const { tenant, disclose = 'all', withhold = [], range, sample, control } = options;
  const own = logs.filter((log) => log.tenant === tenant);
  const iso = (ms: number | null | undefined): string | null =>
    ms === null || ms === undefined ? null : new Date(ms).toISOString();
  const statement = {
    asked: {
      tenant,
      disclose,
      withheld: withhold.toSorted(),
      from: iso(range?.fromMs),
      to: iso(range?.toMs),
      from_seq: range?.fromSeq ?? null,
      to_seq: range?.toSeq ?? null,
      sample: sample === undefined ? null : { seed: sample.seed, size: sample.size },
      control: control?.id ?? null,
    },
    query: control === undefined ? 'every entry of the range' : queryText(control.query),
    ranges: own.map(({ log, first, end, tail }) => ({
      log, first, last: end - 1, entries: end - first, log_entries: tail + 1,
    })),
    entries: tally.entries,
    kinds: sortedCounts(tally.kinds),
    effects: sortedCounts(tally.effects),
    statuses: sortedCounts(tally.statuses),
    open: tally.open.size,
    unknown: tally.unknown,
    erased: tally.erased,
    matches: control === undefined ? null : matches,
    booked_nusd: String(tally.booked),
    time: { first: iso(tally.firstMs), last: iso(tally.lastMs) },
  }; // prettier-ignore
  await folder.write('completeness.json', `${canonicalJson(statement)}\n`);
}
