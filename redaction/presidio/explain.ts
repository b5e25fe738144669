import type { Candidate } from './recognize.ts';
import type { JsonObject } from './request.ts';

const IGNORE_CASE = 2;
const MULTILINE_DOTALL = 24;

/** How a result came about, with the members and words of Presidio's decision process. */
export function explain({ recognizer, pattern, isValid, score, supportiveWord }: Candidate): JsonObject {
  const flags = recognizer.flags ?? MULTILINE_DOTALL + (recognizer.isCaseSensitive === true ? 0 : IGNORE_CASE);
  const beforeContext = isValid === true ? 1 : pattern.score;
  return {
    original_score: pattern.score,
    pattern: pattern.published ?? pattern.expression,
    pattern_name: pattern.name,
    recognizer: recognizer.name,
    regex_flags: flags,
    score: supportiveWord === '' ? beforeContext : score,
    score_context_improvement: supportiveWord === '' ? 0 : score - pattern.score,
    supportive_context_word: supportiveWord,
    textual_explanation: `Detected by \`${recognizer.name}\` using pattern \`${pattern.name}\``,
    validation_result: isValid,
  };
}
