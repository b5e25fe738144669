/**
 * Small views on JSON from outside. Translated documents are put together as JSON text, so that numbers and tool
 * arguments keep the exact digits they came with.
 */
export type JsonObject = Record<string, unknown>;

/** A piece of valid JSON source text. */
export type JsonText = string & { readonly unit: 'json' };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object a text holds, or null when it is no JSON object. */
export function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** JSON text of a value that came out of JSON.parse or is built of plain values. */
export function toJson(value: unknown): JsonText {
  return JSON.stringify(value) as JsonText;
}

/** A text that was checked to be JSON, as a piece of a document. */
export function verbatim(checked: string): JsonText {
  return checked as JsonText;
}

export function jsonArray(items: readonly JsonText[]): JsonText {
  return `[${items.join(',')}]` as JsonText;
}

/** An object of the given members, in order; undefined members are left out. */
export function jsonObject(members: Readonly<Record<string, JsonText | undefined>>): JsonText {
  const parts: string[] = [];
  for (const [name, text] of Object.entries(members)) {
    if (text !== undefined) parts.push(`${JSON.stringify(name)}:${text}`);
  }
  return `{${parts.join(',')}}` as JsonText;
}

/**
 * The source text of the value at a path of member names and array indexes; null when there is none. Of members with the
 * same name the last counts, as for JSON.parse. `source` must be valid JSON: nothing is checked again here.
 */
export function sourceAt(source: string, path: readonly (string | number)[]): JsonText | null {
  let at = skipSpace(source, 0);
  for (const step of path) {
    const next = typeof step === 'number' ? elementAt(source, at, step) : memberAt(source, at, step);
    if (next === -1) return null;
    at = next;
  }
  return source.slice(at, skipValue(source, at)) as JsonText;
}

function memberAt(source: string, open: number, name: string): number {
  if (source[open] !== '{') return -1;
  let found = -1;
  let at = skipSpace(source, open + 1);
  while (at < source.length && source[at] !== '}') {
    const keyEnd = skipValue(source, at);
    const value = skipSpace(source, skipSpace(source, keyEnd) + 1);
    if (JSON.parse(source.slice(at, keyEnd)) === name) found = value;
    at = skipSpace(source, skipValue(source, value));
    if (source[at] === ',') at = skipSpace(source, at + 1);
  }
  return found;
}

function elementAt(source: string, open: number, index: number): number {
  if (source[open] !== '[') return -1;
  let at = skipSpace(source, open + 1);
  for (let count = 0; at < source.length && source[at] !== ']'; count++) {
    if (count === index) return at;
    at = skipSpace(source, skipValue(source, at));
    if (source[at] === ',') at = skipSpace(source, at + 1);
  }
  return -1;
}

function skipSpace(source: string, from: number): number {
  let at = from;
  while (at < source.length && source.charCodeAt(at) <= 32) at++;
  return at;
}

/** Index after the value that begins at `from`. */
function skipValue(source: string, from: number): number {
  const first = source[from];
  if (first === '"') return skipString(source, from);
  if (first !== '{' && first !== '[') {
    let at = from;
    while (at < source.length && !',]}'.includes(source[at] ?? '') && source.charCodeAt(at) > 32) at++;
    return at;
  }
  let depth = 0;
  let at = from;
  while (at < source.length) {
    const char = source[at];
    if (char === '"') {
      at = skipString(source, at);
      continue;
    }
    if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') depth--;
    at++;
    if (depth === 0) return at;
  }
  return at;
}

function skipString(source: string, open: number): number {
  let at = open + 1;
  while (at < source.length && source[at] !== '"') at += source[at] === '\\' ? 2 : 1;
  return at + 1;
}
