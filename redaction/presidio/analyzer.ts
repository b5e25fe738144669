import type { PresidioRequest, PresidioResult } from './request.ts';

/** Finds personal data exactly as Presidio's pattern recognizers do. */
export interface PresidioAnalyzer {
  /** Results in Presidio's order: score descending, then start, then the longer first. */
  analyze(request: PresidioRequest): PresidioResult[];
  /** Entity types some recognizer of the language finds. */
  supportedEntities(language: string): string[];
  /** Names of the recognizers of the language. */
  recognizers(language: string): string[];
}

/** An analyzer with the recognizers Presidio has switched on (`default`) or with every one (`all`). */
export function createPresidioAnalyzer(_options: { recognizers: 'default' | 'all' }): PresidioAnalyzer {
  return { analyze: (_request: PresidioRequest) => [], supportedEntities: () => [], recognizers: () => [] };
}
