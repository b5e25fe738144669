import type { Figure } from './measure.ts';
import type { Check } from './targets.ts';

/** Below these ratios of requests per second to Portkey's in the same run, the benchmark fails. */
const FLOOR: ReadonlyMap<string, number> = new Map([
  ['c8.countersign.rps', 1.5],
  ['c32.countersign.rps', 2.5],
]);

/** Of the redaction engine on clean text to the same expressions run one by one. */
const REDACTION_FLOOR = 5;
const REDACTION_AIM = 8;
const CLEAN_MBS = 50;
const HITS_MBS = 20;

/** What we aim at; printed, not asserted. */
const TARGET: ReadonlyMap<string, number> = new Map([
  ['c8.countersign.rps', 2.5],
  ['c32.countersign.rps', 4],
]);

const MEMORY_MIB = 200;
const EXTRA_US = 700;

export function floorChecks(figures: readonly Figure[]): Check[] {
  return [...ratioChecks(figures, FLOOR, 'floor'), ...redactionFloor(figures)];
}

function redactionFloor(figures: readonly Figure[]): Check[] {
  const ratio = figures.find(({ name }) => name === 'redaction.clean')?.ratio;
  if (ratio === undefined) return [];
  const name = `floor: redaction.clean at least ${REDACTION_FLOOR}x the expressions one by one`;
  return [{ name, ok: ratio >= REDACTION_FLOOR, found: `${ratio.toFixed(2)}x` }];
}

/** The aims, as far as they were measured. */
export function aims(figures: readonly Figure[]): Check[] {
  const value = (name: string): number | null => figures.find((figure) => figure.name === name)?.value ?? null;
  const added = difference(value('c1.countersign.p50'), value('c1.direct.p50'));
  const appends = sum(value('stages.c1.record'), value('stages.c1.outcome'));
  const firstToken = difference(value('stream.countersign.first_token_p50'), value('stream.direct.first_token_p50'));
  const memory = value('memory.countersign.rss_max');
  const bound = appends === null ? null : appends + EXTRA_US;
  return [
    ...ratioChecks(figures, TARGET, 'aim'),
    ...atMost('aim: added p50 at 1 connection, us (two appends + 700)', added, bound),
    ...atMost('aim: added first token at 1 connection, us (two appends + 700)', firstToken, bound),
    ...atLeast(
      'aim: redaction of clean text, times the expressions one by one',
      figures.find(({ name }) => name === 'redaction.clean')?.ratio ?? null,
      REDACTION_AIM,
    ),
    ...atLeast('aim: redaction of clean text, MB/s', value('redaction.clean'), CLEAN_MBS),
    ...atLeast('aim: redaction at a value every 400 characters, MB/s', value('redaction.hits_400'), HITS_MBS),
    ...atMost('aim: memory at 32 connections, MiB', memory, MEMORY_MIB),
  ];
}

function ratioChecks(figures: readonly Figure[], wanted: ReadonlyMap<string, number>, kind: string): Check[] {
  return figures.flatMap(({ name, ratio }) => {
    const least = wanted.get(name);
    if (ratio === undefined || least === undefined) return [];
    return [{ name: `${kind}: ${name} at least ${least}x portkey`, ok: ratio >= least, found: `${ratio.toFixed(2)}x` }];
  });
}

function atMost(name: string, value: number | null, bound: number | null): Check[] {
  if (value === null || bound === null) return [];
  return [{ name, ok: value <= bound, found: `${value.toFixed(0)}, at most ${bound.toFixed(0)}` }];
}

function atLeast(name: string, value: number | null, bound: number): Check[] {
  if (value === null) return [];
  return [{ name, ok: value >= bound, found: `${value.toFixed(1)}, at least ${bound}` }];
}

function difference(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b;
}

function sum(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}
