import type { JsonValue } from '../canonical.ts';
import { asObject } from '../verify/call-check.ts';
import { beginningOf } from './tally.ts';
import type { ViewedEntry } from './viewed.ts';

/** What a person looks at first, for the report: refusals, failures, and everything that was done to the log itself. */
export interface RemarkableEntry {
  readonly seq: number;
  readonly log: string;
  readonly hash: string;
  readonly timeMs: number;
  readonly kind: string;
  readonly call: string;
  readonly what: string;
}

const MAX_KEPT = 200;
/** A little more than a page shows of it. */
const MAX_WHAT_CHARS = 400;
const GOVERNANCE: ReadonlySet<string> = new Set([
  'erasure',
  'hold',
  'prune',
  'gap',
  'recovery',
  'export',
  'approval',
  'late_outcome',
]);

/** Keeps the newest of them. */
export class Remarkable {
  #kept: RemarkableEntry[] = [];
  /** How many there were. */
  count = 0;

  add({ seq, log, hash, timeMs, kind, call }: ViewedEntry, facts: JsonValue): void {
    const what = describe(kind, asObject(facts));
    if (what === null) return;
    this.count += 1;
    this.#kept.push({ seq, log, hash, timeMs, kind, call, what: beginningOf(what, MAX_WHAT_CHARS) });
    if (this.#kept.length >= 2 * MAX_KEPT) this.#kept = this.#kept.slice(-MAX_KEPT);
  }

  /** The newest first. */
  get newest(): readonly RemarkableEntry[] {
    return this.#kept.slice(-MAX_KEPT).toReversed();
  }
}

function describe(kind: string, facts: { [key: string]: JsonValue }): string | null {
  const text = (name: string): string => (typeof facts[name] === 'string' ? facts[name] : '');
  if (kind === 'decision') {
    const rules = Array.isArray(facts['rules']) ? facts['rules'].filter((rule) => typeof rule === 'string') : [];
    const why = [text('code'), ...rules].filter((part) => part !== '').join(', ');
    return text('effect') === 'allow' ? null : `${text('effect') || 'refused'}${why === '' ? '' : `: ${why}`}`;
  }
  if (kind === 'outcome') {
    const status = text('status');
    return status === 'ok' || status === '' ? null : `${status}${text('code') === '' ? '' : `: ${text('code')}`}`;
  }
  if (!GOVERNANCE.has(kind)) return null;
  const said = ['action', 'event', 'basis', 'scope', 'cause'].map(text).filter((part) => part !== '');
  return said.join(', ') || kind.replaceAll('_', ' ');
}
