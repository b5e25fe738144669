/**
 * Watches what a new release does to the rate of denials: the calls of a tenant in the half hour before it against those since, as the
 * ledger has them from all processes. A difference that chance does not explain is an alarm, once for a release: a metric, a line in the
 * log, an entry.
 */
import type { DecidedCounts, JsonValue } from '../../ledger/index.ts';

export interface DriftAlarm {
  readonly tenant: string;
  /** The same for every process that finds the same. */
  readonly key: string;
  readonly facts: { readonly [name: string]: JsonValue };
}

export interface DriftOptions {
  /** Wall clock, unix ms. */
  readonly now: () => number;
  /** Decided calls of a tenant in [fromMs, toMs), of those nearest to `nearMs` at most a bounded number. */
  readonly count: (tenant: string, range: { fromMs: number; toMs: number; newest: boolean }) => Promise<DecidedCounts>;
  readonly alarm: (alarm: DriftAlarm) => Promise<void>;
}

interface Watched {
  policies: string;
  /** The release that is watched; null: none is. */
  release: { readonly atMs: number; before: DecidedCounts | null } | null;
}

const BEFORE_MS = 1_800_000;
const WATCH_MS = 3_600_000;
/** A look counts some thousand entries in the database. */
const LOOK_MS = 10_000;
/** Fewer decisions on either side say nothing. */
const LEAST = 50;
/** In standard deviations of the difference of two rates, and in rate: much traffic makes every difference significant. */
const SIGNIFICANT = 4;
const MATTERS = 0.05;

export class DriftWatch {
  readonly #tenants = new Map<string, Watched>();
  readonly #options: DriftOptions;
  #looking: Promise<void> | null = null;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(options: DriftOptions) {
    this.#options = options;
  }

  /** Tells what decides for each tenant now; a change begins a watch. */
  follow(tenants: Iterable<{ readonly id: string; readonly policies: readonly string[] }>): void {
    for (const { id, policies } of tenants) {
      const list = policies.join(' ');
      const known = this.#tenants.get(id);
      if (known === undefined) this.#tenants.set(id, { policies: list, release: null });
      else if (known.policies !== list) {
        known.policies = list;
        known.release = { atMs: this.#options.now(), before: null };
      }
    }
  }

  /** Compares what is watched, six times a minute at most; concurrent looks are one. Rejects when the ledger cannot be read, and is tried again. */
  look(): Promise<void> {
    if (this.#looking === null && this.#options.now() - this.#lookedMs < LOOK_MS) return Promise.resolve();
    this.#looking ??= this.#lookAtAll().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #lookAtAll(): Promise<void> {
    this.#lookedMs = this.#options.now();
    for (const [tenant, watched] of this.#tenants) if (watched.release !== null) await this.#lookAt(tenant, watched);
  }

  async #lookAt(tenant: string, watched: Watched): Promise<void> {
    const { now, count, alarm } = this.#options;
    const { release, policies } = watched;
    if (release === null) return;
    const toMs = now();
    const { atMs } = release;
    release.before ??= await count(tenant, { fromMs: atMs - BEFORE_MS, toMs: atMs, newest: true });
    const since = await count(tenant, { fromMs: atMs, toMs, newest: false });
    const isOver = toMs - atMs > WATCH_MS || release.before.decisions < LEAST;
    if (!isDrift(release.before, since)) {
      if (isOver && watched.release === release) watched.release = null;
      return;
    }
    const facts = {
      action: 'drift',
      policies: policies.split(' '),
      before: { ...release.before },
      since: { ...since },
    };
    await alarm({ tenant, key: `${tenant}\n${policies}\n${String(Math.floor(atMs / WATCH_MS))}`, facts });
    if (watched.release === release) watched.release = null;
  }
}

/** Two proportions, compared as usual (pooled z test). */
export function isDrift(before: DecidedCounts, since: DecidedCounts): boolean {
  const [n0, n1] = [before.decisions, since.decisions];
  if (n0 < LEAST || n1 < LEAST) return false;
  const difference = Math.abs(since.denied / n1 - before.denied / n0);
  if (difference < MATTERS) return false;
  const pooled = (before.denied + since.denied) / (n0 + n1);
  return difference > SIGNIFICANT * Math.sqrt(pooled * (1 - pooled) * (1 / n0 + 1 / n1));
}
