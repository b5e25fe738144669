/**
 * What the recognizers report. Offsets count UTF-16 code units, as JavaScript strings do; Presidio counts code points
 * and the wire counts bytes, so the unit is part of the type.
 */
export type Utf16Offset = number & { readonly unit: 'utf16' };

/** Personal data or a credential: policies usually treat the two differently. */
export type FindingKind = 'pii' | 'secret';

/** One match of one recognizer: type, place and certainty, never the value. */
export interface Finding {
  /** Entity type; Presidio's names for personal data. */
  readonly type: string;
  readonly kind: FindingKind;
  readonly start: Utf16Offset;
  readonly end: Utf16Offset;
  /** Integer 0..1000. */
  readonly score: number;
  /** Id of the recognizer that reported it. */
  readonly recognizer: string;
}

/** Findings of one type, without positions or values: what policies and ledger entries may see. */
export interface FindingSummary {
  readonly type: string;
  readonly kind: FindingKind;
  readonly count: number;
  readonly max_score: number;
  /** Public pointers (see `publicPointer`), at most 16. */
  readonly paths: readonly string[];
}

/** Type of the rest of a text whose scan was given up at its limit. It is in no summary; every rule of redaction covers it. */
export const NOT_SCANNED = 'NOT_SCANNED';

/** Marks a plain number as an offset in UTF-16 code units. */
export function utf16(offset: number): Utf16Offset {
  return offset as Utf16Offset;
}

/** The same finding at another place. Spelled out: spreading an object costs microseconds, and findings are many. */
export function moveFinding(finding: Finding, start: number, end: number): Finding {
  const { type, kind, score, recognizer } = finding;
  return { type, kind, start: utf16(start), end: utf16(end), score, recognizer };
}

/** The same finding `by` code units further right. */
export function shiftFinding(finding: Finding, by: number): Finding {
  return by === 0 ? finding : moveFinding(finding, finding.start + by, finding.end + by);
}

/** Order of report: by start, the longer one first, then what says more, then by type: equal texts give equal lists. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    a.start - b.start ||
    b.end - a.end ||
    rankOf(a) - rankOf(b) ||
    (a.type < b.type ? -1 : a.type > b.type ? 1 : b.score - a.score)
  );
}

/** A check digit proves these, so a run of their digits that also looks like a telephone number is not one. */
const PROVEN: ReadonlySet<string> = new Set(['CREDIT_CARD', 'IBAN_CODE']);
const MERE_DIGITS: ReadonlySet<string> = new Set(['PHONE_NUMBER', 'US_SSN']);
/** Credentials known by their place only; one known by its own form explains them. */
const UNNAMED: ReadonlySet<string> = new Set(['GENERIC_SECRET', 'BEARER_TOKEN', 'BASIC_CREDENTIALS']);

function rankOf({ type }: Finding): number {
  return UNNAMED.has(type) || MERE_DIGITS.has(type) ? 1 : 0;
}

/** What a finding of this kind explains when it lies inside; null: only its own type. */
function explains({ type, kind }: Finding): 'digits' | 'credential' | null {
  if (PROVEN.has(type)) return 'digits';
  return kind === 'secret' && !UNNAMED.has(type) ? 'credential' : null;
}

function explainedBy({ type }: Finding): 'digits' | 'credential' | null {
  return MERE_DIGITS.has(type) ? 'digits' : UNNAMED.has(type) ? 'credential' : null;
}

/**
 * Drops what another finding explains: a finding inside another of the same type (Presidio's rule), mere digits inside a
 * proven number, a credential known by its place inside one known by its form, and the "address" that a password makes with the host behind it in `scheme://user:password@host`.
 * `earlier` are findings already reported whose end may reach into this list. Both in report order; linear.
 */
export function dropExplained(findings: readonly Finding[], earlier: readonly Finding[] = []): readonly Finding[] {
  if (findings.length + earlier.length < 2) return findings;
  // In report order every possible container comes first, so the furthest end seen decides.
  const reach = new Map<string, number>();
  const passwords = passwordsByEnd([...earlier, ...findings]);
  const raise = (key: string | null, end: number): void => {
    if (key !== null && end > (reach.get(key) ?? 0)) reach.set(key, end);
  };
  const extend = (finding: Finding): void => {
    raise(finding.type, finding.end);
    raise(explains(finding), finding.end);
  };
  const isInside = (finding: Finding): boolean =>
    finding.end <= (reach.get(finding.type) ?? 0) || finding.end <= (reach.get(explainedBy(finding) ?? '') ?? 0);

  earlier.forEach(extend);
  return findings.filter((finding) => {
    if (isInside(finding) || (passwords.size > 0 && startsInPassword(finding, passwords))) return false;
    extend(finding);
    return true;
  });
}

function passwordsByEnd(findings: readonly Finding[]): Map<number, number> {
  const passwords = new Map<number, number>();
  for (const { type, start, end } of findings) {
    if (type === 'URL_PASSWORD') passwords.set(end, Math.min(start, passwords.get(end) ?? start));
  }
  return passwords;
}

/** The password ends at the `@` inside the address. Addresses are short, so trying every offset is cheap. */
function startsInPassword({ type, start, end }: Finding, passwords: ReadonlyMap<number, number>): boolean {
  if (type !== 'EMAIL_ADDRESS') return false;
  for (let at = start + 1; at < end; at++) {
    const passwordStart = passwords.get(at);
    if (passwordStart !== undefined && passwordStart <= start) return true;
  }
  return false;
}

const MAX_PATHS = 16;

interface MutableSummary {
  type: string;
  kind: FindingKind;
  count: number;
  max_score: number;
  paths: string[];
}

export interface FindingTally {
  add(finding: Finding, path: string): void;
  summary(): FindingSummary[];
}

/** Counts findings by type; `summary()` is sorted by type. */
export function createTally(): FindingTally {
  const rows = new Map<string, MutableSummary>();
  return {
    add(finding, path) {
      if (finding.type === NOT_SCANNED) return;
      let row = rows.get(finding.type);
      if (row === undefined) {
        row = { type: finding.type, kind: finding.kind, count: 0, max_score: 0, paths: [] };
        rows.set(finding.type, row);
      }
      row.count += 1;
      row.max_score = Math.max(row.max_score, finding.score);
      if (row.paths.length < MAX_PATHS && !row.paths.includes(path)) row.paths.push(path);
    },
    summary() {
      return [...rows.values()]
        .sort((a, b) => (a.type < b.type ? -1 : 1))
        .map((row) => ({ ...row, paths: [...row.paths] }));
    },
  };
}
