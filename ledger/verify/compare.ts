import type { OutFile, OutFolder } from '../export/out.ts';
import type { BundleFiles } from './bundle-files.ts';
import type { FileProblem } from './report.ts';

/** Compared at once. */
const BUFFER_CHARS = 65_536;
const LINE_FEED = 10;
/** What of both sides is shown before and behind the first difference. */
const SHOWN_BYTES = 40;
const MOST_PROBLEMS = 20;

const decoder = new TextDecoder();

/** Takes what an export would write and compares it, as it comes, with what is in the folder: nothing is kept of either. */
export class ComparedFolder implements OutFolder {
  readonly #files: BundleFiles;
  readonly #uncompared: ReadonlySet<string>;
  readonly #open = new Set<ComparedFile>();
  /** Paths of files that belong to the export, tiles aside. */
  readonly known = new Set<string>();
  /** The first of them, in the order they were found. */
  readonly problems: FileProblem[] = [];

  /** @param uncompared files that belong to the export, and are not looked into */
  constructor(files: BundleFiles, uncompared: ReadonlySet<string> = new Set()) {
    this.#files = files;
    this.#uncompared = uncompared;
  }

  async open(path: string): Promise<ComparedFile> {
    if (!path.includes('/tile/')) this.known.add(path);
    const found = this.#uncompared.has(path) ? 'uncompared' : await this.#files.look(path);
    if (found === 'none') this.add({ file: path, problem: `the file ${path} is missing`, shows: 'INCOMPLETE' });
    if (found === 'unsafe')
      this.add({ file: path, problem: `expected a file ${path}, found no ordinary one`, shows: 'UNVERIFIABLE' });
    const file = new ComparedFile(path, found === 'file' ? this.#files.chunks(path) : null, (problem) => {
      this.add(problem);
    });
    if (found === 'file') this.#open.add(file);
    return file;
  }

  async write(path: string, data: string | Uint8Array): Promise<void> {
    const file = await this.open(path);
    await file.write(data);
    await file.close();
    this.#open.delete(file);
  }

  add(problem: FileProblem): void {
    if (this.problems.length < MOST_PROBLEMS) this.problems.push(problem);
  }

  /** Lets go of files that were not read to their end. */
  async abandon(): Promise<void> {
    for (const file of this.#open) await file.abandon();
  }
}

class ComparedFile implements OutFile {
  readonly #path: string;
  readonly #report: (problem: FileProblem) => void;
  #source: AsyncIterator<Uint8Array> | null;
  #found: Uint8Array = new Uint8Array(0);
  #pending = '';
  #bytes = 0;
  #lines = 0;

  constructor(path: string, chunks: AsyncIterable<Uint8Array> | null, report: (problem: FileProblem) => void) {
    this.#path = path;
    this.#source = chunks?.[Symbol.asyncIterator]() ?? null;
    this.#report = report;
  }

  async write(data: string | Uint8Array): Promise<void> {
    if (this.#source === null) return;
    if (typeof data !== 'string') return this.#compare(data, false);
    this.#pending += data;
    if (this.#pending.length > BUFFER_CHARS) await this.#flush();
  }

  async close(): Promise<void> {
    await this.#flush();
    if (this.#source === null || !(await this.#fill())) return;
    const more = shown(this.#found.subarray(0, SHOWN_BYTES));
    await this.#fail(`${this.#path} goes on behind its end: expected ${String(this.#bytes)} bytes, found then ${more}`);
  }

  async abandon(): Promise<void> {
    await this.#source?.return?.();
    this.#source = null;
  }

  async #flush(): Promise<void> {
    const text = this.#pending;
    this.#pending = '';
    if (text !== '' && this.#source !== null) await this.#compare(Buffer.from(text, 'utf8'), true);
  }

  async #compare(expected: Uint8Array, isText: boolean): Promise<void> {
    let at = 0;
    while (at < expected.length) {
      if (!(await this.#fill())) return this.#fail(this.#shorter(expected, at, isText), 'INCOMPLETE');
      const length = Math.min(expected.length - at, this.#found.length);
      const [wanted, found] = [expected.subarray(at, at + length), this.#found.subarray(0, length)];
      if (Buffer.compare(wanted, found) !== 0) return this.#fail(this.#differing(expected, at, isText));
      this.#found = this.#found.subarray(length);
      this.#bytes += length;
      if (isText) this.#lines += countLines(wanted);
      at += length;
    }
  }

  #differing(expected: Uint8Array, at: number, isText: boolean): string {
    const difference = this.#found.findIndex((byte, index) => byte !== expected[at + index]);
    const from = Math.max(0, difference - SHOWN_BYTES);
    const line = this.#lines + countLines(expected.subarray(at, at + difference)) + 1;
    if (!isText)
      return `byte ${String(this.#bytes + difference)} of ${this.#path} is not what the entries give: expected ${String(expected[at + difference])}, found ${String(this.#found[difference])}`;
    const wanted = shown(expected.subarray(at + from, at + difference + SHOWN_BYTES));
    const found = shown(this.#found.subarray(from, difference + SHOWN_BYTES));
    return `line ${String(line)} of ${this.#path} is not what the entries give: expected ${wanted}, found ${found}`;
  }

  #shorter(expected: Uint8Array, at: number, isText: boolean): string {
    const next = isText ? shown(expected.subarray(at, at + SHOWN_BYTES)) : 'more';
    return `${this.#path} ends after ${String(this.#bytes)} bytes: expected then ${next}`;
  }

  /** False at the end of the file. */
  async #fill(): Promise<boolean> {
    while (this.#found.length === 0) {
      const next = await this.#source?.next();
      if (next === undefined || next.done === true) return false;
      this.#found = next.value;
    }
    return true;
  }

  async #fail(problem: string, shows: FileProblem['shows'] = 'TAMPERED'): Promise<void> {
    this.#report({ file: this.#path, problem, shows });
    await this.abandon();
  }
}

function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) count += 1;
  return count;
}

/** Of bytes from anywhere, what a terminal can be given. */
function shown(bytes: Uint8Array): string {
  return plain(JSON.stringify(decoder.decode(bytes)));
}

/** A text from anywhere without what could act on a terminal or turn the direction of a line. */
export function plain(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?');
}
