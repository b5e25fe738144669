/** What happens in which step, decided by the seed alone. */

/** Uniform in [0, 1): mulberry32, so that a seed means the same everywhere. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Who is killed with signal 9. `owner` runs the embedded database's keeper, `guest` uses that database by its URL. */
export type Victim =
  | 'owner'
  | 'guest'
  | 'both gateways'
  | 'postmaster'
  | 'a backend'
  | 'owner and postmaster'
  | 'everything'
  | 'owner, and again while it starts';

/** A gateway that has to be started again costs seconds, so that most kills leave it alive. */
const WEIGHTS: readonly (readonly [Victim, number])[] = [
  ['owner', 4],
  ['guest', 3],
  ['both gateways', 2],
  ['postmaster', 6],
  ['a backend', 7],
  ['owner and postmaster', 2],
  ['everything', 2],
  ['owner, and again while it starts', 2],
];

export interface Step {
  readonly number: number;
  readonly victim: Victim;
  /** Load before the kill. */
  readonly afterMs: number;
  /** From one kill of the step to the next. */
  readonly gapMs: number;
  /** Chooses among backends. */
  readonly choice: number;
}

export function planSteps(seed: number, kills: number): Step[] {
  const random = createRandom(seed);
  const total = WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0);
  return Array.from({ length: kills }, (_, index) => {
    let ticket = random() * total;
    const [victim] = WEIGHTS.find(([, weight]) => (ticket -= weight) < 0) ?? WEIGHTS[0] ?? ['owner'];
    return {
      number: index + 1,
      victim,
      afterMs: Math.floor(30 + random() * 300),
      gapMs: Math.floor(random() * 900),
      choice: random(),
    };
  });
}
