/**
 * Messages from OpenAI's roles to Anthropic's. System and developer messages move to the front, as Anthropic's own
 * OpenAI-compatible endpoint does; tool messages become results inside a user turn; neighbours of one role are joined.
 */
import { untranslatable } from './refusal.ts';
import { isObject, jsonArray, jsonObject, parseObject, toJson, verbatim } from '../json.ts';
import type { JsonObject, JsonText } from '../json.ts';

export interface TranslatedMessages {
  /** Text blocks of the system prompt. */
  readonly system: JsonText[];
  readonly messages: JsonText[];
}

interface Turn {
  readonly role: 'user' | 'assistant';
  readonly blocks: JsonText[];
}

/** @throws GatewayError invalid_request naming the message part that has no equal */
export function translateMessages(messages: unknown): TranslatedMessages {
  if (!Array.isArray(messages) || messages.length === 0)
    throw untranslatable('messages', 'a list with at least one message');
  const system: JsonText[] = [];
  const turns: Turn[] = [];
  messages.forEach((message: unknown, index) => {
    const at = `messages[${index}]`;
    if (!isObject(message)) throw untranslatable(at, 'an object');
    const { role } = message;
    if (role === 'system' || role === 'developer') system.push(...textBlocks(message['content'], `${at}.content`));
    else if (role === 'user') addTurn(turns, 'user', contentBlocks(message['content'], `${at}.content`));
    else if (role === 'assistant') addTurn(turns, 'assistant', assistantBlocks(message, at));
    else if (role === 'tool') addTurn(turns, 'user', [toolResult(message, at)]);
    else throw untranslatable(`${at}.role`, 'system, developer, user, assistant or tool');
  });
  const translated = turns.map((turn) => jsonObject({ role: toJson(turn.role), content: jsonArray(turn.blocks) }));
  return { system, messages: translated };
}

function addTurn(turns: Turn[], role: Turn['role'], blocks: JsonText[]): void {
  const last = turns.at(-1);
  if (last?.role === role) last.blocks.push(...blocks);
  else if (blocks.length > 0) turns.push({ role, blocks });
}

/** Anthropic refuses empty text blocks, and an empty text says nothing: left out. */
function textBlock(text: string, cacheControl?: unknown): JsonText[] {
  if (text === '') return [];
  return [toJson({ type: 'text', text, ...(isObject(cacheControl) ? { cache_control: cacheControl } : {}) })];
}

function textBlocks(content: unknown, at: string): JsonText[] {
  if (content === undefined || content === null) return [];
  if (typeof content === 'string') return textBlock(content);
  if (!Array.isArray(content)) throw untranslatable(at, 'text or a list of parts');
  return content.flatMap((part: unknown, index) => {
    if (isObject(part) && typeof part['text'] === 'string' && part['type'] === 'text') {
      return textBlock(part['text'], part['cache_control']);
    }
    if (isObject(part) && typeof part['refusal'] === 'string' && part['type'] === 'refusal')
      return textBlock(part['refusal']);
    throw untranslatable(`${at}[${index}]`, 'a text part');
  });
}

function contentBlocks(content: unknown, at: string): JsonText[] {
  if (!Array.isArray(content)) return textBlocks(content, at);
  return content.flatMap((part: unknown, index) => {
    if (isObject(part)) {
      if (part['type'] === 'image_url') return [imageBlock(part, `${at}[${index}].image_url`)];
      if (part['type'] === 'file') return [fileBlock(part, `${at}[${index}].file`)];
      if (part['type'] === 'text') return textBlocks([part], at);
    }
    throw untranslatable(`${at}[${index}]`, 'a part of type text, image_url or file');
  });
}

interface DataUrl {
  readonly mediaType: string;
  readonly data: string;
}

/** A base64 data: URL (RFC 2397), or null. */
function dataUrl(url: string): DataUrl | null {
  if (!/^data:/i.test(url)) return null;
  const comma = url.indexOf(',');
  const head = /^data:([a-z0-9.+-]+\/[a-z0-9.+-]+)(?:;[^;,]*)*;base64$/i.exec(
    url.slice(0, Math.max(0, Math.min(comma, 256))),
  );
  const mediaType = head?.[1]?.toLowerCase();
  return mediaType === undefined ? null : { mediaType, data: url.slice(comma + 1) };
}

