import { detectAll } from './detect.ts';
import { dropExplained } from './finding.ts';
import type { Finding } from './finding.ts';
import { compileProfile } from './profile.ts';
import type { Profile } from './profile.ts';
import { STRICT } from './recognizers/catalogue.ts';
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
  /** Findings in report order, at most `maxFindings` + 1: one more than the limit says that there are more. */
  analyze(text: string): Finding[];
}

let strict: Profile | null = null;

/**
 * The strict profile: threshold 350 of 1000, whole-word context, ASCII boundaries. Linear in the length of the text.
 */
export function createAnalyzer(options: { maxFindings?: number } = {}): Analyzer {
  const maxFindings = options.maxFindings ?? DEFAULT_MAX_FINDINGS;
  strict ??= compileProfile(STRICT);
  const profile = strict;
  return {
    detectors: profile.detectors,
    maxFindings,
    profile,
    analyze(text) {
      if (text.length < MIN_LENGTH) return [];
      const plain = isPlain(text);
      // Most texts of a request are names and short words: they go without any preparation.
      if (plain && text.length <= WINDOW && !profile.hasCue(text)) return [];
      const findings = plain
        ? scan(profile, text, START, true, maxFindings).findings
        : detectAll(profile, text, maxFindings);
      return dropExplained(findings).slice(0, maxFindings + 1);
    },
  };
}
