/**
 * One text of a streamed answer (a choice's content, its reasoning, its refusal …), which arrives as deltas spread over
 * events. The redactor decides the text piece by piece; this class says which part of which event each decided piece
 * belongs to, so that an event whose text came through unchanged can be forwarded as the very bytes that arrived.
 */
import type { StreamRedactor } from '../../redaction/index.ts';
import { GatewayError } from '../errors.ts';

/** A delta inside one event. `out` grows as the text is decided; it is final once `resolved`. */
export interface Part {
  readonly pointer: string;
  readonly text: string;
  out: string;
  resolved: boolean;
}

interface OpenPart extends Part {
  /** Input characters of this part that are not decided yet. */
  undecided: number;
}

export class Channel {
  readonly redactor: StreamRedactor;
  readonly #open: OpenPart[] = [];
  readonly #recordChars: number;
  /** Received text that the redactor still holds. */
  #held = '';
  #prefix: string;
  /** The text as received, up to the cap, for the record. */
  recorded = '';

  constructor(redactor: StreamRedactor, options: { prefix: string; recordChars: number }) {
    this.redactor = redactor;
    this.#prefix = options.prefix;
    this.#recordChars = options.recordChars;
  }

  push(pointer: string, text: string): Part {
    if (this.recorded.length < this.#recordChars) {
      this.recorded += text.slice(0, this.#recordChars - this.recorded.length);
    }
    const part: OpenPart = { pointer, text, undecided: text.length, out: '', resolved: false };
    this.#open.push(part);
    this.#held += text;
    const out = this.redactor.push(text);
    this.#settle(out, this.#held.length - this.redactor.held);
    return part;
  }

  /** No more text comes: everything still held is decided now. */
  end(): void {
    this.#settle(this.redactor.end(), this.#held.length);
  }

  /** `decided` characters of what was held became `out`. */
  #settle(out: string, decided: number): void {
    const unchanged = this.#held.startsWith(out) && out.length === decided;
    this.#held = this.#held.slice(decided);
    let rest = out;
    let left = decided;
    for (const part of this.#open) {
      const taken = Math.min(left, part.undecided);
      part.undecided -= taken;
      left -= taken;
      // Changed text no longer lines up with the parts it came from: the first part it touches carries all of it.
      const piece = unchanged ? rest.slice(0, taken) : rest;
      rest = rest.slice(piece.length);
      part.out += this.#disclosed(piece);
      if (part.undecided > 0) break;
      part.resolved = true;
    }
    if (rest !== '')
      throw new GatewayError('internal_error', 'Decided text has no event to travel in; the stream ends here.');
    while (this.#open[0]?.resolved === true) this.#open.shift();
  }

  /** A disclosure stands before the first visible character of the answer. */
  #disclosed(piece: string): string {
    if (this.#prefix === '' || piece === '') return piece;
    const prefix = this.#prefix;
    this.#prefix = '';
    return prefix + piece;
  }
}
