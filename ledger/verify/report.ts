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
  readonly problem: Problem | null;
}

/** `UNVERIFIABLE`: the evidence could not be read at all (missing files, another format). */
export type Verdict = 'CONSISTENT' | 'TAMPERED' | 'UNVERIFIABLE';

/** The answer of a verification. */
export interface VerifyReport {
  readonly verdict: Verdict;
  /** False until an outside anchor covers the range: an owner of database and keys could still have rewritten everything. */
  readonly anchored: boolean;
  readonly logs: readonly LogReport[];
  readonly firstBad: Problem | null;
  readonly entries: number;
  readonly openCalls: number;
  /** Entries erased by order; see LogReport. */
  readonly erased: number;
  /** What this result does not show, one sentence each. */
  readonly notProven: readonly string[];
}

const LIMITS = [
  'No outside anchor covers these logs: whoever owns the database and the keys could have rewritten all of it.',
  'The end of a log can be cut without a trace unless a receipt, an open call or a later entry of the same writer refers to it.',
  'That the recorded content is true, and that no call went around the gateway, cannot be seen from a ledger.',
];

/** Puts the results of all logs together. `general` are problems that are not about one log. */
export function buildReport(logs: readonly LogReport[], general: readonly Problem[]): VerifyReport {
  const firstBad = logs.find((log) => log.problem !== null)?.problem ?? general[0] ?? null;
  const unread = logs.reduce((sum, log) => sum + log.unread, 0);
  const entries = logs.reduce((sum, log) => sum + log.entries, 0);
  const unsigned = entries - logs.reduce((sum, log) => sum + log.receipts, 0);
  const notProven = [...LIMITS];
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
    anchored: false,
    logs,
    firstBad,
    entries,
    openCalls: logs.reduce((sum, log) => sum + log.openCalls, 0),
    erased,
    notProven,
  };
}

/** The evidence could not be read. */
export function unverifiable(problem: string): VerifyReport {
  const firstBad = { log: null, tenant: null, seq: null, section: null, problem };
  return {
    verdict: 'UNVERIFIABLE',
    anchored: false,
    logs: [],
    firstBad,
    entries: 0,
    openCalls: 0,
    erased: 0,
    notProven: LIMITS,
  };
}
