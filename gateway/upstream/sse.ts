/**
 * Server-sent events, read and written (WHATWG HTML, "Server-sent events", section 9.2.6). The reader keeps the exact
 * text of each event, so that a stream nobody changes is forwarded as it came, and its cost per byte does not depend on
 * how the stream was cut.
 */
import { isUtf8 } from 'node:buffer';
import { UpstreamFailure } from './failure.ts';
import type { SseEvent } from './upstream.ts';

/** An event longer than this many characters is refused: nothing legitimate is, and it must be held in memory. */
const MAX_EVENT_CHARS = 16 * 1024 * 1024;

export interface SseReader {
  /** Takes the next piece of the stream and returns the events it completed. @throws UpstreamFailure bad_answer, too_large */
  push(chunk: Uint8Array): SseEvent[];
  /** Ends the stream: an event whose blank line is missing is returned with one, so that what follows cannot melt into it. */
  end(): SseEvent[];
}

const EMPTY = Buffer.alloc(0);

/** Bytes of an unfinished UTF-8 sequence at the end of a chunk, 0 to 3. */
function unfinishedTail(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

/**
 * UTF-8 across chunk borders, strict. Invalid bytes end the stream instead of turning into U+FFFD: what is scanned and
 * what is forwarded must be the same text for every way of cutting.
 */
class Utf8Chunks {
  #tail: Buffer = EMPTY;

  push(chunk: Uint8Array): string {
    const piece = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const bytes = this.#tail.length === 0 ? piece : Buffer.concat([this.#tail, piece]);
    const cut = bytes.length - unfinishedTail(bytes);
    this.#tail = cut === bytes.length ? EMPTY : bytes.subarray(cut);
    const whole = cut === bytes.length ? bytes : bytes.subarray(0, cut);
    if (!isUtf8(whole)) throw new UpstreamFailure('bad_answer', true, 'invalid UTF-8');
    return whole.toString('utf8');
  }

  end(): void {
    if (this.#tail.length > 0) throw new UpstreamFailure('bad_answer', true, 'invalid UTF-8');
  }
}

class IncrementalReader implements SseReader {
  #decoder = new Utf8Chunks();
  #maxEventChars: number;
  /** Text of the current event and of its unfinished line. Joined as ropes: flattened once, when the event is complete. */
  #raw = '';
  #line = '';
  #data: string | null = null;
  #first = true;
  /** A carriage return at the end of a chunk waits: a line feed after it belongs to the same line end. */
  #heldReturn = false;

  constructor(maxEventChars: number) {
    this.#maxEventChars = maxEventChars;
  }

  push(chunk: Uint8Array): SseEvent[] {
    let text = this.#decoder.push(chunk);
    if (this.#heldReturn) text = `\r${text}`;
    this.#heldReturn = text.endsWith('\r');
    if (this.#heldReturn) text = text.slice(0, -1);
    return this.#take(text);
  }

  end(): SseEvent[] {
    this.#decoder.end();
    const events = this.#heldReturn ? this.#take('\r') : [];
    this.#heldReturn = false;
    if (this.#line !== '') this.#take('\n');
    if (this.#raw !== '') events.push(...this.#take('\n'));
    return events;
  }

  #take(text: string): SseEvent[] {
    const events: SseEvent[] = [];
    const ends = new LineEnds(text);
    let start = 0;
    let lineStart = 0;
    for (let end = ends.next(0); end !== -1; end = ends.next(lineStart)) {
      const line = this.#line === '' ? text.slice(lineStart, end) : this.#line + text.slice(lineStart, end);
      this.#line = '';
      lineStart = end + (text.charCodeAt(end) === 13 && text.charCodeAt(end + 1) === 10 ? 2 : 1);
      if (line !== '') {
        this.#field(line);
        continue;
      }
      events.push({ raw: this.#raw + text.slice(start, lineStart), data: this.#data });
      this.#raw = '';
      this.#data = null;
      start = lineStart;
    }
    if (start < text.length) this.#raw += text.slice(start);
    if (lineStart < text.length) this.#line += text.slice(lineStart);
    if (this.#raw.length > this.#maxEventChars) throw new UpstreamFailure('too_large', true);
    return events;
  }

  #field(text: string): void {
    const line = this.#first && text.startsWith('\uFEFF') ? text.slice(1) : text;
    this.#first = false;
    if (!line.startsWith('data')) return;
    let value = '';
    if (line.length > 4) {
      if (line.charCodeAt(4) !== 58) return;
      value = line.slice(line.charCodeAt(5) === 32 ? 6 : 5);
    }
    this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
  }
}

/** Line ends of a text in order: line feed, carriage return or both. Each search goes on where the last one ended. */
class LineEnds {
  #text: string;
  #feed: number;
  #carriage: number;

  constructor(text: string) {
    this.#text = text;
    this.#feed = text.indexOf('\n');
    this.#carriage = text.indexOf('\r');
  }

  /** Index of the first line end at or after `from`, -1 when the line goes on past the text. */
  next(from: number): number {
    if (this.#feed !== -1 && this.#feed < from) this.#feed = this.#text.indexOf('\n', from);
    if (this.#carriage !== -1 && this.#carriage < from) this.#carriage = this.#text.indexOf('\r', from);
    if (this.#carriage === -1) return this.#feed;
    return this.#feed === -1 ? this.#carriage : Math.min(this.#feed, this.#carriage);
  }
}

export function createSseReader(maxEventChars: number = MAX_EVENT_CHARS): SseReader {
  return new IncrementalReader(maxEventChars);
}

/**
 * The events of a byte stream.
 * @throws UpstreamFailure bad_answer, too_large; whatever the chunks throw
 */
export async function* readSse(chunks: AsyncIterable<Uint8Array>, maxEventChars?: number): AsyncGenerator<SseEvent> {
  const reader = createSseReader(maxEventChars);
  for await (const chunk of chunks) yield* reader.push(chunk);
  yield* reader.end();
}

/** An event with this data: `data: …` lines and the blank line. */
export function formatSse(data: string): SseEvent {
  const lines = /[\r\n]/.test(data) ? data.split(/\r\n|\r|\n/).join('\ndata: ') : data;
  return { raw: `data: ${lines}\n\n`, data };
}

/** Line ends and the field name of an event with one data line, at their longest: `data: …\r\n\r\n`. */
const LONGEST_FRAME = 10;

/**
 * Whether the text of an event is its data and nothing else. Comments, names and ids in an event are not part of its
 * data: who scans only the data must not forward the raw text of an event that is not bare.
 */
export function isBareEvent(event: SseEvent): boolean {
  const { raw, data } = event;
  return data !== null && raw.startsWith('data:') && raw.length - data.length <= LONGEST_FRAME && !data.includes('\n');
}

/** The event that ends a chat stream which came to a good end, and only such a one. */
export const DONE: SseEvent = formatSse('[DONE]');
