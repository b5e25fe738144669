/** What Anthropic counts and why it stopped, in OpenAI's words. */
import { isObject } from '../json.ts';
import type { JsonObject } from '../json.ts';

const FINISH_REASONS = new Map([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['pause_turn', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['refusal', 'content_filter'],
]);

/** OpenAI's finish_reason for a stop_reason; null while there is none, `stop` for one not known. */
export function finishReason(stopReason: unknown): string | null {
  return typeof stopReason === 'string' ? (FINISH_REASONS.get(stopReason) ?? 'stop') : null;
}

/** Counts of one message. In a stream they come in parts: input with message_start, the final output with message_delta. */
export class UsageCount {
  #counts = new Map<string, number>();
  #creation: JsonObject | null = null;

  add(usage: unknown): void {
    if (!isObject(usage)) return;
    for (const [name, value] of Object.entries(usage)) {
      if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) this.#counts.set(name, value);
    }
    if (isObject(usage['cache_creation'])) this.#creation = usage['cache_creation'];
  }

  /**
   * Anthropic's input_tokens leave out what was read from or written to the cache; OpenAI's prompt_tokens contain it.
   * The details name the parts, so that each can be charged at its own rate.
   */
  toOpenAi(): JsonObject {
    const count = (name: string): number => this.#counts.get(name) ?? 0;
    const read = count('cache_read_input_tokens');
    const written = count('cache_creation_input_tokens');
    const prompt = count('input_tokens') + read + written;
    const output = count('output_tokens');
    return {
      prompt_tokens: prompt,
      completion_tokens: output,
      total_tokens: prompt + output,
      prompt_tokens_details: { cached_tokens: read, cache_write_tokens: written },
      ...(this.#creation === null ? {} : { cache_creation: this.#creation }),
    };
  }
}
