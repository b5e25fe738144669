import type { Control } from '../controls/control.ts';

/** What to export, and where to. */
export interface ExportOptions {
  /** A tenant id, or `_deployment` for the deployment's own log with everything in it. */
  readonly tenant: string;
  /** New or empty folder. */
  readonly dir: string;
  /** `facts`: everything else stays withheld. Default `all`: what can be opened is disclosed. */
  readonly disclose?: 'all' | 'facts';
  /** Sections to withhold by name, never `facts`. */
  readonly withhold?: readonly string[];
  /** Part of the log; absent: all of it. */
  readonly range?: RangeWish;
  /** Only calls drawn by lot disclose more than facts, each with a proof of its own. */
  readonly sample?: SampleWish;
  /** Only entries that answer this control disclose more than facts. */
  readonly control?: Control;
}

/** Bounds of a range export: sequences are inclusive and about the newest log, times are [from, to) in unix ms. */
export interface RangeWish {
  readonly fromSeq?: number;
  readonly toSeq?: number;
  readonly fromMs?: number;
  readonly toMs?: number;
}

/** A sample of calls. Whoever names the seed after the head is fixed knows that nobody chose the calls. */
export interface SampleWish {
  /** 1 to 1000. */
  readonly size: number;
  /** Any text up to 200 characters. */
  readonly seed: string;
}

/** What was written. */
export interface ExportResult {
  readonly log: string;
  /** Sequence of the first exported entry of the newest log, and of the last; last < first when it has none. */
  readonly first: number;
  readonly last: number;
  /** Exported entries of the newest log. */
  readonly entries: number;
  /** Leaf hash of the last exported entry. */
  readonly head: string | null;
  /** Entries of which only facts and hashes are left, because their key was destroyed. */
  readonly erased: number;
  /** Entries that answer the control; null without one. */
  readonly matches: number | null;
  /** SHA-256 of manifest.json, lower hex: it names every other file with its own. */
  readonly manifest: string;
  /** Files written, relative to the folder, sorted. */
  readonly files: readonly string[];
}

/** What is to be exported, before a byte is read: for the entry about it. */
export interface ExportPlanFacts {
  readonly log: string;
  readonly first: number;
  readonly last: number;
}
