import { detectAll } from './detect.ts';
import { dropExplained, NOT_SCANNED, utf16 } from './finding.ts';
import type { Finding } from './finding.ts';
import { compileProfile } from './profile.ts';
import type { Profile } from './profile.ts';
import { STRICT } from './recognizers/catalogue.ts';
import { ODD } from './keywords.ts';
import { hasBase64Text } from './reading/base64.ts';
import { isPlain } from './reading/reading.ts';
import { MIN_LENGTH, scan, START, WINDOW } from './scan.ts';

const DEFAULT_MAX_FINDINGS = 10_000;

/** Finds personal data and secrets in a text. */
export interface Analyzer {
  /** Engine and recognizers with versions, for the ledger entry. */
  readonly detectors: readonly string[];
  /** A text with more findings than this was not analysed to its end. */
  readonly maxFindings: number;
  readonly profile: Profile;
  /** Findings in report order; past `maxFindings` the rest of the text is one finding of the type `NOT_SCANNED`. */
  analyze(text: string): Finding[];
}

/** Short texts without findings are remembered, so many at most. */
const CACHED_TEXTS = 2048;
const CACHED_LENGTH = 32;

let strict: Profile | null = null;

/**
 * The strict profile: threshold 350 of 1000, whole-word context, ASCII boundaries. Linear in the length of the text.
 */
export function createAnalyzer(options: { maxFindings?: number } = {}): Analyzer {
  const maxFindings = options.maxFindings ?? DEFAULT_MAX_FINDINGS;
  strict ??= compileProfile(STRICT);
  const profile = strict;
  const clean = new Set<string>();
  return {
    detectors: profile.detectors,
    maxFindings,
    profile,
    analyze(text) {
      if (text.length < MIN_LENGTH) return [];
      if (text.length > CACHED_LENGTH) return analyzeText(profile, text, maxFindings);
      // Names of members, models and roles come again with every request.
      if (clean.has(text)) return [];
      const findings = analyzeText(profile, text, maxFindings);
      if (findings.length > 0) return findings;
      if (clean.size >= CACHED_TEXTS) clean.clear();
      clean.add(text);
      return findings;
    },
  };
}

function analyzeText(profile: Profile, text: string, maxFindings: number): Finding[] {
  const isShort = text.length <= WINDOW;
  const seen = isShort ? profile.survey(text, 0, text.length) : ODD;
  const plain = isShort ? (seen & ODD) === 0 && !hasBase64Text(text) : isPlain(text);
  if (plain && seen === 0) return [];
  const { findings, reached } = plain
    ? scan(profile, text, START, true, maxFindings)
    : detectAll(profile, text, maxFindings);
  const known = dropExplained(findings);
  const end = Math.min(reached, known[maxFindings]?.start ?? text.length);
  return end < text.length ? givenUp(known, end, text.length) : [...known];
}

/** Findings may be missing this far before the end of what was looked at, or before the first one beyond the limit. */
const TAIL_MARGIN = 1024;

/** What is certain, and one finding for the rest: redacted content must not hold what nobody looked at. */
function givenUp(findings: readonly Finding[], end: number, length: number): Finding[] {
  const from = Math.max(0, end - TAIL_MARGIN);
  const known = findings.filter(({ start }) => start < from);
  const start = known.reduce((furthest, { end }) => Math.max(furthest, end), from);
  const rest = { type: NOT_SCANNED, kind: 'secret', score: 1000, recognizer: 'limit' } as const;
  return [...known, { ...rest, start: utf16(start), end: utf16(length) }];
}
