import { isoTime } from '../export/viewed.ts';
import type { LogReport, Problem, Verdict, VerifyReport } from './report.ts';

const MEANS: Readonly<Record<Verdict, string>> = {
  VALID: 'every entry fits, and somebody you believe outside of the deployment has seen all of them.',
  VALID_WITH_ERASURES:
    'every entry fits, and somebody you believe outside of the deployment has seen all of them; some were erased by order.',
  INCOMPLETE: 'what is there fits, but something that has to be there is not.',
  TAMPERED: 'something was changed.',
  FORKED: 'two histories of one log were signed.',
  UNANCHORED: 'consistent, but nobody you believe outside of the deployment has seen all of it.',
  UNVERIFIABLE: 'it could not be read, so nothing can be said.',
};
const MOST_RANGES = 20;

/** The report as plain text for a person: verdict, first bad place, logs, anchor, and what is not proven. */
export function reportText(report: VerifyReport): string {
  const { verdict, firstBad, logs, anchor, entries, openCalls, erased, pruned, rewritable, notProven, at } = report;
  const lines = [`${verdict}: ${MEANS[verdict]}`];
  if (at !== null) lines.push(`As of entry ${String(at)}.`);
  if (firstBad !== null) lines.push(badText(firstBad));
  lines.push(...logs.map(logText));
  lines.push(
    `${String(entries)} entries in ${String(logs.length)} logs, ${String(openCalls)} open calls, ${String(erased)} entries erased by order${pruned > 0 ? `, ${String(pruned)} of them pruned` : ''}.`,
  );
  if (anchor !== null) {
    const { size, witnesses, timestamps, timeMs } = anchor;
    const by = [...witnesses, ...(timestamps > 0 ? [`${String(timestamps)} timestamps`] : [])].join(', ');
    const when = timeMs === null ? 'a checkpoint that you kept' : `${isoTime(timeMs)}, by ${by}`;
    lines.push(`Anchored at ${String(size)} entries of the deployment: ${when}.`);
  }
  if (rewritable.length > 0) {
    lines.push('An owner of the database and the keys could have rewritten, without it showing here:');
    const ranges = rewritable.map(({ log, tenant, from, to }) => `  - ${nameOf(log, tenant)}: ${span(from, to)}`);
    lines.push(...ranges.slice(0, MOST_RANGES));
    if (ranges.length > MOST_RANGES) lines.push(`  - and of ${String(ranges.length - MOST_RANGES)} more logs`);
  }
  if (notProven.length > 0) lines.push('Not proven:', ...notProven.map((line) => `  - ${line}`));
  return lines.map(harmless).join('\n');
}

function badText({ log, seq, section, writer, file, problem }: Problem): string {
  const where = [
    log === null ? [] : [`log ${log}`],
    seq === null ? [] : [`entry ${String(seq)}`],
    section === null ? [] : [`section ${section}`],
    writer === null ? [] : [`writer ${writer}`],
    file === null ? [] : [`file ${file}`],
  ].flat();
  return ['First bad', where.join(', '), problem].filter((part) => part !== '').join(': ');
}

function logText({ log, tenant, entries, openCalls, head, anchored }: LogReport): string {
  const count = `${String(entries)} entries, ${String(openCalls)} open, ${String(anchored)} anchored`;
  return `  ${nameOf(log, tenant)}: ${count}, head ${head?.slice(0, 16) ?? 'none'}`;
}

function nameOf(log: string, tenant: string | null): string {
  return tenant === null ? log : `${log} (${tenant})`;
}

function span(from: number, to: number): string {
  return from === to ? `entry ${String(from)}` : `entries ${String(from)} to ${String(to)}`;
}

/** Names come from whoever made the bundle: nothing in them acts on a terminal, begins a line or turns its direction. */
function harmless(line: string): string {
  return line.replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '?');
}
