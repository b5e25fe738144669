/** The little of PostgreSQL's protocol 3.0 that a connection has to know. Source: PostgreSQL documentation, "Message Formats". */

/** `SSLRequest`. */
export const TLS_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
/** The server's one byte of consent. */
export const TLS_AGREED = 0x53;

const READY_FOR_QUERY = 0x5a;
/** Type and length. */
const HEAD_BYTES = 5;

/**
 * A start parameter that never reaches the server. The driver writes at once what is longer than 1024 bytes, and keeps
 * anything shorter for the end of the turn: should the connection close in between, it never writes again.
 */
export const PADDING = { name: 'countersign.padding', value: ' '.repeat(1024) } as const;

const PADDING_BYTES = Buffer.from(`${PADDING.name}\0${PADDING.value}\0`);

/**
 * What the driver writes first on a new connection: a startup message, preceded by what it had not yet written on the
 * last one. That belongs to statements that have been rejected and is dropped, and so is the padding.
 */
export function cleanStart(bytes: Buffer): Buffer {
  let at = 0;
  // Other messages begin with a type; a startup message with its length, which is less than 2^24.
  while (at + HEAD_BYTES <= bytes.length && bytes[at] !== 0) at += 1 + bytes.readUInt32BE(at + 1);
  const start = bytes.subarray(at);
  const padding = start.indexOf(PADDING_BYTES);
  if (padding === -1) return start;
  const clean = Buffer.concat([start.subarray(0, padding), start.subarray(padding + PADDING_BYTES.length)]);
  clean.writeUInt32BE(clean.length, 0);
  return clean;
}

/** Follows the server's messages, however they are cut, to know when it has said everything. */
export class Answers {
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headBytes = 0;
  #bodyBytes = 0;
  /** How often the server has said that it is ready for a statement. */
  ready = 0;

  read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#bodyBytes > 0) {
        const taken = Math.min(this.#bodyBytes, chunk.length - at);
        this.#bodyBytes -= taken;
        at += taken;
      } else if (this.#headBytes === 0 && chunk.length - at >= HEAD_BYTES) {
        this.#begin(chunk, at);
        at += HEAD_BYTES;
      } else {
        this.#head[this.#headBytes] = chunk[at] ?? 0;
        this.#headBytes += 1;
        at += 1;
        if (this.#headBytes === HEAD_BYTES) {
          this.#begin(this.#head, 0);
          this.#headBytes = 0;
        }
      }
    }
  }

  #begin(bytes: Buffer, at: number): void {
    this.#bodyBytes = Math.max(0, bytes.readUInt32BE(at + 1) - 4);
    if (bytes[at] === READY_FOR_QUERY) this.ready += 1;
  }
}
