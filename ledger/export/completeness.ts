import { canonicalJson } from '../canonical.ts';
import type { JsonValue } from '../canonical.ts';
import type { Asked } from './asked.ts';
import type { ExportedLog } from './manifest.ts';
import { sortedCounts } from './tally.ts';
import type { Tally } from './tally.ts';
import { isoTime } from './viewed.ts';

export const COMPLETENESS_FILE = 'completeness.json';

/** One log of an export, and how many entries it had in all. */
export type StatedLog = ExportedLog & { readonly logEntries: number };

/** What the export claims to be complete about, as one line; all but `asked` and `log_entries` is counted from the entries. */
export function completenessText(
  asked: Asked,
  logs: readonly StatedLog[],
  { tally, matches }: { readonly tally: Tally; readonly matches: number },
): string {
  const { tenant, disclose, withheld, range, sample, control } = asked;
  const own = logs.filter((log) => log.tenant === tenant);
  const statement: JsonValue = {
    asked: {
      tenant,
      disclose,
      withheld: [...withheld],
      from: iso(range?.fromMs),
      to: iso(range?.toMs),
      from_seq: range?.fromSeq ?? null,
      to_seq: range?.toSeq ?? null,
      sample: sample === null ? null : { seed: sample.seed, size: sample.size },
      control: control?.id ?? null,
    },
    query: control?.query ?? 'every entry of the range',
    ranges: own.map(({ log, first, entries, logEntries }) => ({
      log, first, last: first + entries - 1, entries, log_entries: logEntries,
    })),
    entries: tally.entries,
    kinds: sortedCounts(tally.kinds),
    effects: sortedCounts(tally.effects),
    statuses: sortedCounts(tally.statuses),
    open: tally.open.size,
    unknown: tally.unknown,
    erased: tally.erased,
    matches: control === null ? null : matches,
    booked_nusd: String(tally.booked),
    time: { first: iso(tally.firstMs), last: iso(tally.lastMs) },
  }; // prettier-ignore
  return `${canonicalJson(statement)}\n`;
}

function iso(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : isoTime(ms);
}
