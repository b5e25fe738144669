/** One pass over JSON source text that reports every string, member names included, with its position. */
import { RedactionError } from './errors.ts';
import { decodeString, endOfScalar, endOfString, invalidJson, skipSpace } from './json-scan.ts';
import { appendToken } from './pointer.ts';

export interface WalkedString {
  readonly pointer: string;
  readonly text: string;
  readonly isKey: boolean;
  /** Offsets of the token, quotes included. */
  readonly start: number;
  readonly end: number;
  /** Number of the object a member name belongs to, unique within one walk; 0 for values. */
  readonly object: number;
  /** Own member name ('' for array elements) and that of the nearest container with a name. */
  readonly key: string;
  readonly parentKey: string;
}

export interface Walk {
  readonly maxDepth: number;
  /** Nesting the walk starts with: embedded JSON counts on. */
  readonly depth: number;
  readonly pointer: string;
  onString(found: WalkedString): void;
}

/** Above this many members a set finds duplicates faster than a list. */
const SMALL_OBJECT = 12;

/** Throws RedactionError `invalid_json`, `duplicate_key` (RFC 8259 section 4: unpredictable) or `too_deep`. */
export function walkJson(source: string, walk: Walk): void {
  let at = 0;
  let objects = 0;

  function value(pointer: string, depth: number, key: string, parentKey: string): void {
    at = skipSpace(source, at);
    const char = source.charCodeAt(at);
    if (char === 34) {
      const start = at;
      at = endOfString(source, at);
      const text = decodeString(source, start, at);
      walk.onString({ pointer, text, isKey: false, start, end: at, object: 0, key, parentKey });
    } else if (char === 123) object(pointer, depth + 1, key === '' ? parentKey : key);
    else if (char === 91) array(pointer, depth + 1, key === '' ? parentKey : key);
    else at = endOfScalar(source, at);
  }

  function object(pointer: string, depth: number, ownKey: string): void {
    const number = open(depth);
    const names: string[] = [];
    let seen: Set<string> | null = null;
    if (closes(125)) return;
    do {
      const start = skipSpace(source, at);
      if (source.charCodeAt(start) !== 34) throw invalidJson('a member name', start);
      at = endOfString(source, start);
      const name = decodeString(source, start, at);
      if (seen === null ? names.includes(name) : seen.has(name)) throw duplicate(start);
      if (seen === null) names.push(name);
      else seen.add(name);
      if (seen === null && names.length > SMALL_OBJECT) seen = new Set(names);
      const memberPointer = appendToken(pointer, name);
      walk.onString({
        pointer: memberPointer,
        text: name,
        isKey: true,
        start,
        end: at,
        object: number,
        key: name,
        parentKey: ownKey,
      });
      at = skipSpace(source, at);
      if (source.charCodeAt(at) !== 58) throw invalidJson('":"', at);
      at += 1;
      value(memberPointer, depth, name, ownKey);
    } while (!ends(125));
  }

  function array(pointer: string, depth: number, ownKey: string): void {
    open(depth);
    if (closes(93)) return;
    let index = 0;
    do value(`${pointer}/${String(index++)}`, depth, '', ownKey);
    while (!ends(93));
  }

  function open(depth: number): number {
    if (depth > walk.maxDepth) {
      throw new RedactionError('too_deep', `The body nests deeper than ${String(walk.maxDepth)} levels; flatten it.`);
    }
    at += 1;
    return ++objects;
  }

  /** An empty container closes at once. */
  function closes(bracket: number): boolean {
    const next = skipSpace(source, at);
    if (source.charCodeAt(next) !== bracket) return false;
    at = next + 1;
    return true;
  }

  /** After an element: true past the closing bracket, false past a comma. */
  function ends(bracket: number): boolean {
    at = skipSpace(source, at);
    const char = source.charCodeAt(at);
    if (char !== bracket && char !== 44) throw invalidJson('"," or a closing bracket', at);
    at += 1;
    return char === bracket;
  }

  value(walk.pointer, walk.depth, '', '');
  at = skipSpace(source, at);
  if (at < source.length) throw invalidJson('the end of the text', at);
}

function duplicate(at: number): RedactionError {
  return new RedactionError(
    'duplicate_key',
    `The body names a member twice, again at offset ${String(at)}; readers would disagree on which one counts. Send it once.`,
  );
}
