import { canonicalJson } from '../canonical.ts';
import { sha256 } from '../merkle.ts';
import type { SampleWish } from './options.ts';

/** A call drawn by lot. */
export interface Pick {
  readonly log: string;
  readonly seq: number;
  readonly call: string;
  readonly hash: string;
  /** What decided: the calls with the smallest ranks are drawn. */
  readonly rank: string;
}

export const MAX_SAMPLE = 1000;
export const MAX_SEED_CHARS = 200;
export const DRAW_FILE = 'samples/draw.json';
export const CALLS_FILE = 'samples/calls.jsonl';
const RULE = 'the calls with the smallest SHA-256 of canonical [seed, log, seq of the decision]';

/** SHA-256 of canonical `[seed, log, seq]`: anybody with the seed can draw again. */
export function sampleRank(seed: string, log: string, seq: number): string {
  return sha256(canonicalJson([seed, log, seq]));
}

/** Draws the calls with the smallest ranks out of decisions that pass in the order of the logs; memory is bounded by the sample. */
export class Draw {
  readonly #wish: SampleWish;
  /** Which log came when. */
  readonly #order = new Map<string, number>();
  #picks: Pick[] = [];
  /** The largest rank that can still be drawn. */
  #limit = 'g';
  /** Calls there were to draw from. */
  population = 0;

  constructor(wish: SampleWish) {
    this.#wish = wish;
  }

  /** @param decision the entry that decided a call */
  add(decision: Omit<Pick, 'rank'>): void {
    const { log, seq, call, hash } = decision;
    this.population += 1;
    if (!this.#order.has(log)) this.#order.set(log, this.#order.size);
    const rank = sampleRank(this.#wish.seed, log, seq);
    if (rank >= this.#limit) return;
    this.#picks.push({ log, seq, call, hash, rank });
    if (this.#picks.length >= 2 * this.#wish.size) this.#cut();
  }

  /** By log and sequence. */
  get picks(): readonly Pick[] {
    this.#cut();
    const place = (log: string): number => this.#order.get(log) ?? 0;
    return this.#picks.toSorted((a, b) => place(a.log) - place(b.log) || a.seq - b.seq);
  }

  /** @param proofOf path of a call's own proof; null while no checkpoint covers it */
  files(proofOf: (pick: Pick) => string | null): readonly (readonly [path: string, text: string])[] {
    const { seed, size } = this.#wish;
    const lines = this.picks.map((pick) => {
      const { call, hash, log, rank, seq } = pick;
      return `${canonicalJson({ call, hash, log, proof: proofOf(pick), rank, seq })}\n`;
    });
    const draw = { drawn: lines.length, population: this.population, rule: RULE, seed, size };
    return [
      [DRAW_FILE, `${canonicalJson(draw)}\n`],
      [CALLS_FILE, lines.join('')],
    ];
  }

  #cut(): void {
    this.#picks = this.#picks.toSorted((a, b) => (a.rank < b.rank ? -1 : 1)).slice(0, this.#wish.size);
    if (this.#picks.length === this.#wish.size) this.#limit = this.#picks.at(-1)?.rank ?? this.#limit;
  }
}

/** Where a call's own proof is. */
export function proofFile({ log, seq }: { readonly log: string; readonly seq: number }): string {
  return `samples/${log.slice(0, 16)}-${String(seq)}.tlog-proof`;
}
