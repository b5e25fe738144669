/**
 * An OpenAI chat request as an Anthropic Messages request (https://docs.claude.com/en/api/messages). What has an equal is
 * translated, hints without effect on the answer are left out, and everything else is refused by name: a request that
 * would silently mean something different is worse than one that fails.
 */
import { GatewayError } from '../../errors.ts';
import { translateMessages } from './messages.ts';
import { untranslatable } from './refusal.ts';
import { translateToolChoice, translateTools } from './tools.ts';
import { isObject, jsonArray, jsonObject, parseObject, toJson } from '../json.ts';
import type { JsonObject, JsonText } from '../json.ts';

/** Used when the caller gave no limit; Anthropic requires one, and every Claude model allows this one. */
const DEFAULT_MAX_TOKENS = 4096;

export interface AnthropicRequest {
  readonly body: string;
  /** Whether the caller wants the usage chunk at the end of a stream. */
  readonly includeUsage: boolean;
}

const TRANSLATED = new Set([
  'model',
  'messages',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'stop',
  'stream',
  'stream_options',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'user',
  'safety_identifier',
  'service_tier',
]);

/** Anthropic's own members, passed as they are when a caller uses them in an OpenAI request. */
const NATIVE = new Set(['thinking', 'top_k', 'output_config']);

/** Hints that do not change what the answer means: storage labels, cache routing, best-effort determinism, speed. */
const HINTS = new Set(['metadata', 'seed', 'prompt_cache_key', 'prompt_cache_retention', 'prediction']);

/** Members that are accepted only with the value that asks for nothing. */
const NEUTRAL = new Map<string, (value: unknown) => boolean>([
  ['n', (value) => value === 1],
  ['frequency_penalty', (value) => value === 0],
  ['presence_penalty', (value) => value === 0],
  ['logit_bias', (value) => isObject(value) && Object.keys(value).length === 0],
  ['logprobs', (value) => value === false],
  ['top_logprobs', (value) => value === 0],
  ['store', (value) => value === false],
  ['verbosity', (value) => value === 'medium'],
  ['reasoning_effort', (value) => value === 'none'],
  ['modalities', (value) => Array.isArray(value) && value.every((item) => item === 'text')],
]);

/**
 * @param source the enforced OpenAI chat body
 * @throws GatewayError invalid_request naming the field that has no equal
 */
export function translateRequest(source: string, defaultMaxTokens: number = DEFAULT_MAX_TOKENS): AnthropicRequest {
  const request = parseObject(source);
  if (request === null) throw new GatewayError('invalid_request', 'Expected a JSON object as the request body.');
  refuseWithoutEqual(request);
  const { system, messages } = translateMessages(request['messages']);
  const streamOptions = request['stream_options'];
  const body = jsonObject({
    model: toJson(request['model']),
    max_tokens: toJson(maxTokens(request, defaultMaxTokens)),
    system: system.length === 0 ? undefined : jsonArray(system),
    messages: jsonArray(messages),
    tools: translateTools(request['tools']),
    tool_choice: translateToolChoice(request),
    temperature: temperature(request['temperature']),
    top_p: given(request['top_p']),
    stop_sequences: stopSequences(request['stop']),
    stream: request['stream'] === true ? toJson(true) : undefined,
    metadata: metadata(request),
    service_tier: serviceTier(request['service_tier']),
    output_config: outputConfig(request),
    thinking: given(request['thinking']),
    top_k: given(request['top_k']),
  });
  return { body, includeUsage: isObject(streamOptions) && streamOptions['include_usage'] === true };
}

function refuseWithoutEqual(request: JsonObject): void {
  for (const [name, value] of Object.entries(request)) {
    if (value === null || TRANSLATED.has(name) || NATIVE.has(name) || HINTS.has(name)) continue;
    const neutral = NEUTRAL.get(name);
    if (neutral?.(value) === true) continue;
    const param = /^[a-z][a-z0-9_]{0,63}$/i.test(name) ? name : 'an unknown field';
    throw untranslatable(param, neutral === undefined ? 'no such field' : 'it left out or without effect');
  }
}

function given(value: unknown): JsonText | undefined {
  return value === undefined || value === null ? undefined : toJson(value);
}

function maxTokens(request: JsonObject, defaultMaxTokens: number): number {
  const name = (request['max_completion_tokens'] ?? null) === null ? 'max_tokens' : 'max_completion_tokens';
  const value = request[name] ?? defaultMaxTokens;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
  throw untranslatable(name, 'a positive integer');
}

function temperature(value: unknown): JsonText | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && value >= 0 && value <= 1) return toJson(value);
  throw untranslatable('temperature', 'a number from 0 to 1');
}

function stopSequences(stop: unknown): JsonText | undefined {
  if (stop === undefined || stop === null) return undefined;
  const list: unknown[] = Array.isArray(stop) ? stop : [stop];
  if (!list.every((item) => typeof item === 'string')) throw untranslatable('stop', 'a string or a list of strings');
  return list.length === 0 ? undefined : toJson(list);
}

function metadata(request: JsonObject): JsonText | undefined {
  const user = request['safety_identifier'] ?? request['user'];
  return typeof user === 'string' ? toJson({ user_id: user }) : undefined;
}

function serviceTier(tier: unknown): JsonText | undefined {
  if (tier === undefined || tier === null || tier === 'auto') return undefined;
  if (tier === 'default') return toJson('standard_only');
  throw untranslatable('service_tier', '"auto" or "default"');
}

/** `response_format` of type json_schema is Anthropic's `output_config.format`; json_object has no equal. */
function outputConfig(request: JsonObject): JsonText | undefined {
  const native = request['output_config'];
  const config: JsonObject = isObject(native) ? { ...native } : {};
  const format = request['response_format'] ?? null;
  if (isObject(format) && format['type'] === 'json_schema') {
    const described = format['json_schema'];
    const schema = isObject(described) ? described['schema'] : undefined;
    if (!isObject(schema)) throw untranslatable('response_format.json_schema.schema', 'a JSON Schema object');
    config['format'] = { type: 'json_schema', schema };
  } else if (format !== null && !(isObject(format) && format['type'] === 'text')) {
    throw untranslatable('response_format', 'type "text" or "json_schema"');
  }
  return Object.keys(config).length === 0 ? undefined : toJson(config);
}