function withCacheControl(part: JsonObject): { cache_control?: JsonText } {
  return isObject(part['cache_control']) ? { cache_control: toJson(part['cache_control']) } : {};
}

function imageBlock(part: JsonObject, at: string): JsonText {
  const image = part['image_url'];
  const url = isObject(image) ? image['url'] : image;
  if (typeof url !== 'string') throw untranslatable(at, 'an object with a url');
  const inline = dataUrl(url);
  const mediaType = inline?.mediaType === 'image/jpg' ? 'image/jpeg' : inline?.mediaType;
  if (inline !== null && mediaType?.startsWith('image/') === true) {
    const source = toJson({ type: 'base64', media_type: mediaType, data: inline.data });
    return jsonObject({ type: toJson('image'), source, ...withCacheControl(part) });
  }
  if (!/^https?:\/\//i.test(url)) throw untranslatable(`${at}.url`, 'an https URL or a base64 data: URL of an image');
  return jsonObject({ type: toJson('image'), source: toJson({ type: 'url', url }), ...withCacheControl(part) });
}

function fileBlock(part: JsonObject, at: string): JsonText {
  const { file } = part;
  const inline = isObject(file) && typeof file['file_data'] === 'string' ? dataUrl(file['file_data']) : null;
  if (!isObject(file) || inline?.mediaType !== 'application/pdf') {
    throw untranslatable(`${at}.file_data`, 'a base64 data: URL of type application/pdf');
  }
  return jsonObject({
    type: toJson('document'),
    source: toJson({ type: 'base64', media_type: inline.mediaType, data: inline.data }),
    title: typeof file['filename'] === 'string' ? toJson(file['filename']) : undefined,
    ...withCacheControl(part),
  });
}

/** Thinking blocks come first: Anthropic checks their signatures when a turn continues after tool results. */
function assistantBlocks(message: JsonObject, at: string): JsonText[] {
  if ((message['function_call'] ?? null) !== null) throw untranslatable(`${at}.function_call`, 'tool_calls instead');
  if ((message['audio'] ?? null) !== null) throw untranslatable(`${at}.audio`, 'text');
  const refusal = typeof message['refusal'] === 'string' ? textBlock(message['refusal']) : [];
  const calls = message['tool_calls'] ?? [];
  if (!Array.isArray(calls)) throw untranslatable(`${at}.tool_calls`, 'a list');
  return [
    ...thinkingBlocks(message['thinking_blocks']),
    ...textBlocks(message['content'], `${at}.content`),
    ...refusal,
    ...calls.map((call, index) => toolUse(call, `${at}.tool_calls[${index}]`)),
  ];
}

function thinkingBlocks(blocks: unknown): JsonText[] {
  if (!Array.isArray(blocks)) return [];
  const known = (block: unknown): boolean =>
    isObject(block) && (block['type'] === 'thinking' || block['type'] === 'redacted_thinking');
  return blocks.filter(known).map((block) => toJson(block));
}

/** The arguments keep their exact text: a number with twenty digits stays one. */
function toolUse(call: unknown, at: string): JsonText {
  const definition = isObject(call) ? call['function'] : null;
  if (!isObject(call) || !isObject(definition)) throw untranslatable(at, 'a function call');
  const text = definition['arguments'];
  const empty = typeof text === 'string' && text.trim() === '';
  if (typeof text !== 'string' || (!empty && parseObject(text) === null)) {
    throw untranslatable(`${at}.function.arguments`, 'the text of a JSON object');
  }
  return jsonObject({
    type: toJson('tool_use'),
    id: toJson(requiredText(call['id'], `${at}.id`)),
    name: toJson(requiredText(definition['name'], `${at}.function.name`)),
    input: empty ? toJson({}) : verbatim(text),
  });
}

function toolResult(message: JsonObject, at: string): JsonText {
  const id = requiredText(message['tool_call_id'], `${at}.tool_call_id`);
  const { content } = message;
  const result = typeof content === 'string' ? toJson(content) : jsonArray(contentBlocks(content, `${at}.content`));
  return jsonObject({ type: toJson('tool_result'), tool_use_id: toJson(id), content: result });
}

function requiredText(value: unknown, at: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw untranslatable(at, 'a text');
}
