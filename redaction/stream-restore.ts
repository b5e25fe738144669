/**
 * Restores placeholders in a text that arrives in pieces, and keeps account of how much *input* the held tail stands for:
 * a caller needs to know which of the text it pushed is decided.
 */
import { UNFINISHED_PLACEHOLDER } from './tokens.ts';
import type { TokenVault } from './tokens.ts';

/** A piece of redacted text: taken over as it was, or put in the place of `inputLength` code units. */
export interface Piece {
  readonly text: string;
  readonly inputLength: number;
  readonly isVerbatim: boolean;
}

export interface StreamRestorer {
  push(pieces: readonly Piece[], isFinal: boolean): string;
  /** Input code units that the held tail stands for. */
  readonly held: number;
  readonly restored: number;
}

/** Longest tail that can be an unfinished placeholder. */
const MAX_TAIL = 128;

export function createStreamRestorer(vault: TokenVault | undefined): StreamRestorer {
  let tail: Piece[] = [];
  let held = 0;
  let restored = 0;

  function push(pieces: readonly Piece[], isFinal: boolean): string {
    const all = tail.length === 0 ? pieces : [...tail, ...pieces];
    const text = all.length === 1 ? (all[0]?.text ?? '') : all.map((piece) => piece.text).join('');
    const keep = isFinal ? 0 : unfinishedLength(text, vault !== undefined && vault.size > 0);
    tail = keep === 0 ? [] : lastPieces(all, keep);
    held = tail.reduce((sum, piece) => sum + piece.inputLength, 0);
    const released = keep === 0 ? text : text.slice(0, text.length - keep);
    if (vault === undefined) return released;
    const result = vault.restore(released);
    restored += result.count;
    return result.text;
  }

  return {
    push,
    get held() {
      return held;
    },
    get restored() {
      return restored;
    },
  };
}

/** An unfinished placeholder, or half a surrogate pair: encoded alone it would be lost. */
function unfinishedLength(text: string, restores: boolean): number {
  const end = text.slice(-MAX_TAIL);
  const match = restores && end.includes('<') ? UNFINISHED_PLACEHOLDER.exec(end) : null;
  if (match !== null) return match[0].length;
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff ? 1 : 0;
}

/** The pieces that make up the last `length` code units. A replaced piece counts whole until its last unit is released. */
function lastPieces(pieces: readonly Piece[], length: number): Piece[] {
  const kept: Piece[] = [];
  let missing = length;
  for (const piece of pieces.toReversed()) {
    if (missing <= 0) break;
    const taken = Math.min(missing, piece.text.length);
    const inputLength = piece.isVerbatim ? taken : piece.inputLength;
    if (taken > 0)
      kept.unshift({ text: piece.text.slice(piece.text.length - taken), inputLength, isVerbatim: piece.isVerbatim });
    missing -= taken;
  }
  return kept;
}
