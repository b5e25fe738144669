import type { JsonValue } from '../canonical.ts';
import { readLedgerFacts } from '../verify/call-check.ts';
import { asObject } from '../verify/call-check.ts';
import { isoTime } from './viewed.ts';
import type { ViewedEntry } from './viewed.ts';

/** Distinct names counted one by one; more are added up under this one. */
const MAX_NAMES = 1000;
const OTHERS = 'others';
/** What the shipped policies label a decision with that a waiver took part in: `waiver:<id>:<rule>`. */
const WAIVER_LABEL = /^waiver:[^:]*:(.+)$/;
/** A longer name counts by its beginning. */
const MAX_NAME_CHARS = 200;
/** Far more days than a log has; of more none is counted. */
const MAX_DAYS = 100_000;

/** Calls and money of one model. */
export interface ModelSums {
  calls: number;
  inputTokens: number;
  outputTokens: number;
  nusd: bigint;
  unpriced: number;
}

/** What is counted while the entries of a tenant pass: everything comes from headers and facts. */
export class Tally {
  readonly kinds = new Map<string, number>();
  readonly effects = new Map<string, number>();
  readonly statuses = new Map<string, number>();
  readonly rules = new Map<string, number>();
  /** Rules whose objection a waiver lifted. */
  readonly waived = new Map<string, number>();
  readonly models = new Map<string, ModelSums>();
  /** UTC day to calls and refused calls. */
  readonly days = new Map<string, { calls: number; refused: number }>();
  readonly open = new Set<string>();
  entries = 0;
  erased = 0;
  unknown = 0;
  booked = 0n;
  firstMs: number | null = null;
  lastMs: number | null = null;

  add(entry: ViewedEntry, facts: JsonValue, erased: boolean): void {
    this.entries += 1;
    if (erased) this.erased += 1;
    this.firstMs ??= entry.timeMs;
    this.lastMs = entry.timeMs;
    count(this.kinds, entry.kind);
    if (entry.kind === 'decision') this.#decision(entry, asObject(facts));
    if (entry.kind === 'outcome' || entry.kind === 'late_outcome') this.#outcome(entry, asObject(facts));
  }

  #decision(entry: ViewedEntry, facts: { [key: string]: JsonValue }): void {
    const effect = textOf(facts['effect']);
    count(this.effects, effect);
    if (Array.isArray(facts['rules'])) for (const rule of facts['rules']) count(this.rules, textOf(rule));
    if (Array.isArray(facts['labels'])) for (const label of facts['labels']) this.#waiver(textOf(label));
    const day = isoTime(entry.timeMs).slice(0, 10);
    const sums = this.days.get(day) ?? { calls: 0, refused: 0 };
    if (this.days.size < MAX_DAYS) this.days.set(day, sums);
    sums.calls += 1;
    if (effect !== 'allow') sums.refused += 1;
    if (readLedgerFacts(facts).open) this.open.add(entry.call);
  }

  #waiver(label: string): void {
    const [, rule] = WAIVER_LABEL.exec(label) ?? [];
    if (rule !== undefined) count(this.waived, rule);
  }

  #outcome(entry: ViewedEntry, facts: { [key: string]: JsonValue }): void {
    const { booked, status } = readLedgerFacts(facts);
    this.open.delete(entry.call);
    count(this.statuses, textOf(status ?? undefined));
    if (status === 'unknown') this.unknown += 1;
    this.booked += booked;
    const model = this.#model(textOf(facts['deployment'] ?? facts['model']));
    model.calls += 1;
    model.nusd += booked;
    if (facts['unpriced'] === true) model.unpriced += 1;
    const usage = asObject(facts['usage']);
    model.inputTokens += countOf(usage['input_tokens']);
    model.outputTokens += countOf(usage['output_tokens']);
  }

  #model(name: string): ModelSums {
    const key = this.models.has(name) || this.models.size < MAX_NAMES ? name : OTHERS;
    const sums = this.models.get(key) ?? { calls: 0, inputTokens: 0, outputTokens: 0, nusd: 0n, unpriced: 0 };
    this.models.set(key, sums);
    return sums;
  }
}

function count(counts: Map<string, number>, name: string): void {
  const key = counts.has(name) || counts.size < MAX_NAMES ? name : OTHERS;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? beginningOf(value, MAX_NAME_CHARS) : 'none';
}

/** The beginning of a text, as a copy: a part of a string keeps all of it in memory. */
export function beginningOf(text: string, most: number): string {
  return text.length <= most ? text : Buffer.from(text.slice(0, most), 'utf8').toString('utf8');
}

function countOf(value: JsonValue | undefined): number {
  return typeof value === 'number' && value >= 0 ? value : 0;
}

/** Sorted by name, so that the same entries give the same bytes. */
export function sortedCounts(counts: ReadonlyMap<string, number>): { [name: string]: number } {
  return Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
