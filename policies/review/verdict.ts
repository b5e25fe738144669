import type { Review } from './review.ts';

/** What a review comes to: 0 nothing to look at, 1 somebody has to look, 3 it could not be told. */
export interface Verdict {
  readonly exit: 0 | 1 | 3;
  /** What needs eyes, most serious first. */
  readonly attention: readonly string[];
  /** What could not be told. */
  readonly unknown: readonly string[];
}

export interface VerdictOptions {
  /** Flips that are expected. */
  readonly allowFlips: number;
  /** A replay that was not done counts as not known. */
  readonly replayWanted: boolean;
}

export function judge(review: Review, { allowFlips, replayWanted }: VerdictOptions): Verdict {
  const attention = [...testsAttention(review), ...replayAttention(review, allowFlips), ...mutantsAttention(review)];
  const unknown = replayUnknown(review, replayWanted);
  return { exit: attention.length > 0 ? 1 : unknown.length > 0 ? 3 : 0, attention, unknown };
}

function testsAttention({ tests }: Review): string[] {
  if (tests.ok) return [];
  if (tests.failed > 0) return [`${count(tests.failed, 'test')} of the head failed.`];
  const style = tests.unformatted.length > 0 ? ` ${count(tests.unformatted.length, 'file')} not formatted.` : '';
  return [`The head does not pass its checks.${style} ${tests.problems.slice(0, 3).join(' ')}`.trim()];
}

function replayAttention({ replay }: Review, allowFlips: number): string[] {
  if ('notDone' in replay) return [];
  const broken = replay.ranges.filter(({ problem }) => problem !== null);
  const { mismatch } = replay.reproduction;
  return [
    ...broken.map(({ tenant, problem }) => `The ledger of ${tenant} is not what was committed to: ${problem ?? ''}`),
    ...(mismatch > 0 ? [`${count(mismatch, 'recorded call')} not reproduced by the policies that decided.`] : []),
    ...(replay.flipped > allowFlips
      ? [
          `${count(replay.flipped, 'recorded call')} would have been decided another way (${String(allowFlips)} expected).`,
        ]
      : []),
  ];
}

function mutantsAttention({ mutants }: Review): string[] {
  if ('notDone' in mutants || mutants.unexplained.length === 0) return [];
  return [
    `The tests let ${count(mutants.unexplained.length, 'mutant')} of ${mutants.of === 'all' ? 'the' : 'the changed'} rules live.`,
  ];
}

function replayUnknown({ replay }: Review, wanted: boolean): string[] {
  if ('notDone' in replay) return wanted ? [`Replay: not done, ${replay.notDone}`] : [];
  const { missing, other_runtime: other } = replay.reproduction;
  return [
    ...(missing > 0
      ? [`${count(missing, 'call')} could not be replayed: what decided is not in the policy store.`]
      : []),
    ...(other > 0
      ? [`${count(other, 'call')} decided by another runtime or combiner, and otherwise by this one.`]
      : []),
  ];
}

/** `1 call`, `2,345 calls` */
export function count(number: number, noun: string): string {
  return `${thousands(number)} ${noun}${number === 1 ? '' : 's'}`;
}

export function thousands(number: number | bigint): string {
  return String(number).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}
