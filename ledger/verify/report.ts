import type { AnchorEvidence } from '../anchor/evidence.ts';
import { DEPLOYMENT } from '../entry.ts';

/**
 * What a verification can say (docs/ledger-format.md, 5.2). Only VALID and VALID_WITH_ERASURES say that nobody, the owner of
 * database and keys included, can have rewritten what was checked.
 */
export type Verdict =
  'VALID' | 'VALID_WITH_ERASURES' | 'INCOMPLETE' | 'TAMPERED' | 'FORKED' | 'UNANCHORED' | 'UNVERIFIABLE';

/** The verdicts that say something is wrong. */
export type BadVerdict = 'INCOMPLETE' | 'TAMPERED' | 'FORKED';

/** Why the evidence could not be read. */
export type UnreadableReason = 'format' | 'unsafe_file' | 'limit' | 'not_utf8';

/** What is wrong with an entry, before it is said where. */
export interface Finding {
  readonly section?: string;
  readonly problem: string;
  /** Default TAMPERED. INCOMPLETE: what is there is sound, and something that has to be there is not. */
  readonly shows?: BadVerdict;
}

/** Something that is wrong with a file around the entries. */
export interface FileProblem {
  /** Path in the folder. */
  readonly file: string;
  readonly problem: string;
  readonly shows: BadVerdict | 'UNVERIFIABLE';
}

/** What lies in an exported folder. */
export interface FolderReport {
  /** Files the manifest lists. */
  readonly listed: number;
  /** Names of files that are no part of the export, sorted: nobody looked into them. At most 20. */
  readonly strangers: readonly string[];
  /** How many more of them there are. */
  readonly more: number;
}

/** Something that is wrong, in one plain sentence, and where. */
export interface Problem {
  /** Null when it is not about one log. */
  readonly log: string | null;
  readonly tenant: string | null;
  readonly seq: number | null;
  readonly section: string | null;
  /** Process start (`wid`) that the entry says wrote it; null when that is not known. */
  readonly writer: string | null;
  /** Path of a file around the entries; null when it is about entries. */
  readonly file: string | null;
  readonly problem: string;
  readonly shows: BadVerdict | 'UNVERIFIABLE';
}

/** What was found in one log. */
export interface LogReport {
  readonly log: string;
  readonly tenant: string | null;
  /** Sequence of the first entry: 0 unless a part of the log was checked. */
  readonly first: number;
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
  /** Those of them whose encrypted sections are not stored any more, as a prune entry says. */
  readonly pruned: number;
  /** Entries, from the first on, that a checkpoint covers. */
  readonly covered: number;
  /** Entries, from the first on, under a checkpoint that somebody the reader believes has seen. */
  readonly anchored: number;
  readonly problem: Problem | null;
}

/** Entries of a log, both ends included. */
export interface EntryRange {
  readonly log: string;
  readonly tenant: string | null;
  readonly from: number;
  readonly to: number;
}

/** The answer of a verification. */
export interface VerifyReport {
  readonly verdict: Verdict;
  /** Everything that was read fits together, whoever made it. */
  readonly consistent: boolean;
  /** True when an outside anchor covers every entry of the tenants' logs: no owner of database and keys can have rewritten them. */
  readonly anchored: boolean;
  /** The newest checkpoint that somebody the reader believes has seen; null without trust, or without an anchor. */
  readonly anchor: AnchorEvidence | null;
  readonly logs: readonly LogReport[];
  readonly firstBad: Problem | null;
  /** For UNVERIFIABLE; else null. */
  readonly reason: UnreadableReason | null;
  readonly entries: number;
  readonly openCalls: number;
  /** Entries erased by order, and those of them that were pruned; see LogReport. */
  readonly erased: number;
  readonly pruned: number;
  /** Sequence of the last entry of the state that was asked for; null for all there is. */
  readonly at: number | null;
  /** What lies in the folder; null for a database, and when a state of the past was asked for. */
  readonly folder: FolderReport | null;
  /** What whoever owns the database and the keys could have rewritten since the last outside anchor, without it showing here. */
  readonly rewritable: readonly EntryRange[];
  /** What this result does not show, one sentence each. */
  readonly notProven: readonly string[];
}

const UNANCHORED =
  'No outside anchor covers these logs: whoever owns the database and the keys could have rewritten all of it.';
const STAMPED_ONLY =
  'Timestamps show that entries existed by then, not that nobody was shown another history: that takes witnesses.';
const KEPT_ONLY =
  'A checkpoint that you kept shows that nothing before it was rewritten since, not that others were shown the same history.';
