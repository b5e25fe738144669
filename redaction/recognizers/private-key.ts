/**
 * PEM private keys (RFC 7468): from the BEGIN line to the END line, or to the end of the text when it is missing. A block
 * has no useful maximum length, so it is reported in pieces of bounded size; a stream then never waits for more than one.
 */
import { utf16 } from '../finding.ts';
import type { Finding } from '../finding.ts';

export const PRIVATE_KEY = {
  id: 'private_key',
  version: 1,
  entity: 'PRIVATE_KEY',
  keyword: '-----BEGIN',
  /** Also what a stream holds back while it is incomplete. */
  begin: '-----BEGIN [0-9A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----',
  example: ['-----BEGIN PRIVATE', ' KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE', ' KEY-----'].join(
    '',
  ),
  source: 'RFC 7468 section 10, RFC 4880 section 6.2',
} as const;

/** Code units of one piece; real keys are shorter (RSA 8192: 6.4 KB). */
export const PIECE_LENGTH = 16_384;

const BEGIN = new RegExp(PRIVATE_KEY.begin, 'g');
const END = /-----END [0-9A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
/** Longest END line; a search that resumes must look this far back. */
const MAX_END_LENGTH = 80;

/** Where a scan stands: outside a block from `at` on, or inside one whose next piece starts at `at`. */
export interface BlockState {
  readonly at: number;
  readonly inside: boolean;
}

interface Block {
  readonly start: number;
  /** Null: not seen yet. */
  readonly end: number | null;
}

export interface BlockScan {
  readonly findings: readonly Finding[];
  /** Start of the first piece more text may still change; the length of the text when there is none. */
  readonly horizon: number;
  /** A block has begun whose end is not known yet. */
  readonly isOpen: boolean;
  /** The state with which a later scan may begin at `offset`. */
  stateAt(offset: number): BlockState;
}

/** Finds the pieces of all blocks. `isFinal`: no more text will come. */
export function scanPrivateKeys(text: string, state: BlockState, isFinal: boolean): BlockScan {
  const blocks: Block[] = [];
  const findings: Finding[] = [];
  let horizon = text.length;
  let { at, inside } = state;
  for (;;) {
    const start = inside ? at : nextBegin(text, at);
    if (start === null) break;
    const end = endOfBlock(text, start, inside) ?? (isFinal ? text.length : null);
    blocks.push({ start, end });
    const decided = addPieces(findings, start, end, text.length);
    if (end === null) {
      horizon = decided;
      break;
    }
    at = end;
    inside = false;
  }
  return {
    findings,
    horizon,
    isOpen: blocks.at(-1)?.end === null,
    stateAt: (offset) => (offset <= state.at ? state : stateAt(blocks, offset)),
  };
}

/** True when the newest of the waiting chunks may complete an END line; looks at the end of the text before it only. */
export function endsBlock(before: string, waiting: readonly string[]): boolean {
  let tail = waiting.at(-1) ?? '';
  const newest = tail.length;
  for (let i = waiting.length - 2; i >= 0 && tail.length < newest + MAX_END_LENGTH; i--)
    tail = (waiting[i] ?? '') + tail;
  if (tail.length < newest + MAX_END_LENGTH) tail = before.slice(-MAX_END_LENGTH) + tail;
  END.lastIndex = 0;
  return tail.includes('-----') && END.test(tail);
}

function nextBegin(text: string, from: number): number | null {
  // indexOf is many times faster than the expression and settles nearly every text.
  if (text.indexOf(PRIVATE_KEY.keyword, from) === -1) return null;
  BEGIN.lastIndex = from;
  return BEGIN.exec(text)?.index ?? null;
}

/** End of the END line that closes the block; when resuming, the line may have begun in the piece before. */
function endOfBlock(text: string, start: number, resumes: boolean): number | null {
  END.lastIndex = resumes ? Math.max(0, start - MAX_END_LENGTH) : start;
  for (let match = END.exec(text); match !== null; match = END.exec(text)) {
    const end = match.index + match[0].length;
    if (end > start) return end;
  }
  return null;
}

/** Reports the pieces of a block that are decided and returns the start of the first that is not. */
function addPieces(findings: Finding[], start: number, end: number | null, length: number): number {
  let at = start;
  while (at + PIECE_LENGTH <= (end ?? length)) {
    findings.push(piece(at, at + PIECE_LENGTH));
    at += PIECE_LENGTH;
  }
  if (end !== null && end > at) findings.push(piece(at, end));
  return at;
}

function piece(start: number, end: number): Finding {
  return {
    type: PRIVATE_KEY.entity,
    kind: 'secret',
    start: utf16(start),
    end: utf16(end),
    score: 1000,
    recognizer: PRIVATE_KEY.id,
  };
}

function stateAt(blocks: readonly Block[], offset: number): BlockState {
  for (const { start, end } of blocks) {
    if (offset <= start || (end !== null && offset >= end)) continue;
    const next = start + Math.ceil((offset - start) / PIECE_LENGTH) * PIECE_LENGTH;
    return end !== null && next >= end ? { at: end, inside: false } : { at: next, inside: true };
  }
  return { at: offset, inside: false };
}
