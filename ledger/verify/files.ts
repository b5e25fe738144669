import { createReadStream } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';

const MAX_TEXT_BYTES = 64 * 1024 * 1024;
/** An entry with its content; more is no line of ours. */
const MAX_LINE_CHARS = 256 * 1024 * 1024;

/** A small file's text; null when there is none, or a larger one. */
export async function readBounded(path: string, maxBytes = MAX_TEXT_BYTES): Promise<string | null> {
  try {
    const stat = await lstat(path);
    return stat.isFile() && stat.size <= maxBytes ? await readFile(path, 'utf8') : null;
  } catch {
    return null;
  }
}

/** No symbolic links: a folder from elsewhere must not lead out of itself. */
export async function isFile(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isFile();
  } catch {
    return false;
  }
}

/** Lines without their line feed; a line beyond the limit comes cut, and then is no entry. */
export async function* readLines(path: string, maxChars = MAX_LINE_CHARS): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 18 })) {
    // Only the new part can hold the end of a line that was still open.
    let from = rest.length;
    let start = 0;
    rest += String(chunk);
    for (let end = rest.indexOf('\n', from); end !== -1; end = rest.indexOf('\n', from)) {
      yield rest.slice(start, end);
      start = end + 1;
      from = start;
    }
    rest = rest.slice(start);
    if (rest.length > maxChars) break;
  }
  if (rest !== '') yield rest;
}
