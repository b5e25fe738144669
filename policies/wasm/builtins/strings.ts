import { isList, ValueSet } from '../value.ts';
import type { Value } from '../value.ts';
import { isText, ofTexts, toInteger } from './builtin.ts';
import type { HostBuiltin } from './builtin.ts';
import { sprintf } from './sprintf.ts';

export const STRING_BUILTINS: Readonly<Record<string, HostBuiltin>> = {
  sprintf: {
    call: ([format, values]) => (isText(format) && isList(values) ? sprintf(format, values) : undefined),
  },
  'strings.any_prefix_match': anyMatch((text, part) => text.startsWith(part)),
  'strings.any_suffix_match': anyMatch((text, part) => text.endsWith(part)),
  'strings.count': ofTexts(2, (text, part) =>
    BigInt(part === '' ? Array.from(text).length + 1 : text.split(part).length - 1),
  ),
  'strings.split_n': { call: ([text, separator, count]) => splitN(text, separator, toInteger(count)) },
  indexof_n: { ...ofTexts(2, indexesOf), cost: ([text, part]) => (lengthOf(text) * lengthOf(part)) / 64 },
  'glob.quote_meta': ofTexts(1, (pattern) => pattern.replace(/[*?\\[\]{}]/g, '\\$&')),
};

function texts(value: Value | undefined): readonly string[] | undefined {
  const list = value instanceof ValueSet ? value.items : isList(value) ? value : [value];
  const found = list.filter(isText);
  return found.length === list.length ? found : undefined;
}

function anyMatch(test: (text: string, part: string) => boolean): HostBuiltin {
  return {
    call: ([search, parts]) => {
      const [all, candidates] = [texts(search), texts(parts)];
      if (all === undefined || candidates === undefined) return undefined;
      return all.some((text) => candidates.some((part) => test(text, part)));
    },
    cost: ([search, parts]) => ((texts(search)?.length ?? 0) * (texts(parts)?.length ?? 0)) / 4,
  };
}

function lengthOf(value: Value | undefined): number {
  return isText(value) ? value.length : 0;
}

/** Positions count code points. */
function indexesOf(text: string, part: string): Value | undefined {
  if (part === '') return undefined;
  const [points, wanted] = [Array.from(text), Array.from(part)];
  const found: bigint[] = [];
  for (let at = 0; at + wanted.length <= points.length; at += 1) {
    if (wanted.every((point, i) => points[at + i] === point)) found.push(BigInt(at));
  }
  return found;
}

/** The first `count` parts, or with a negative count the last. */
function splitN(text: Value | undefined, separator: Value | undefined, count?: bigint): Value | undefined {
  if (!isText(text) || !isText(separator) || count === undefined) return undefined;
  const parts = separator === '' ? Array.from(text) : text.split(separator);
  const wanted = Number(count);
  return wanted >= 0 ? parts.slice(0, wanted) : parts.slice(Math.max(parts.length + wanted, 0));
}
