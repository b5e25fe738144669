import { queryText } from '../controls/control.ts';
import type { Control } from '../controls/control.ts';
import type { ExportOptions, RangeWish, SampleWish } from './options.ts';

/** What an export was asked for, as its own files say it. */
export interface Asked {
  readonly tenant: string;
  readonly disclose: 'all' | 'facts';
  /** Sorted. */
  readonly withheld: readonly string[];
  readonly range: RangeWish | null;
  readonly sample: SampleWish | null;
  readonly control: AskedControl | null;
}

/** A control with its query as a sentence: the members of control/control.json. */
export type AskedControl = Omit<Control, 'query'> & { readonly query: string };

export function askedOf(options: ExportOptions): Asked {
  const { tenant, disclose = 'all', withhold = [], range = null, sample, control } = options;
  return {
    tenant,
    disclose,
    withheld: withhold.toSorted(),
    range,
    sample: sample === undefined ? null : { seed: sample.seed, size: sample.size },
    control: control === undefined ? null : askedControl(control),
  };
}

export function askedControl({ query, ...words }: Control): AskedControl {
  return { ...words, query: queryText(query) };
}
