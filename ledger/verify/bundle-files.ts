/** The files of a bundle, wherever they are: a folder on disk, or what somebody chose in a browser. Paths have `/` and are ours. */
export interface BundleFiles {
  /** `unsafe`: something is there that is no ordinary file of the bundle, such as a symbolic link. */
  look(path: string): Promise<'file' | 'none' | 'unsafe'>;
  /** Paths of everything that is no folder, in any order; what lies too deep for an export as its folder. */
  list(): AsyncIterable<string>;
  /** The bytes of a file that `look` called one, in pieces. */
  chunks(path: string): AsyncIterable<Uint8Array>;
}

/** An entry with its content; a longer line is none of ours. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const MAX_TEXT_BYTES = 16 * 1024 * 1024;
const LINE_FEED = 10;

/** Bytes that are not UTF-8 must not become others without a word. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A whole file that is not large; else why not. */
export async function readText(
  files: BundleFiles,
  path: string,
  maxBytes = MAX_TEXT_BYTES,
): Promise<{ readonly text: string } | { readonly problem: 'none' | 'unsafe_file' | 'limit' | 'not_utf8' }> {
  const found = await files.look(path);
  if (found !== 'file') return { problem: found === 'none' ? 'none' : 'unsafe_file' };
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of files.chunks(path)) {
    parts.push(chunk);
    length += chunk.length;
    if (length > maxBytes) return { problem: 'limit' };
  }
  const text = decode(join(parts, length));
  return text === null ? { problem: 'not_utf8' } : { text };
}

/** Lines without their line feed. Null in place of one that is too long or not UTF-8, and then no more. */
export async function* readLines(
  files: BundleFiles,
  path: string,
  maxBytes = MAX_LINE_BYTES,
): AsyncGenerator<string | null> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of files.chunks(path)) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      const last = chunk.subarray(from, end);
      const line = decode(parts.length === 0 ? last : join([...parts, last], length + last.length));
      yield line;
      if (line === null) return;
      [parts, length, from] = [[], 0, end + 1];
    }
    if (from < chunk.length) parts.push(from === 0 ? chunk : chunk.subarray(from));
    length += chunk.length - from;
    if (length > maxBytes) return yield null;
  }
  if (length > 0) yield decode(join(parts, length));
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function decode(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
