/** JSON pointers (RFC 6901) and what of them may be shown. */
import { createHmac } from 'node:crypto';

/** Appends one reference token. */
export function appendToken(pointer: string, key: string): string {
  // Nearly every key is plain; two replacements for each would double the cost of a walk.
  const token = key.includes('~') || key.includes('/') ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key;
  return `${pointer}/${token}`;
}

/** Reference tokens, unescaped; null when the text is not a pointer. */
export function parsePointer(pointer: string): string[] | null {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) return null;
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Member names of the chat protocols: written by the protocol, not chosen by the caller. */
const PROTOCOL_NAMES: ReadonlySet<string> = new Set(
  (
    'messages content role name text type model tools tool_calls tool_call_id tool_choice function function_call functions ' +
    'arguments parameters description image_url url detail input_audio audio data format file file_data file_id filename ' +
    'metadata user system instructions input output prompt suffix stop seed response_format json_schema schema properties ' +
    'items enum required default title examples anyOf oneOf allOf additionalProperties refusal reasoning reasoning_content ' +
    'choices delta message index logprobs tokens token top_logprobs finish_reason id object created usage annotations ' +
    'url_citation stream stream_options include_usage prediction web_search_options user_location approximate city ' +
    'country region timezone custom grammar definition service_tier system_fingerprint safety_identifier ' +
    'prompt_cache_key video_url file_url source media_type error code param body embedding result results query'
  ).split(' '),
);

/** Longer runs of digits could be a number of the caller's own instead of an index. */
const INDEX = /^[0-9]{1,6}$/;

/**
 * A pointer that may stand in answers, policies and ledger entries: tokens the protocol defines and array indices stay,
 * every other token, being chosen by the caller, becomes `~` and 8 hex digits of its HMAC-SHA-256 under `key`. Without a
 * key it becomes `~` alone: names are few enough to try them all.
 */
export function publicPointer(pointer: string, key: Uint8Array | null): string {
  if (pointer === '') return '';
  return pointer
    .split('/')
    .map((token) => publicToken(token, key))
    .join('/');
}

function publicToken(token: string, key: Uint8Array | null): string {
  const mark = token.indexOf('#');
  if (mark === -1) return publicName(token, key);
  const suffix = token.slice(mark + 1);
  const isOurs = suffix === '' || suffix === 'data';
  // `arguments#` leads into embedded JSON and `…#data` into a data: URL; any other mark belongs to the caller's key.
  return isOurs ? `${publicName(token.slice(0, mark), key)}#${suffix}` : publicName(token, key);
}

function publicName(name: string, key: Uint8Array | null): string {
  if (isProtocolName(name)) return name;
  return key === null ? '~' : `~${createHmac('sha256', key).update(`pointer\0${name}`).digest('hex').slice(0, 8)}`;
}

/** True for names and indices that say nothing of the caller's. */
export function isProtocolName(token: string): boolean {
  return token === '' || INDEX.test(token) || PROTOCOL_NAMES.has(token);
}

/** True when `pointer` lies at or below `prefix`, in which `*` stands for any one token. */
export function isBelow(pointer: string, prefix: string): boolean {
  const wanted = prefix === '' || prefix === '/' ? [] : prefix.replace(/\/$/, '').split('/').slice(1);
  const found = pointer.split('/').slice(1);
  return wanted.every((token, i) => {
    const other = found[i];
    return other !== undefined && (token === '*' || other === token || other.startsWith(`${token}#`));
  });
}
