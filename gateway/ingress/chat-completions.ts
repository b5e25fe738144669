/**
 * The OpenAI chat-completions protocol: request text in, a typed view out. It reads what the gateway decides on and
 * nothing else; unknown fields are never judged here, they stay in the text that is forwarded.
 * Source: OpenAI API reference, "Create chat completion".
 */
import { hash } from 'node:crypto';
import type { JsonDocument, JsonValue } from '../../redaction/index.ts';
import { readDocument, RedactionError } from '../../redaction/index.ts';
import { GatewayError } from '../errors.ts';
import type { ChatView, OfferedTool } from '../exchange.ts';

type JsonObject = { [key: string]: JsonValue };

export function parseDocument(source: string): JsonDocument {
  try {
    return readDocument(source);
  } catch (cause) {
    if (!(cause instanceof RedactionError)) throw cause;
    throw new GatewayError('invalid_request', `The body is not a usable JSON document: ${cause.message}`, { cause });
  }
}

/**
 * The view of a parsed request. Throws `invalid_request` with the offending field as `param`.
 *
 * @param pathModel the model where the path names it; then the body need not
 */
export function chatView(value: JsonValue, pathModel: string | null = null): ChatView {
  const body = object(value, '');
  const { maxTokens, maxTokensField } = outputLimit(body);
  const streamOptions = body['stream_options'] ?? null;
  return {
    model: pathModel ?? requiredString(body, 'model'),
    stream: optional(body, 'stream', 'a boolean', isBoolean) ?? false,
    includeUsage: streamOptions !== null && object(streamOptions, 'stream_options')['include_usage'] === true,
    maxTokens,
    maxTokensField,
    choices: optional(body, 'n', 'an integer from 1 to 128', isChoiceCount) ?? 1,
    messages: messageCount(body),
    tools: offeredTools(body),
    outputModalities: (Array.isArray(body['modalities']) ? body['modalities'] : [])
      .filter((m) => typeof m === 'string')
      .filter((m) => m !== 'text'),
  };
}

function messageCount(body: JsonObject): number {
  const messages = body['messages'];
  if (!Array.isArray(messages) || messages.length === 0) {
    throw invalid('messages', 'a non-empty array of messages', messages);
  }
  messages.forEach((message, i) => requiredString(object(message, `messages[${i}]`), 'role', `messages[${i}].role`));
  return messages.length;
}

function outputLimit(body: JsonObject): Pick<ChatView, 'maxTokens' | 'maxTokensField'> {
  const isLimit = (v: JsonValue): v is number => isCount(v) && v >= 1;
  const modern = optional(body, 'max_completion_tokens', 'a positive integer', isLimit);
  const legacy = optional(body, 'max_tokens', 'a positive integer', isLimit);
  if (modern !== null && legacy !== null) {
    throw new GatewayError('invalid_request', 'Send max_completion_tokens or max_tokens, not both.', {
      param: 'max_tokens',
    });
  }
  if (modern !== null) return { maxTokens: modern, maxTokensField: 'max_completion_tokens' };
  return { maxTokens: legacy, maxTokensField: legacy === null ? null : 'max_tokens' };
}

function offeredTools(body: JsonObject): OfferedTool[] {
  return (['tools', 'functions'] as const).flatMap((list) => {
    const entries = body[list] ?? [];
    if (!Array.isArray(entries)) throw invalid(list, 'an array', entries);
    return entries.flatMap((value, index) => {
      const param = `${list}[${index}]`;
      const entry = object(value, param);
      const digest = hash('sha256', JSON.stringify(entry), 'hex');
      return toolNames(entry, param).map((name) => ({ list, index, name: name.slice(0, 128), digest }));
    });
  });
}

/** All the names a definition carries; a tool of the provider's own (`web_search`) is named by its type. */
function toolNames(entry: JsonObject, param: string): string[] {
  const definitions = ['function', 'custom']
    .filter((holder) => (entry[holder] ?? null) !== null)
    .map((holder) => object(entry[holder], `${param}.${holder}`));
  const names = [...definitions, entry]
    .map((definition) => definition['name'])
    .filter((name) => typeof name === 'string');
  const { type } = entry;
  return names.length > 0 ? [...new Set(names)] : [typeof type === 'string' ? type : ''];
}

function object(value: JsonValue | undefined, param: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw invalid(param, 'an object', value);
}

function requiredString(body: JsonObject, field: string, param = field): string {
  const value = body[field];
  if (typeof value === 'string' && value !== '' && value.length <= 256) return value;
  throw invalid(param, 'a string of 1 to 256 characters', value);
}

function optional<T extends JsonValue>(
  body: JsonObject,
  field: string,
  expected: string,
  accepts: (value: JsonValue) => value is T,
): T | null {
  const value = body[field] ?? null;
  if (value === null) return null;
  if (accepts(value)) return value;
  throw invalid(field, expected, value);
}

function isBoolean(value: JsonValue): value is boolean {
  return typeof value === 'boolean';
}

function isChoiceCount(value: JsonValue): value is number {
  return isCount(value) && value >= 1 && value <= 128;
}

function isCount(value: JsonValue): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}

/** Says what was expected and the kind of thing found, never the value. */
function invalid(param: string, expected: string, found: JsonValue | undefined): GatewayError {
  const kind =
    found === undefined ? 'nothing' : found === null ? 'null' : Array.isArray(found) ? 'an array' : typeof found;
  return new GatewayError(
    'invalid_request',
    `Expected ${param === '' ? 'the body' : param} to be ${expected}, found ${kind}.`,
    param === '' ? {} : { param },
  );
}
