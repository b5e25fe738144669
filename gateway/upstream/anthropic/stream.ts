/**
 * Anthropic's stream events as OpenAI chat chunks (https://docs.claude.com/en/docs/build-with-claude/streaming).
 * message_start → role; text, thinking and tool input deltas → deltas with one stable index per tool call;
 * message_delta → finish_reason; message_stop → usage (when asked for) and [DONE]; error → an error event and no [DONE].
 */
import { openAiError } from './response.ts';
import { finishReason, UsageCount } from './usage.ts';
import { UpstreamFailure } from '../failure.ts';
import { isObject, parseObject } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { DONE, formatSse } from '../sse.ts';
import type { SseEvent } from '../upstream.ts';

export interface StreamTranslation {
  readonly includeUsage: boolean;
  /** Unix seconds. */
  readonly createdS: number;
}

/** Bounds on what has to be kept while a stream runs: its tool calls, and thoughts until their signature. */
const MAX_CALLS = 1024;
const MAX_THINKING_CHARS = 16 * 1024 * 1024;

/** A tool call in progress: its index among the calls, and the input given at its start, used if no delta follows. */
interface OpenCall {
  readonly index: number;
  readonly initial: string;
  begun: boolean;
}

class ChunkTranslator {
  #options: StreamTranslation;
  #id: unknown = null;
  #model: unknown = null;
  #usage = new UsageCount();
  #calls = new Map<unknown, OpenCall>();
  #thinking = new Map<unknown, string>();
  ended = false;

  constructor(options: StreamTranslation) {
    this.#options = options;
  }

  push(data: string): SseEvent[] {
    const event = parseObject(data);
    if (event === null) throw new UpstreamFailure('bad_answer', true, 'an event that is not JSON');
    switch (event['type']) {
      case 'message_start':
        return this.#start(event['message']);
      case 'content_block_start':
        return this.#blockStart(event['index'], event['content_block']);
      case 'content_block_delta':
        return this.#blockDelta(event['index'], event['delta']);
      case 'content_block_stop':
        return this.#blockStop(event['index']);
      case 'message_delta':
        return this.#messageDelta(event);
      case 'message_stop':
        this.ended = true;
        return [...(this.#options.includeUsage ? [this.#chunk([], this.#usage.toOpenAi())] : []), DONE];
      case 'error':
        this.ended = true;
        return [formatSse(JSON.stringify(openAiError(event['error'], 500)))];
      default:
        // ping, and kinds added later: by the protocol's own rule unknown events are skipped.
        return [];
    }
  }

  #start(message: unknown): SseEvent[] {
    if (!isObject(message)) throw new UpstreamFailure('bad_answer', true, 'a start without a message');
    this.#id = message['id'];
    this.#model = message['model'];
    this.#usage.add(message['usage']);
    return [this.#delta({ role: 'assistant', content: '', refusal: null })];
  }

  #blockStart(block: unknown, content: unknown): SseEvent[] {
    if (!isObject(content)) return [];
    if (content['type'] === 'text' && typeof content['text'] === 'string' && content['text'] !== '') {
      return [this.#delta({ content: content['text'] })];
    }
    if (content['type'] === 'redacted_thinking') return [this.#delta({ thinking_blocks: [content] })];
    if (content['type'] !== 'tool_use') return [];
    const initial = isObject(content['input']) ? JSON.stringify(content['input']) : '{}';
    const call = { index: this.#calls.size, initial, begun: false };
    if (call.index >= MAX_CALLS) throw new UpstreamFailure('too_large', true);
    this.#calls.set(block, call);
    const definition = { name: content['name'], arguments: '' };
    return [
      this.#delta({ tool_calls: [{ index: call.index, id: content['id'], type: 'function', function: definition }] }),
    ];
  }

  #blockDelta(block: unknown, delta: unknown): SseEvent[] {
    if (!isObject(delta)) return [];
    switch (delta['type']) {
      case 'text_delta':
        return [this.#delta({ content: delta['text'] })];
      case 'input_json_delta':
        return this.#argumentsDelta(block, delta['partial_json']);
      case 'thinking_delta':
        return this.#thinkingDelta(block, delta['thinking']);
      case 'signature_delta': {
        // The signature holds for the whole thought, so both go out together for the caller to send back.
        const thinking = this.#thinking.get(block) ?? '';
        this.#thinking.delete(block);
        return [this.#delta({ thinking_blocks: [{ type: 'thinking', thinking, signature: delta['signature'] }] })];
      }
      default:
        return [];
    }
  }

  #thinkingDelta(block: unknown, text: unknown): SseEvent[] {
    if (typeof text !== 'string') return [];
    const thinking = (this.#thinking.get(block) ?? '') + text;
    if (thinking.length > MAX_THINKING_CHARS) throw new UpstreamFailure('too_large', true);
    this.#thinking.set(block, thinking);
    return [this.#delta({ reasoning_content: text })];
  }

  #argumentsDelta(block: unknown, fragment: unknown): SseEvent[] {
    const call = this.#calls.get(block);
    if (call === undefined || typeof fragment !== 'string' || fragment === '') return [];
    call.begun = true;
    return [this.#delta({ tool_calls: [{ index: call.index, function: { arguments: fragment } }] })];
  }

  #blockStop(block: unknown): SseEvent[] {
    const call = this.#calls.get(block);
    // A tool without input sends no delta, and OpenAI clients parse the arguments: they must not stay empty.
    return call === undefined || call.begun ? [] : this.#argumentsDelta(block, call.initial);
  }

  #messageDelta(event: JsonObject): SseEvent[] {
    this.#usage.add(event['usage']);
    const delta = event['delta'];
    const reason = finishReason(isObject(delta) ? delta['stop_reason'] : null);
    return reason === null ? [] : [this.#chunk([{ index: 0, delta: {}, logprobs: null, finish_reason: reason }], null)];
  }

  #delta(delta: JsonObject): SseEvent {
    return this.#chunk([{ index: 0, delta, logprobs: null, finish_reason: null }], null);
  }

  #chunk(choices: JsonObject[], usage: JsonObject | null): SseEvent {
    const chunk = {
      id: this.#id,
      object: 'chat.completion.chunk',
      created: this.#options.createdS,
      model: this.#model,
      choices,
      ...(this.#options.includeUsage ? { usage } : {}),
    };
    return formatSse(JSON.stringify(chunk));
  }
}

/**
 * The chunks of a stream. Ends after [DONE], or after an error event without one.
 * @throws UpstreamFailure broken_answer when the stream ends before message_stop, bad_answer when it cannot be read
 */
export async function* translateStream(
  events: AsyncIterable<SseEvent>,
  options: StreamTranslation,
): AsyncGenerator<SseEvent> {
  const translator = new ChunkTranslator(options);
  for await (const event of events) {
    if (event.data === null) continue;
    yield* translator.push(event.data);
    if (translator.ended) return;
  }
  throw new UpstreamFailure('broken_answer', true, 'the stream ended before the message');
}
