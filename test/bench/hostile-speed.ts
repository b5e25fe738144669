/** How much longer a text without values takes than prose of its size: both best of several runs, taken in turn. */
import type { HostileText } from './hostile.ts';

export interface HostileSpeed {
  readonly name: string;
  /** Time of the text by time of prose. */
  readonly ratio: number;
}

type Analyze = (text: string) => readonly unknown[];

/** Processor time: other processes share the machine. */
function cpuOf(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function fastest(analyze: Analyze, text: string, rounds: number): number {
  let least = Infinity;
  for (let round = 0; round < rounds; round++)
    least = Math.min(
      least,
      cpuOf(() => analyze(text)),
    );
  return least / text.length;
}

const SCREENED_LENGTH = 6000;

/** The texts without findings that look slowest in a short run. */
export function slowestTexts(analyze: Analyze, texts: readonly HostileText[], count: number): HostileText[] {
  const rows: { readonly text: HostileText; readonly cost: number }[] = [];
  for (const text of texts) {
    const sample = text.make(SCREENED_LENGTH);
    // Of some families no text can be made: all of them would be found.
    if (sample === '' || analyze(sample).length > 0) continue;
    const started = process.hrtime.bigint();
    analyze(sample);
    let cost = Number(process.hrtime.bigint() - started);
    // Once more where it matters: a pause of the machine is no property of a text.
    if (cost > 40 * SCREENED_LENGTH) {
      const again = process.hrtime.bigint();
      analyze(sample);
      cost = Math.min(cost, Number(process.hrtime.bigint() - again));
    }
    rows.push({ text, cost });
  }
  return rows
    .sort((a, b) => b.cost - a.cost)
    .slice(0, count)
    .map(({ text }) => text);
}

/** Ratios to prose, the largest first; `rounds` are tried as long as one is above `enough`. */
export function hostileSpeeds(
  analyze: Analyze,
  texts: readonly HostileText[],
  prose: string,
  { length, rounds, enough }: { readonly length: number; readonly rounds: number; readonly enough: number },
): HostileSpeed[] {
  let plain = fastest(analyze, prose, 5);
  return texts
    .map(({ name, make }) => {
      const text = make(length);
      let least = fastest(analyze, text, 2);
      for (let round = 0; round < rounds && least > enough * plain; round++) {
        plain = Math.min(plain, fastest(analyze, prose, 1));
        least = Math.min(least, fastest(analyze, text, 2));
      }
      return { name, least };
    })
    .map(({ name, least }) => ({ name, ratio: least / plain }))
    .sort((a, b) => b.ratio - a.ratio);
}
