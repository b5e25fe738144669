/** The two profiles behind one question: what is in this text, and what does it look like without. */
import { randomBytes } from 'node:crypto';
import type { PresidioResult } from '../redaction/index.ts';
import {
  anonymizeText,
  createAnalyzer,
  createPresidioAnalyzer,
  createTokenVault,
  readAnalyzerResults,
  readOperatorConfigs,
  redactText,
} from '../redaction/index.ts';
import type { Json } from './verb.ts';

export const PROFILES = ['strict', 'presidio'] as const;
export const OPERATORS = ['replace', 'redact', 'mask', 'hash'] as const;

export type ProfileName = (typeof PROFILES)[number];
export type OperatorName = (typeof OPERATORS)[number];

export interface RedactionOptions {
  readonly operator: OperatorName;
  readonly recognizers: 'default' | 'all';
  readonly language: string;
  readonly entities: readonly string[];
  /** 0 to 1; null: that of the profile. */
  readonly threshold: number | null;
  readonly explain: boolean;
}

/** Where something was found, why, and never what. */
export interface FindingLine {
  readonly entity_type: string;
  readonly start: number;
  readonly end: number;
  /** 0 to 1. */
  readonly score: number;
  readonly recognizer: string;
  readonly explanation: Json;
}

export interface Redacted {
  readonly text: string;
  readonly findings: readonly FindingLine[];
  /** What offsets count. */
  readonly offsets: 'code points' | 'UTF-16 code units';
  readonly detectors: readonly string[];
}

export function redactWith(profile: ProfileName, text: string, options: RedactionOptions): Redacted {
  return profile === 'presidio' ? redactAsPresidio(text, options) : redactStrictly(text, options);
}

function redactAsPresidio(text: string, options: RedactionOptions): Redacted {
  const { recognizers, language, entities, threshold, explain, operator } = options;
  const analyzer = createPresidioAnalyzer({ recognizers });
  const results =
    text === ''
      ? []
      : analyzer.analyze({
          text,
          language,
          entities,
          returnDecisionProcess: explain,
          ...(threshold === null ? {} : { scoreThreshold: threshold }),
        });
  const spans = readAnalyzerResults(
    results.map(({ entity_type, start, end, score }) => ({ entity_type, start, end, score })),
  );
  // The whole value, however long it is.
  const mask = { type: 'mask', masking_char: '*', chars_to_mask: text.length, from_end: false };
  const configs = readOperatorConfigs({ DEFAULT: operator === 'mask' ? mask : { type: operator } });
  return {
    text: anonymizeText(text, spans, configs, { random: randomBytes }).text,
    findings: results.map(presidioLine),
    offsets: 'code points',
    detectors: analyzer.recognizers(language),
  };
}

function presidioLine(result: PresidioResult): FindingLine {
  const { entity_type, start, end, score, analysis_explanation: explanation, recognition_metadata: by } = result;
  return { entity_type, start, end, score, recognizer: by.recognizer_name, explanation };
}

function redactStrictly(text: string, options: RedactionOptions): Redacted {
  // A text that was not read to its end must not be printed, so there is no limit to what may be found.
  const analyzer = createAnalyzer({ maxFindings: Number.MAX_SAFE_INTEGER });
  const { entities, threshold, operator } = options;
  const findings = analyzer
    .analyze(text)
    .filter(
      ({ type, score }) => (entities.length === 0 || entities.includes(type)) && score >= (threshold ?? 0) * 1000,
    );
  const context = { hashKey: randomBytes(32), vault: createTokenVault(randomBytes(32)) };
  return {
    text: redactText(text, findings, [{ types: ['*'], operator }], context).text,
    findings: findings.map(({ type, start, end, score, recognizer }) => ({
      entity_type: type,
      start,
      end,
      score: score / 1000,
      recognizer,
      explanation: null,
    })),
    offsets: 'UTF-16 code units',
    detectors: analyzer.detectors,
  };
}
