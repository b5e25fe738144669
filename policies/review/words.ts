import type { Difference } from './generated.ts';
import type { Review, ReplayPart } from './review.ts';
import type { TallyRow } from './tally.ts';
import { count, thousands } from './verdict.ts';

/** Sentences and small texts that both report writers use. */

const DAY_MS = 86_400_000;
const NUSD_PER_CENT = 10_000_000n;

/** The one sentence a reviewer reads first. */
export function headline({ replay, rules, generated }: Review): string {
  if ('notDone' in replay) {
    const shown =
      generated.different === 0
        ? 'no difference'
        : `${count(generated.differences.length, 'way')} in which it decides differently`;
    return `This change touches ${count(rules.changes.length, 'rule')}; ${count(generated.inputs, 'generated input')} show ${shown}.`;
  }
  const calls = `${thousands(replay.concerned)} calls of the last ${spanOf(replay)}`;
  if (replay.concerned === 0)
    return `No recorded call of the last ${spanOf(replay)} was decided by this bundle; a new one is reviewed with --base none.`;
  if (replay.flipped === 0) return `This change would have decided none of the ${calls} another way.`;
  const parts = replay.flips.map((row) => `${verbOf(row)} ${thousands(row.calls)}`);
  return `This change would have ${listOf(parts)} of the ${calls}.`;
}

function verbOf({ from, to }: TallyRow): string {
  if (to === 'deny') return 'denied';
  if (to === 'allow') return from === 'deny' ? 'let through' : 'allowed without an approval';
  return to === 'require_approval' ? 'asked for an approval of' : 'left undecided';
}

function listOf(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`;
}

export function spanOf({ fromMs, toMs }: Pick<ReplayPart, 'fromMs' | 'toMs'>): string {
  const days = Math.max(1, Math.round((toMs - fromMs) / DAY_MS));
  return days === 7 ? 'week' : days === 1 ? 'day' : `${thousands(days)} days`;
}

/** `$1,234.56`, rounded down to the cent; smaller amounts with all their digits. */
export function dollars(nusd: string): string {
  const amount = BigInt(nusd);
  if (amount === 0n || amount >= NUSD_PER_CENT) {
    const cents = amount / NUSD_PER_CENT;
    return `$${thousands(cents / 100n)}.${String(cents % 100n).padStart(2, '0')}`;
  }
  return `$0.${String(amount).padStart(9, '0').replace(/0+$/, '')}`;
}

/** What a row's calls cost, and how many of them have no known cost. */
export function moneyOf({ costNusd, unpriced, calls }: TallyRow): string {
  if (unpriced === calls) return 'not known';
  return unpriced === 0 ? dollars(costNusd) : `${dollars(costNusd)} (${thousands(unpriced)} not known)`;
}

/** Whether history answered as recorded, in one sentence. */
export function historySentence({ calls, reproduction, ranges, waived }: ReplayPart): string {
  const { reproduced, mismatch, erased, undecided, other_runtime: other, not_decided: refused, missing } = reproduction;
  const entries = ranges.reduce((sum, range) => sum + range.entries, 0);
  const rest = [
    ...(mismatch > 0 ? [`${thousands(mismatch)} NOT reproduced`] : []),
    ...(erased > 0 ? [`${thousands(erased)} erased (REPLAY_ERASED)`] : []),
    ...(undecided > 0 ? [`${thousands(undecided)} undecided because a limit was hit`] : []),
    ...(other > 0 ? [`${thousands(other)} of another runtime, decided otherwise by this one`] : []),
    ...(missing > 0 ? [`${thousands(missing)} whose policies are not kept`] : []),
    ...(refused > 0 ? [`${thousands(refused)} refused before any policy was asked`] : []),
  ];
  const checked = `${thousands(entries)} ledger entries checked against their hashes first`;
  return `Of ${count(calls, 'recorded call')}, the policies that decided reproduce ${thousands(reproduced)} bit for bit${rest.map((one) => `, ${one}`).join('')}; ${checked}.${waiverSentence(waived)}`;
}

/** Whoever reads a change sees how much of history was an exception. */
function waiverSentence({ calls, byRule }: ReplayPart['waived']): string {
  if (calls === 0) return ' No waiver took part in any of them.';
  const rules = Object.entries(byRule).map(([rule, lifted]) => `${rule} ${count(lifted, 'time')}`);
  return ` A waiver took part in ${thousands(calls)} of them: it lifted ${rules.join(', ')}.`;
}

/** Fields of a generated input in the order a reader looks for them. */
export function witnessText({ fields, parameters }: Difference): string {
  const lines = Object.entries(fields).map(([path, value]) => `input.${path} = ${JSON.stringify(value)}`);
  const own = JSON.stringify(parameters);
  if (own !== '{}') lines.push(`tenant parameters = ${own}`);
  return lines.length === 0 ? 'the harmless call itself' : lines.join('\n');
}

export interface DiffLine {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

const MAX_DIFF_LINES = 400;

/** The longest common lines stay; texts beyond the limit are shown one after the other. */
export function lineDiff(before: string, after: string): DiffLine[] {
  const [a, b] = [before.split('\n'), after.split('\n')];
  if (a.length > MAX_DIFF_LINES || b.length > MAX_DIFF_LINES) return [...signed('-', a), ...signed('+', b)];
  const common = commonLengths(a, b);
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      lines.push({ sign: ' ', text: a[i] ?? '' });
      [i, j] = [i + 1, j + 1];
    } else if ((common[i + 1]?.[j] ?? 0) >= (common[i]?.[j + 1] ?? 0)) lines.push({ sign: '-', text: a[i++] ?? '' });
    else lines.push({ sign: '+', text: b[j++] ?? '' });
  }
  return [...lines, ...signed('-', a.slice(i)), ...signed('+', b.slice(j))];
}

function signed(sign: '-' | '+', lines: readonly string[]): DiffLine[] {
  return lines.map((text) => ({ sign, text }));
}

/** common[i][j]: lines that a from i on and b from j on have in common, in order. */
function commonLengths(a: readonly string[], b: readonly string[]): number[][] {
  const common = Array.from({ length: a.length + 1 }, () => Array<number>(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const row = common[i] ?? [];
      const next = common[i + 1] ?? [];
      row[j] = a[i] === b[j] ? (next[j + 1] ?? 0) + 1 : Math.max(next[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return common;
}
