/**
 * Watches what a new release does to the rate of denials: the calls of a tenant in the half hour before it against those since.
 * A difference that chance does not explain is an alarm, once for a release: a metric, a line in the log, an entry.
 */
import type { JsonValue } from '../../ledger/index.ts';

interface Counted {
  decisions: number;
  denied: number;
}

interface Watched {
  policies: string;
  /** By minute, oldest first. */
  readonly minutes: (Counted & { readonly minute: number })[];
  /** Since the release that is watched; null: none is. */
  release: { readonly before: Counted; readonly since: Counted; readonly untilMs: number } | null;
}

export interface DriftAlarm {
  readonly tenant: string;
  readonly facts: { readonly [name: string]: JsonValue };
}

const MINUTE_MS = 60_000;
const BEFORE_MINUTES = 30;
const WATCH_MS = 3_600_000;
/** Fewer decisions on either side say nothing. */
const LEAST = 50;
/** In standard deviations of the difference of two rates, and in rate: much traffic makes every difference significant. */
const SIGNIFICANT = 4;
const MATTERS = 0.05;

export class DriftWatch {
  readonly #tenants = new Map<string, Watched>();
  readonly #now: () => number;
  readonly #alarm: (alarm: DriftAlarm) => void;

  constructor(now: () => number, alarm: (alarm: DriftAlarm) => void) {
    this.#now = now;
    this.#alarm = alarm;
  }

  /** Tells what decides for each tenant now; a change begins a watch. */
  follow(tenants: Iterable<{ readonly id: string; readonly policies: readonly string[] }>): void {
    for (const { id, policies } of tenants) {
      const list = policies.join(' ');
      const known = this.#tenants.get(id);
      if (known === undefined) this.#tenants.set(id, { policies: list, minutes: [], release: null });
      else if (known.policies !== list) this.#begin(known, list);
    }
  }

  #begin(watched: Watched, policies: string): void {
    const nowMs = this.#now();
    const oldest = Math.floor(nowMs / MINUTE_MS) - BEFORE_MINUTES;
    const before = { decisions: 0, denied: 0 };
    for (const { minute, decisions, denied } of watched.minutes) {
      if (minute < oldest) continue;
      before.decisions += decisions;
      before.denied += denied;
    }
    watched.policies = policies;
    watched.minutes.length = 0;
    watched.release = { before, since: { decisions: 0, denied: 0 }, untilMs: nowMs + WATCH_MS };
  }

  /** One decided call. */
  note(tenant: string, denied: boolean): void {
    const watched = this.#tenants.get(tenant);
    if (watched === undefined) return;
    const minute = Math.floor(this.#now() / MINUTE_MS);
    let last = watched.minutes.at(-1);
    if (last?.minute !== minute) {
      last = { minute, decisions: 0, denied: 0 };
      watched.minutes.push(last);
      if (watched.minutes.length > BEFORE_MINUTES) watched.minutes.shift();
    }
    count(last, denied);
    if (watched.release !== null) this.#check(tenant, watched, denied);
  }

  #check(tenant: string, watched: Watched, denied: boolean): void {
    const { release, policies } = watched;
    if (release === null) return;
    count(release.since, denied);
    if (this.#now() > release.untilMs) watched.release = null;
    if (!isDrift(release.before, release.since)) return;
    watched.release = null;
    const facts = {
      action: 'drift',
      policies: policies.split(' '),
      before: { ...release.before },
      since: { ...release.since },
    };
    this.#alarm({ tenant, facts });
  }
}

function count(into: Counted, denied: boolean): void {
  into.decisions += 1;
  if (denied) into.denied += 1;
}

/** Two proportions, compared as usual (pooled z test). */
export function isDrift(before: Counted, since: Counted): boolean {
  const [n0, n1] = [before.decisions, since.decisions];
  if (n0 < LEAST || n1 < LEAST) return false;
  const difference = Math.abs(since.denied / n1 - before.denied / n0);
  if (difference < MATTERS) return false;
  const pooled = (before.denied + since.denied) / (n0 + n1);
  return difference > SIGNIFICANT * Math.sqrt(pooled * (1 - pooled) * (1 / n0 + 1 / n1));
}
