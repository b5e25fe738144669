import { RE2JS } from 're2js';
import type { Value } from '../value.ts';
import { isText, toInteger } from './builtin.ts';
import type { HostBuiltin } from './builtin.ts';

/** Regular expressions as Go's regexp has them: RE2, so their time is linear in the text. */
export const REGEX_BUILTINS: Readonly<Record<string, HostBuiltin>> = {
  'regex.replace': onTexts([1, 0, 2], (found, text, replacement) => replaceAll(found, text, replacement)),
  'regex.split': onTexts([0, 1, 0], (found, text, pattern) =>
    text === '' && pattern !== '' ? [''] : split(found, text),
  ),
  'regex.find_n': {
    ...onTexts([0, 1], (found) => found.map(({ whole }) => whole)),
    call: ([pattern, text, count]) => {
      const wanted = toInteger(count);
      const all = isText(pattern) && isText(text) && wanted !== undefined ? findAll(pattern, text) : undefined;
      if (all === undefined || wanted === undefined) return undefined;
      return all.slice(0, wanted < 0n ? all.length : Number(wanted)).map(({ whole }) => whole);
    },
  },
};

/** There may be a match at every character. */
const FUEL_PER_MATCH = 8;

interface Match {
  readonly start: number;
  readonly end: number;
  readonly whole: string;
  readonly group: (name: string) => string;
}

/** `order` says which argument is the pattern, the text, and what else there is. */
function onTexts(order: readonly number[], call: (found: Match[], text: string, more: string) => Value): HostBuiltin {
  const pick = (args: readonly Value[]): string[] => order.map((at) => args[at] ?? null).filter(isText);
  return {
    call: (args) => {
      const [pattern, text, more = ''] = pick(args);
      if (pattern === undefined || text === undefined || pick(args).length < order.length) return undefined;
      const found = findAll(pattern, text);
      return found === undefined ? undefined : call(found, text, more);
    },
    cost: (args) => {
      const [pattern = '', text = ''] = pick(args);
      return ((compile(pattern)?.programSize() ?? 0) + FUEL_PER_MATCH) * (text.length + 1);
    },
  };
}

const compiled = new Map<string, RE2JS | null>();
const MAX_COMPILED = 256;

/** Null for what is no pattern, where opa's functions are undefined. */
function compile(pattern: string): RE2JS | null {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  if (compiled.size >= MAX_COMPILED) compiled.clear();
  let made: RE2JS | null = null;
  try {
    made = RE2JS.compile(pattern);
  } catch {
    // Not a pattern of RE2: remembered as such.
  }
  compiled.set(pattern, made);
  return made;
}

/** Go's FindAll: an empty match beside the match before it does not count. */
function findAll(pattern: string, text: string): Match[] | undefined {
  const expression = compile(pattern);
  if (expression === null) return undefined;
  const matcher = expression.matcher(text);
  const names = expression.namedGroups();
  const found: Match[] = [];
  let previousEnd = -1;
  let at = 0;
  while (at <= text.length && matcher.find(at)) {
    const [start, end] = [matcher.start(), matcher.end()];
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, i) => matcher.group(i) ?? '');
    const group = (name: string): string => groups[/^\d+$/.test(name) ? Number(name) : (names[name] ?? -1)] ?? '';
    if (end > at || start !== previousEnd) found.push({ start, end, whole: groups[0] ?? '', group });
    previousEnd = end;
    at = end > at ? end : end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1);
  }
  return found;
}

function replaceAll(found: readonly Match[], text: string, replacement: string): string {
  let out = '';
  let from = 0;
  for (const match of found) {
    out += text.slice(from, match.start) + expand(replacement, match);
    from = match.end;
  }
  return out + text.slice(from);
}

/** Go's Expand: $1, $name, ${name}, $$; a name is as long as it can be, and an unknown one is empty. */
function expand(template: string, match: Match): string {
  return template.replace(
    /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu,
    (all, braced?: string, plain?: string) => (all === '$$' ? '$' : match.group(braced ?? plain ?? '')),
  );
}

/** Go's Split without a limit. */
function split(found: readonly Match[], text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let end = 0;
  for (const match of found) {
    end = match.start;
    if (match.end !== 0) {
      parts.push(text.slice(start, end));
      start = match.end;
    }
  }
  if (end !== text.length) parts.push(text.slice(start));
  return parts;
}
