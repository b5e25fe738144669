import type { Asked } from '../export/asked.ts';
import { COMPLETENESS_FILE } from '../export/completeness.ts';
import type { Manifest } from '../export/manifest.ts';
import { sortedCounts } from '../export/tally.ts';
import type { Tally } from '../export/tally.ts';
import { canonicalJson } from '../canonical.ts';
import type { FileProblem } from './report.ts';

/** What manifest.json and the wish in completeness.json say, beside what was counted. */
export function manifestProblems(manifest: Manifest, asked: Asked, tally: Tally): FileProblem[] {
  const problems: FileProblem[] = [];
  const compare = (name: string, expected: string, found: string): void => {
    if (expected !== found)
      problems.push({
        file: 'manifest.json',
        problem: `${name} in manifest.json: expected ${clipped(expected)} as the entries have it, found ${clipped(found)}`,
        shows: 'TAMPERED',
      });
  };
  compare('kinds', canonicalJson(sortedCounts(tally.kinds)), canonicalJson({ ...manifest.kinds }));
  compare('open_calls', canonicalJson([...tally.open].toSorted()), canonicalJson([...manifest.openCalls]));
  const problem = implausible(manifest, asked, tally);
  if (problem !== null) problems.push({ file: COMPLETENESS_FILE, problem, shows: 'TAMPERED' });
  return problems;
}

/** Entries outside of what completeness.json says was asked for. */
function implausible({ logs }: Manifest, { range }: Asked, { firstMs, lastMs }: Tally): string | null {
  const newest = logs.at(-1);
  const { fromMs = 0, toMs = Infinity, fromSeq = 0, toSeq = Infinity } = range ?? {};
  const isIn =
    (firstMs ?? fromMs) >= fromMs &&
    (lastMs ?? 0) < toMs &&
    newest !== undefined &&
    newest.first >= fromSeq &&
    newest.first + newest.entries - 1 <= toSeq;
  return isIn || range === null
    ? null
    : `${COMPLETENESS_FILE} says that a range was asked for, and entries outside of it are here`;
}

const MOST_CHARS = 200;

function clipped(text: string): string {
  return text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)}…` : text;
}
