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

const SNAPSHOT_FLOOR = 0.8;
const LONG_CEILING = 1.2;
/** Entries a second. */
const ONE_LOG_AIM = 10_000;
const MANY_LOGS_AIM = 15_000;
const VERIFY_AIM = Math.ceil(1_000_000 / 30);

/** What we aim at; printed, not asserted. */
const TARGET: ReadonlyMap<string, number> = new Map([
  ['c8.countersign.rps', 2.5],
  ['c32.countersign.rps', 4],
]);

const MEMORY_MIB = 200;
const EXTRA_US = 700;
const REPLAY_SECONDS = 30;

export function floorChecks(figures: readonly Figure[]): Check[] {
  return [...ratioChecks(figures, FLOOR, 'floor'), ...redactionFloor(figures), ...ledgerFloor(figures)];
}

function ledgerFloor(figures: readonly Figure[]): Check[] {
  const ratio = (name: string): number | null => figures.find((figure) => figure.name === name)?.ratio ?? null;
  const [beside, grown] = [ratio('ledger.snapshot.rate'), ratio('ledger.long.cost')];
  const snapshot = `floor: ledger under an open snapshot at least ${SNAPSHOT_FLOOR}x without`;
  const long = `floor: the last tenth of a long log costs at most ${LONG_CEILING}x the first`;
  return [
    ...(beside === null ? [] : [{ name: snapshot, ok: beside >= SNAPSHOT_FLOOR, found: `${beside.toFixed(2)}x` }]),
    ...(grown === null ? [] : [{ name: long, ok: grown <= LONG_CEILING, found: `${grown.toFixed(2)}x` }]),
  ];
}

function redactionFloor(figures: readonly Figure[]): Check[] {
  const ratio = figures.find(({ name }) => name === 'redaction.clean')?.ratio;
  if (ratio === undefined) return [];
  const name = `floor: redaction.clean at least ${REDACTION_FLOOR}x the expressions one by one`;
  return [{ name, ok: ratio >= REDACTION_FLOOR, found: `${ratio.toFixed(2)}x` }];
}

/** Beside it a call takes as long by itself. */
const RUNAWAY_MS = 20;

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
    ...atMost('aim: baseline decision p50, us', value('policy.decision.p50'), 50),
    ...atMost('aim: decision over 1,000 rules p50, us', value('policy.rules1000.p50'), 200),
    ...atMost('aim: loading a bundle, ms', value('policy.load'), 100),
    ...atMost('aim: loading the first bundle of a process, ms', value('policy.load_first'), 100),
    ...atMost('aim: what a runaway policy holds up, p50, ms', value('policy.runaway.p50'), RUNAWAY_MS),
    ...atLeast(
      'aim: opa over HTTP, times our decision',
      figures.find(({ name }) => name === 'policy.opa_http.p50')?.ratio ?? null,
      20,
    ),
    ...atLeast('aim: durable entries/s at 8 callers on one log', value('ledger.c8.rate'), ONE_LOG_AIM),
    ...atLeast('aim: durable entries/s at 32 callers over 100 logs', value('ledger.logs100.rate'), MANY_LOGS_AIM),
    ...atMost('aim: replay of 100,000 decisions, s', value('replay.seconds'), REPLAY_SECONDS),
    ...atLeast(
      'aim: headers, chain and tree checked, entries/s (a million in 30 s)',
      value('verify.headers'),
      VERIFY_AIM,
    ),
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
