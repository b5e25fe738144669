/** A whole Anthropic answer, good or bad, in OpenAI's shape. */
import { finishReason, UsageCount } from './usage.ts';
import { UpstreamFailure } from '../failure.ts';
import { isObject, parseObject, sourceAt } from '../json.ts';
import type { JsonObject } from '../json.ts';

/**
 * @param createdS unix seconds
 * @throws UpstreamFailure bad_answer when it is no message
 */
export function translateResponse(bytes: Buffer, createdS: number): Buffer {
  const source = bytes.toString('utf8');
  const message = parseObject(source);
  const content = message?.['content'];
  if (message === null || message['type'] !== 'message' || !Array.isArray(content)) {
    throw new UpstreamFailure('bad_answer', true, 'not a message');
  }
  const usage = new UsageCount();
  usage.add(message['usage']);
  const completion = {
    id: message['id'],
    object: 'chat.completion',
    created: createdS,
    model: message['model'],
    choices: [
      {
        index: 0,
        message: assistantMessage(content, source),
        logprobs: null,
        finish_reason: finishReason(message['stop_reason']) ?? 'stop',
      },
    ],
    usage: usage.toOpenAi(),
  };
  return Buffer.from(JSON.stringify(completion));
}

function assistantMessage(content: readonly unknown[], source: string): JsonObject {
  const texts: string[] = [];
  const calls: JsonObject[] = [];
  const thinking: JsonObject[] = [];
  content.forEach((block, index) => {
    if (!isObject(block)) return;
    if (block['type'] === 'text' && typeof block['text'] === 'string') texts.push(block['text']);
    else if (block['type'] === 'tool_use') {
      const input = sourceAt(source, ['content', index, 'input']) ?? '{}';
      calls.push({ id: block['id'], type: 'function', function: { name: block['name'], arguments: input } });
    } else if (block['type'] === 'thinking' || block['type'] === 'redacted_thinking') thinking.push(block);
  });
  const reasoning = thinking.map((block) => (typeof block['thinking'] === 'string' ? block['thinking'] : '')).join('');
  return {
    role: 'assistant',
    content: texts.length === 0 ? null : texts.join(''),
    refusal: null,
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(thinking.length === 0 ? {} : { thinking_blocks: thinking }),
  };
}

/** An error body in OpenAI's shape, whatever the provider (or a proxy before it) sent. */
export function translateError(bytes: Buffer, status: number): Buffer {
  const error = parseObject(bytes.toString('utf8'))?.['error'];
  return Buffer.from(JSON.stringify(openAiError(error, status)));
}

/** @param status for the text when the provider gave none */
export function openAiError(error: unknown, status: number): JsonObject {
  const { message, type } = isObject(error) ? error : {};
  return {
    error: {
      message: typeof message === 'string' ? message : `The model provider answered with status ${status}.`,
      type: typeof type === 'string' ? type : 'upstream_error',
      param: null,
      code: null,
    },
  };
}
