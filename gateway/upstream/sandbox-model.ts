/**
 * The sandbox model: a pure function from a chat request to an answer, for trying policies without a key or a network.
 * It shows what it received, so that a reader sees what a model would have seen.
 *
 *   "hello"                              → "You said: hello"
 *   a line "/received"                   → the answer ends with the whole request as it arrived
 *   lines "call <tool> with {json}"      → those tool calls, if the tools are offered
 *   after tool results                   → "The tool answered: …"
 *   response_format json_*               → {"echo":"…"}
 */
import { hash } from 'node:crypto';
import { isObject, parseObject } from './json.ts';
import type { JsonObject } from './json.ts';

interface SandboxToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

export interface SandboxAnswer {
  readonly id: string;
  readonly model: string;
  readonly choices: number;
  readonly content: string | null;
  readonly toolCalls: readonly SandboxToolCall[];
  readonly finishReason: 'stop' | 'length' | 'tool_calls';
  readonly usage: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly total_tokens: number;
  };
  readonly includeUsage: boolean;
}

interface SandboxRefusal {
  readonly refused: string;
  readonly param: string;
}

const CHARS_PER_TOKEN = 4;
const MAX_CHOICES = 128;

/** @param body the request as it arrived */
export function answerSandbox(body: string): SandboxAnswer | SandboxRefusal {
  const request = parseObject(body);
  const messages = request?.['messages'];
  if (request === null || !Array.isArray(messages) || messages.length === 0) {
    return { refused: 'Expected a list with at least one message.', param: 'messages' };
  }
  const choices = request['n'] ?? 1;
  if (typeof choices !== 'number' || !Number.isInteger(choices) || choices < 1 || choices > MAX_CHOICES) {
    return { refused: `Expected a whole number from 1 to ${MAX_CHOICES}.`, param: 'n' };
  }
  const id = hash('sha256', body, 'hex').slice(0, 24);
  const texts = messages.map((message) => (isObject(message) ? textOf(message['content']) : ''));
  const last = messages.at(-1);
  const role = isObject(last) ? last['role'] : null;
  const toolCalls = role === 'user' ? chosenCalls(request, texts.at(-1) ?? '', id) : [];
  const whole = toolCalls.length > 0 ? null : contentOf(request, messages, texts, body);
  const content = whole === null ? null : cut(whole, limitOf(request));
  const answered = content ?? toolCalls.map((call) => call.name + call.arguments).join('');
  const promptTokens = tokens(texts.join(''));
  const completionTokens = tokens(answered) * choices;
  const streamOptions = request['stream_options'];
  return {
    id,
    model: typeof request['model'] === 'string' ? request['model'] : 'sandbox',
    choices,
    content,
    toolCalls,
    finishReason: toolCalls.length > 0 ? 'tool_calls' : content === whole ? 'stop' : 'length',
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
    },
    includeUsage: isObject(streamOptions) && streamOptions['include_usage'] === true,
  };
}

function tokens(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN);
}

/** The text of a message; parts that are not text appear by their type. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => {
      if (!isObject(part)) return '';
      return typeof part['text'] === 'string' ? part['text'] : `[${String(part['type'])}]`;
    })
    .join('\n');
}

function contentOf(request: JsonObject, messages: readonly unknown[], texts: readonly string[], body: string): string {
  const roles = messages.map((message) => (isObject(message) ? message['role'] : null));
  const lastUser = texts[roles.lastIndexOf('user')] ?? '';
  const format = request['response_format'];
  if (isObject(format) && (format['type'] === 'json_object' || format['type'] === 'json_schema')) {
    return JSON.stringify({ echo: lastUser });
  }
  const firstResult = roles.findLastIndex((role) => role !== 'tool') + 1;
  const said =
    firstResult < texts.length
      ? texts
          .slice(firstResult)
          .map((text) => `The tool answered: ${text}`)
          .join('\n')
      : `You said: ${lastUser}`;
  return /^\/received$/m.test(lastUser) ? `${said}\nReceived: ${body}` : said;
}

function limitOf(request: JsonObject): number | null {
  const limit = request['max_completion_tokens'] ?? request['max_tokens'];
  return typeof limit === 'number' && Number.isFinite(limit) ? Math.max(0, Math.floor(limit)) : null;
}

/** At most so many tokens of text, never half of a surrogate pair. */
function cut(text: string, limitTokens: number | null): string {
  if (limitTokens === null || tokens(text) <= limitTokens) return text;
  const end = limitTokens * CHARS_PER_TOKEN;
  const code = text.charCodeAt(end - 1);
  return text.slice(0, code >= 0xd800 && code <= 0xdbff ? end - 1 : end);
}

/** The calls the user's lines ask for, or the one that `tool_choice` forces. */
function chosenCalls(request: JsonObject, text: string, id: string): SandboxToolCall[] {
  const choice = request['tool_choice'];
  const offered = offeredTools(request['tools']);
  if (offered.length === 0 || choice === 'none') return [];
  const wanted: { name: string; arguments: string }[] = [];
  for (const line of text.split('\n')) {
    const match = /^call ([A-Za-z0-9_.-]{1,64}) with (\{.*\})\s*$/.exec(line);
    const [, name, json] = match ?? [];
    if (name === undefined || json === undefined || !offered.includes(name) || parseObject(json) === null) continue;
    wanted.push({ name, arguments: json });
  }
  const forced = forcedTool(choice, offered);
  if (wanted.length === 0 && forced !== null) wanted.push({ name: forced, arguments: '{}' });
  const allowed = request['parallel_tool_calls'] === false ? wanted.slice(0, 1) : wanted;
  return allowed.map((call, index) => ({ id: `call_${id.slice(0, 16)}_${index}`, ...call }));
}

function offeredTools(tools: unknown): string[] {
  if (!Array.isArray(tools)) return [];
  return tools.flatMap((tool: unknown) => {
    const definition = isObject(tool) ? tool['function'] : null;
    return isObject(definition) && typeof definition['name'] === 'string' ? [definition['name']] : [];
  });
}

function forcedTool(choice: unknown, offered: readonly string[]): string | null {
  if (choice === 'required') return offered[0] ?? null;
  const definition = isObject(choice) ? choice['function'] : null;
  const name = isObject(definition) ? definition['name'] : null;
  return typeof name === 'string' && offered.includes(name) ? name : null;
}
