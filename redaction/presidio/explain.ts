import type { Candidate } from './recognize.ts';
import type { JsonObject } from './request.ts';

const IGNORE_CASE = 2;
const MULTILINE_DOTALL = 24;

/** How a result came about, with the members and words of Presidio's decision process. */
export function explain(candidate: Candidate): JsonObject {
  const { recognizer, pattern, isValid, remark, score, supportiveWord } = candidate;
  const flags = recognizer.flags ?? MULTILINE_DOTALL + (recognizer.isCaseSensitive === true ? 0 : IGNORE_CASE);
  const beforeContext = isValid === true ? 1 : pattern.score;
  return {
    original_score: pattern.score,
    pattern: remark === null ? (pattern.published ?? pattern.expression) : null,
    pattern_name: remark === null ? pattern.name : null,
    recognizer: recognizer.name,
    regex_flags: remark === null ? flags : null,
    score: supportiveWord === '' ? beforeContext : score,
    score_context_improvement: supportiveWord === '' ? 0 : score - pattern.score,
    supportive_context_word: supportiveWord,
    textual_explanation: remark ?? `Detected by \`${recognizer.name}\` using pattern \`${pattern.name}\``,
    validation_result: isValid,
  };
}
