/** One answer as the load generator saw it. */
export interface Answer {
  readonly status: number;
  /** Header block as received, lower case. */
  readonly head: string;
  readonly bodyBytes: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * Reads the answers of one keep-alive HTTP/1.1 connection without pipelining: as little work per byte as possible,
 * because the generator shares the machine with what it measures. Content-Length and chunked bodies (RFC 9112 §6–7).
 */
export class ResponseReader {
  #buffered: Buffer = Buffer.alloc(0);
  #head: string | null = null;
  #status = 0;
  #remaining = 0;
  #chunked = false;
  #bodyBytes = 0;
  readonly #onBody: ((bytes: Buffer) => void) | null;

  constructor(onBody: ((bytes: Buffer) => void) | null = null) {
    this.#onBody = onBody;
  }

  /** Takes bytes from the socket; returns the answer when they complete one. */
  push(bytes: Buffer): Answer | null {
    this.#buffered = this.#buffered.length === 0 ? bytes : Buffer.concat([this.#buffered, bytes]);
    if (this.#head === null && !this.#readHead()) return null;
    return (this.#chunked ? this.#readChunks() : this.#readLength()) ? this.#finish() : null;
  }

  #readHead(): boolean {
    const end = this.#buffered.indexOf(HEAD_END);
    if (end === -1) return false;
    const head = this.#buffered.toString('latin1', 0, end).toLowerCase();
    this.#head = head;
    this.#status = Number(head.slice(9, 12));
    this.#chunked = head.includes('\r\ntransfer-encoding: chunked');
    this.#remaining = this.#chunked ? 0 : Number(/\r\ncontent-length: *(\d+)/.exec(head)?.[1] ?? 0);
    this.#bodyBytes = 0;
    this.#buffered = this.#buffered.subarray(end + HEAD_END.length);
    return true;
  }

  #readLength(): boolean {
    if (this.#buffered.length < this.#remaining) return false;
    this.#body(this.#buffered.subarray(0, this.#remaining));
    this.#buffered = this.#buffered.subarray(this.#remaining);
    return true;
  }

  #readChunks(): boolean {
    for (;;) {
      const lineEnd = this.#buffered.indexOf('\r\n');
      if (lineEnd === -1) return false;
      const size = Number.parseInt(this.#buffered.toString('latin1', 0, lineEnd), 16);
      const end = lineEnd + 2 + size;
      if (this.#buffered.length < end + 2) return false;
      this.#body(this.#buffered.subarray(lineEnd + 2, end));
      this.#buffered = this.#buffered.subarray(end + 2);
      if (size === 0) return true;
    }
  }

  #body(bytes: Buffer): void {
    this.#bodyBytes += bytes.length;
    if (this.#onBody !== null && bytes.length > 0) this.#onBody(bytes);
  }

  #finish(): Answer {
    const answer = { status: this.#status, head: this.#head ?? '', bodyBytes: this.#bodyBytes };
    this.#head = null;
    return answer;
  }
}
