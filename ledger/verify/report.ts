import type { AnchorEvidence } from '../anchor/evidence.ts';
import { DEPLOYMENT } from '../entry.ts';

/** What is wrong with an entry, before it is said where. */
export interface Finding {
  readonly section?: string;
  readonly problem: string;
}

/** Something that is wrong, in one plain sentence, and where. */
export interface Problem {
  /** Null when it is not about one log. */
  readonly log: string | null;
  readonly tenant: string | null;
  readonly seq: number | null;
  readonly section: string | null;
  readonly problem: string;
}

/** What was found in one log. */
export interface LogReport {
  readonly log: string;
  readonly tenant: string | null;
  readonly entries: number;
  /** Leaf hash of the last good entry; null for an empty log. */
  readonly head: string | null;
  readonly openCalls: number;
  /** Entries with a writer's signature that fits. */
  readonly receipts: number;
  /** Sections that were not compared with their commitment: withheld, erased, or no key was given. */
  readonly unread: number;
  /** Entries whose key was destroyed as an erasure entry says: nothing but facts and hashes is left of them. */
  readonly erased: number;
  /** Entries, from the first on, that a checkpoint covers. */
  readonly covered: number;
  /** Entries, from the first on, under a checkpoint that somebody the reader believes has seen. */
  readonly anchored: number;
  readonly problem: Problem | null;
}

/** `UNVERIFIABLE`: the evidence could not be read at all (missing files, another format). */
export type Verdict = 'CONSISTENT' | 'TAMPERED' | 'UNVERIFIABLE';

/** The answer of a verification. */
export interface VerifyReport {
  readonly verdict: Verdict;
  /** True when an outside anchor covers every entry of the tenants' logs: no owner of database and keys can have rewritten them. */
  readonly anchored: boolean;
  /** The newest checkpoint that somebody the reader believes has seen; null without trust, or without an anchor. */
  readonly anchor: AnchorEvidence | null;
  readonly logs: readonly LogReport[];
  readonly firstBad: Problem | null;
  readonly entries: number;
  readonly openCalls: number;
  /** Entries erased by order; see LogReport. */
  readonly erased: number;
  /** What this result does not show, one sentence each. */
  readonly notProven: readonly string[];
}

const UNANCHORED =
  'No outside anchor covers these logs: whoever owns the database and the keys could have rewritten all of it.';
const STAMPED_ONLY =
  'Timestamps show that entries existed by then, not that nobody was shown another history: that takes witnesses.';
const LIMITS = [
  'The end of a log can be cut without a trace unless a receipt, an open call or a later entry of the same writer refers to it.',
  'That the recorded content is true, and that no call went around the gateway, cannot be seen from a ledger.',
];

/** Puts the results of all logs together. `general` are problems that are not about one log. */
export function buildReport(
  logs: readonly LogReport[],
  general: readonly Problem[],
  anchor: AnchorEvidence | null = null,
): VerifyReport {
  const firstBad = logs.find((log) => log.problem !== null)?.problem ?? general[0] ?? null;
  const unread = logs.reduce((sum, log) => sum + log.unread, 0);
  const entries = logs.reduce((sum, log) => sum + log.entries, 0);
  const unsigned = entries - logs.reduce((sum, log) => sum + log.receipts, 0);
  const notProven = [anchorLimit(logs), ...LIMITS].filter((limit) => limit !== null);
  if (anchor !== null && anchor.witnesses.length === 0) notProven.push(STAMPED_ONLY);
  const younger = entries - logs.reduce((sum, log) => sum + log.covered, 0);
  if (younger > 0) notProven.push(`${String(younger)} entries are covered by no checkpoint yet.`);
  const erased = logs.reduce((sum, log) => sum + log.erased, 0);
  if (erased > 0)
    notProven.push(
      `${String(erased)} entries were erased as erasure entries say: of them only facts, hashes and order are left.`,
    );
  if (unread > 0)
    notProven.push(
      `${String(unread)} sections were not read (withheld, erased or no key): only their hashes are linked.`,
    );
  if (unsigned > 0)
    notProven.push(
      `${String(unsigned)} entries carry no writer's signature: which process wrote them rests on the log alone.`,
    );
  return {
    verdict: firstBad === null ? 'CONSISTENT' : 'TAMPERED',
    anchored: firstBad === null && isAnchored(logs),
    anchor,
    logs,
    firstBad,
    entries,
    openCalls: logs.reduce((sum, log) => sum + log.openCalls, 0),
    erased,
    notProven,
  };
}

function isAnchored(logs: readonly LogReport[]): boolean {
  const own = logs.filter(({ tenant, entries }) => tenant !== DEPLOYMENT && entries > 0);
  return own.length > 0 && own.every(({ anchored, entries }) => anchored === entries);
}

function anchorLimit(logs: readonly LogReport[]): string | null {
  const sum = (count: (log: LogReport) => number): number => logs.reduce((total, log) => total + count(log), 0);
  const younger = sum(({ entries }) => entries) - sum(({ anchored }) => anchored);
  if (sum(({ anchored }) => anchored) === 0) return UNANCHORED;
  if (younger === 0) return null;
  return `${String(younger)} entries are younger than the last outside anchor: whoever owns the database and the keys could have rewritten them.`;
}

/** The evidence could not be read. */
export function unverifiable(problem: string): VerifyReport {
  const firstBad = { log: null, tenant: null, seq: null, section: null, problem };
  return {
    verdict: 'UNVERIFIABLE',
    anchored: false,
    anchor: null,
    logs: [],
    firstBad,
    entries: 0,
    openCalls: 0,
    erased: 0,
    notProven: [UNANCHORED, ...LIMITS],
  };
}
