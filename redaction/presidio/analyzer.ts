/** Presidio's analyzer engine: which recognizers run, and what is done with their results. */
import { RedactionError } from '../errors.ts';
import { readAdHocRecognizers } from './ad-hoc.ts';
import { isAllowed } from './allow-list.ts';
import { raiseByContext } from './context.ts';
import { explain } from './explain.ts';
import { codePointOffsets } from './offsets.ts';
import { judgeAll, recognize, removeDuplicates } from './recognize.ts';
import type { Candidate } from './recognize.ts';
import type { PresidioRecognizer } from './recognizer.ts';
import { recognizersOf } from './registry.ts';
import type { PresidioRequest, PresidioResult } from './request.ts';
import { createScanner } from './scanner.ts';
import type { Scanner } from './scanner.ts';

/** Finds personal data exactly as Presidio's pattern recognizers do. */
export interface PresidioAnalyzer {
  /**
   * Results in Presidio's order: score descending, then start, then the longer first; offsets in code points.
   * Throws RedactionError with Presidio's message: `invalid_request`, `malformed_request` (a member that does not exist or
   * is missing), `recognizer_failed`; and `limit_exceeded` when the caller's own expressions take too much.
   */
  analyze(request: PresidioRequest): PresidioResult[];
  /** Entity types some recognizer of the language finds; `invalid_request` for a language without any. */
  supportedEntities(language: string): string[];
  /** Names of the recognizers of the language; `invalid_request` for a language without any. */
  recognizers(language: string): string[];
}

/** An analyzer with the recognizers Presidio has switched on (`default`) or with every one (`all`). */
export function createPresidioAnalyzer(options: { recognizers: 'default' | 'all' }): PresidioAnalyzer {
  const registry = recognizersOf(options.recognizers);
  const ofLanguage = (language: string): readonly PresidioRecognizer[] =>
    orNone(registry.filter(({ languages }) => languages.includes(language)));
  const scanners = new Map<string, Scanner>();
  const scannerFor = (language: string): Scanner => {
    const scanner = scanners.get(language) ?? createScanner(ofLanguage(language));
    scanners.set(language, scanner);
    return scanner;
  };
  return {
    analyze(request) {
      const adHoc = readAdHocRecognizers(request.adHocRecognizers ?? []);
      if (request.text === '') throw new RedactionError('invalid_request', 'No text provided');
      if (request.language === '') throw new RedactionError('invalid_request', 'No language provided');
      const find = (chosen: readonly PresidioRecognizer[]): Candidate[] => findTogether(chosen, request, scannerFor);
      return analyzeText(registry, adHoc, request, find);
    },
    supportedEntities: (language) => [...new Set(ofLanguage(language).map(({ entity }) => entity))],
    recognizers: (language) => ofLanguage(language).map(({ name }) => name),
  };
}

/** Finds with one pass over the text for all recognizers of the registry; ad-hoc ones run by themselves. */
function findTogether(
  chosen: readonly PresidioRecognizer[],
  { text, language }: PresidioRequest,
  scannerFor: (language: string) => Scanner,
): Candidate[] {
  const isOwn = new Set(chosen.filter(({ standing }) => standing !== 'caller'));
  const matches = isOwn.size === 0 ? [] : [...scannerFor(language).scan(text, (one) => isOwn.has(one))];
  return [
    ...matches.flatMap(([recognizer, found]) => judgeAll(recognizer, text, found)),
    ...chosen.filter((one) => !isOwn.has(one)).flatMap((one) => recognize(one, text)),
  ];
}

/** The engine itself: as `analyze`, but an empty text has no results. */
export function analyzeText(
  registry: readonly PresidioRecognizer[],
  adHoc: readonly PresidioRecognizer[],
  request: PresidioRequest,
  find?: (chosen: readonly PresidioRecognizer[]) => Candidate[],
): PresidioResult[] {
  const { text, allowList = [] } = request;
  const chosen = select(registry, adHoc, request);
  const candidates = find?.(chosen) ?? chosen.flatMap((recognizer) => recognize(recognizer, text));
  raiseByContext(text, candidates, request.context ?? []);
  const threshold = request.scoreThreshold ?? 0;
  const kept = removeDuplicates(candidates).filter(({ score }) => score >= threshold);
  const reported = allowList.length === 0 ? kept : kept.filter(not(isAllowed(text, request)));
  return reported.map(toResult(text, request.returnDecisionProcess === true));
}

/** Recognizers of the language that find one of the entities, or all of the language. */
function select(
  registry: readonly PresidioRecognizer[],
  adHoc: readonly PresidioRecognizer[],
  { language, entities = [] }: PresidioRequest,
): readonly PresidioRecognizer[] {
  const wanted = new Set(entities);
  return orNone(
    [...registry, ...adHoc].filter(
      ({ languages, entity }) => languages.includes(language) && (wanted.size === 0 || wanted.has(entity)),
    ),
  );
}

function orNone(recognizers: readonly PresidioRecognizer[]): readonly PresidioRecognizer[] {
  if (recognizers.length > 0) return recognizers;
  throw new RedactionError('invalid_request', 'No matching recognizers were found to serve the request.');
}

function not(test: (candidate: Candidate) => boolean): (candidate: Candidate) => boolean {
  return (candidate) => !test(candidate);
}

function toResult(text: string, isExplained: boolean): (candidate: Candidate) => PresidioResult {
  const offset = codePointOffsets(text);
  return (candidate) => ({
    entity_type: candidate.entity,
    start: offset(candidate.start),
    end: offset(candidate.end),
    score: candidate.score,
    analysis_explanation: isExplained ? explain(candidate) : null,
    recognition_metadata: {
      recognizer_name: candidate.recognizer.name,
      recognizer_identifier: `${candidate.recognizer.name}_${candidate.entity}`,
    },
  });
}
