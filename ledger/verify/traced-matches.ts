import type { Answers } from '../export/derived.ts';
import { MATCHES_FILE } from '../export/derived.ts';
import { parseCanonical } from '../canonical.ts';
import type { JsonValue } from '../canonical.ts';
import { readLines } from './bundle-files.ts';
import type { BundleFiles } from './bundle-files.ts';
import { asObject } from './call-check.ts';

const MAX_CHARS = 2000;

/** Of a control whose query is not known: the entries that the folder lists, each in its place. */
export function tracedMatches(files: BundleFiles): Answers {
  const lines = places(files);
  let next: Promise<string | null> | null = null;
  const pull = async (): Promise<string | null> => {
    const { done, value } = await lines.next();
    return done === true ? null : value;
  };
  return async (_tenant, { log, seq }) => {
    next ??= pull();
    if ((await next) !== `${log}/${String(seq)}`) return false;
    next = pull();
    return true;
  };
}

async function* places(files: BundleFiles): AsyncGenerator<string> {
  if ((await files.look(MATCHES_FILE)) !== 'file') return;
  for await (const line of readLines(files, MATCHES_FILE, MAX_CHARS)) {
    const { log, seq } = asObject(parsed(line));
    if (typeof log !== 'string' || typeof seq !== 'number') return;
    yield `${log}/${String(seq)}`;
  }
}

function parsed(line: string | null): JsonValue {
  try {
    return line === null ? null : parseCanonical(line);
  } catch {
    return null;
  }
}
