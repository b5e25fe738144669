/** The first thing that is wrong, in one plain sentence. */
export interface Problem {
  readonly log: string;
  readonly tenant: string | null;
  readonly seq: number | null;
  readonly section: string | null;
  readonly problem: string;
}

export interface LogReport {
  readonly log: string;
  readonly tenant: string | null;
  readonly entries: number;
  /** Leaf hash of the last entry; null for an empty log. */
  readonly head: string | null;
  readonly openCalls: number;
  readonly receipts: number;
}

/** `UNVERIFIABLE`: the evidence could not be read at all (missing files, not our format). */
export type Verdict = 'CONSISTENT' | 'TAMPERED' | 'UNVERIFIABLE';

export interface VerifyReport {
  readonly verdict: Verdict;
  /** False until an outside anchor covers the range: an owner of database and keys could still have rewritten everything. */
  readonly anchored: boolean;
  readonly logs: readonly LogReport[];
  readonly firstBad: Problem | null;
  readonly entries: number;
  readonly openCalls: number;
  /** What this result does not show, one sentence each. */
  readonly notProven: readonly string[];
}