const LIMITS = [
  'The end of a log can be cut without a trace unless a receipt, an open call or a later entry of the same writer refers to it.',
  'That the recorded content is true, and that no call went around the gateway, cannot be seen from a ledger.',
];

/**
 * Puts the results of all logs together. `general` are problems that are not about one log, `limits` further sentences about
 * what was not shown.
 */
export function buildReport(
  logs: readonly LogReport[],
  general: readonly Problem[],
  anchor: AnchorEvidence | null = null,
  limits: readonly string[] = [],
): VerifyReport {
  const firstBad = worst([...logs.flatMap(({ problem }) => problem ?? []), ...general]);
  const sum = (count: (log: LogReport) => number): number => logs.reduce((total, log) => total + count(log), 0);
  const consistent = firstBad === null;
  const anchored = consistent && isAnchored(logs);
  const erased = sum((log) => log.erased);
  return {
    verdict: verdictOf(firstBad, anchored, erased),
    consistent,
    anchored,
    anchor,
    logs,
    firstBad,
    reason: null,
    entries: sum(({ entries }) => entries),
    openCalls: sum(({ openCalls }) => openCalls),
    erased,
    pruned: sum((log) => log.pruned),
    at: null,
    folder: null,
    rewritable: logs
      .filter((log) => log.entries > log.anchored)
      .map(({ log, tenant, first, entries, anchored: count }) => ({
        log,
        tenant,
        from: first + count,
        to: first + entries - 1,
      })),
    notProven: [...limits, ...limitsOf(sum, anchor)],
  };
}

/** What was changed before what is missing: an entry that was moved is missing where it was. Among equals the first. */
const GRAVITY: readonly Problem['shows'][] = ['UNVERIFIABLE', 'TAMPERED', 'FORKED', 'INCOMPLETE'];

function worst(problems: readonly Problem[]): Problem | null {
  for (const verdict of GRAVITY) {
    const found = problems.find(({ shows }) => shows === verdict);
    if (found !== undefined) return found;
  }
  return null;
}

function verdictOf(firstBad: Problem | null, anchored: boolean, erased: number): Verdict {
  if (firstBad !== null) return firstBad.shows;
  if (!anchored) return 'UNANCHORED';
  return erased > 0 ? 'VALID_WITH_ERASURES' : 'VALID';
}

function isAnchored(logs: readonly LogReport[]): boolean {
  const own = logs.filter(({ tenant, entries }) => tenant !== DEPLOYMENT && entries > 0);
  return own.length > 0 && own.every(({ anchored, entries }) => anchored === entries);
}

type Sum = (count: (log: LogReport) => number) => number;

function limitsOf(sum: Sum, anchor: AnchorEvidence | null): string[] {
  const limits = [...anchorLimit(sum), ...LIMITS];
  if (anchor !== null && anchor.witnesses.length === 0) limits.push(anchor.timestamps > 0 ? STAMPED_ONLY : KEPT_ONLY);
  const add = (count: number, says: string): void => {
    if (count > 0) limits.push(`${String(count)} ${says}`);
  };
  add(
    sum(({ entries, covered }) => entries - covered),
    'entries are covered by no checkpoint yet.',
  );
  add(
    sum(({ erased }) => erased),
    'entries were erased as erasure entries say: of them only facts, hashes and order are left.',
  );
  add(
    sum(({ pruned }) => pruned),
    'of the erased entries were pruned as prune entries say: what was encrypted with the destroyed keys is not stored any more.',
  );
  add(
    sum(({ unread }) => unread),
    'sections were not read (withheld, erased or no key): only their hashes are linked.',
  );
  add(
    sum(({ entries, receipts }) => entries - receipts),
    "entries carry no writer's signature: which process wrote them rests on the log alone.",
  );
  return limits;
}

function anchorLimit(sum: Sum): string[] {
  const anchored = sum((log) => log.anchored);
  const younger = sum(({ entries }) => entries) - anchored;
  if (anchored === 0) return [UNANCHORED];
  if (younger === 0) return [];
  return [
    `${String(younger)} entries are younger than the last outside anchor: whoever owns the database and the keys could have rewritten them.`,
  ];
}

/** The evidence could not be read. */
export function unverifiable(reason: UnreadableReason, problem: string): VerifyReport {
  const nowhere = { log: null, tenant: null, seq: null, section: null, writer: null, file: null };
  return {
    ...buildReport([], [{ ...nowhere, problem, shows: 'UNVERIFIABLE' }]),
    reason,
  };
}
