import { hash } from 'node:crypto';
import { sprintf } from './sprintf.ts';

/**
 * Built-in functions that opa leaves to the host. Each is deterministic: it sees its arguments and nothing else. What
 * needs a network, a clock or chance is not here and is refused when a bundle is built and again when it is loaded.
 * A function returns undefined where opa's would be undefined, and throws where it cannot answer as opa would.
 */
export type HostBuiltin = (argumentsJson: readonly string[]) => unknown;

function strings(json: string): readonly string[] | undefined {
  const value: unknown = JSON.parse(json);
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.every((item) => typeof item === 'string') ? list : undefined;
}

function single(json: string | undefined): string | undefined {
  const value: unknown = json === undefined ? undefined : JSON.parse(json);
  return typeof value === 'string' ? value : undefined;
}

function anyMatch(test: (text: string, part: string) => boolean): HostBuiltin {
  return ([search = 'null', parts = 'null']) => {
    const texts = strings(search);
    const candidates = strings(parts);
    if (texts === undefined || candidates === undefined) return undefined;
    return texts.some((text) => candidates.some((part) => test(text, part)));
  };
}

function countParts([search, part]: readonly string[]): unknown {
  const text = single(search);
  const needle = single(part);
  if (text === undefined || needle === undefined) return undefined;
  return needle === '' ? Array.from(text).length + 1 : text.split(needle).length - 1;
}

export const HOST_BUILTINS: ReadonlyMap<string, HostBuiltin> = new Map<string, HostBuiltin>([
  [
    'sprintf',
    ([format, values = '[]']) => {
      const text = single(format);
      return text === undefined || !values.startsWith('[') ? undefined : sprintf(text, values);
    },
  ],
  ['strings.any_prefix_match', anyMatch((text, part) => text.startsWith(part))],
  ['strings.any_suffix_match', anyMatch((text, part) => text.endsWith(part))],
  ['strings.count', countParts],
  [
    'crypto.sha256',
    ([value]) => {
      const text = single(value);
      return text === undefined ? undefined : hash('sha256', text, 'hex');
    },
  ],
]);
