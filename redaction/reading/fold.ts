/**
 * One spelling for characters that look alike or cannot be seen: compatibility forms (Unicode NFKC, one code point at a
 * time), decimal digits of every script, dashes and spaces of every width; what is invisible is dropped. A code point is
 * folded by itself, so that a stream folds as the whole text does.
 */
import type { StageRule } from './stage.ts';

/** Invisible characters in a row that are dropped; the next one stays, so that a stream need not wait for ever. */
const MAX_DROPPED = 16;

const INVISIBLE = /^[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Mn}\p{Me}]$/u;
const DECIMAL = /^\p{Nd}$/u;
const DASHES = '\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d';
const DOTS = '\u3002\uff61\u06d4\u2027\u00b7\u30fb\uff65';
const SLASHES = '\u2044\u2215\u29f8';

/** What is known of a code point: 0 nothing yet, 1 it stays, 2 it is dropped, 3 it has a spelling of its own in `spellings`. */
let known: Uint8Array | null = null;
const spellings = new Map<number, Uint16Array>();
/** Longer compatibility forms are words (`ﷺ`), not characters in disguise; nothing grows by more than this. */
const MAX_SPELLING = 4;
/** Kinds of code points. */
const STAYS = 1;
const DROPPED = 2;
const SPELLED = 3;

function kindOf(codePoint: number): number {
  known ??= new Uint8Array(0x110000);
  let kind = known[codePoint] ?? STAYS;
  if (kind === 0) {
    const folded = foldOf(codePoint);
    kind = folded === null ? STAYS : folded === '' ? DROPPED : SPELLED;
    known[codePoint] = kind;
    if (kind === SPELLED)
      spellings.set(
        codePoint,
        Uint16Array.from(folded ?? '', (unit) => unit.charCodeAt(0)),
      );
  }
  return kind;
}

/** The folded form of a code point; null: it stays, '': it is dropped. */
function foldOf(codePoint: number): string | null {
  const folded = compute(codePoint);
  return folded === null || folded.length <= MAX_SPELLING ? folded : null;
}

function compute(codePoint: number): string | null {
  // Half a surrogate pair is no character; it stays what it is.
  if (codePoint >= 0xd800 && codePoint <= 0xdfff) return null;
  const char = String.fromCodePoint(codePoint);
  if (INVISIBLE.test(char)) return '';
  if (DASHES.includes(char)) return '-';
  if (DOTS.includes(char)) return '.';
  if (SLASHES.includes(char)) return '/';
  if (char === '\u2028' || char === '\u2029') return '\n';
  const compatible = char.normalize('NFKC');
  if (compatible !== char)
    return Array.from(compatible)
      .map((one) => foldOf(one.codePointAt(0) ?? 0) ?? one)
      .join('');
  return DECIMAL.test(char) ? String(digitValue(codePoint)) : null;
}

/** Decimal digits stand in rows of ten, zero first (Unicode Standard section 4.6). */
function digitValue(codePoint: number): number {
  let value = 0;
  while (value < 9 && DECIMAL.test(String.fromCodePoint(codePoint - value - 1))) value += 1;
  return value;
}

/** The rule of one stream: it counts what it drops. */
export function foldRule(): StageRule {
  let droppedUpTo = -1;
  let dropped = 0;

  /** Whether an invisible character at `position` is dropped. */
  function drops(position: number, length: number): boolean {
    dropped = position === droppedUpTo ? dropped + 1 : 1;
    droppedUpTo = position + length;
    return dropped <= MAX_DROPPED;
  }

  return {
    apply(text, base, isFinal, out) {
      for (let at = 0; at < text.length; at++) {
        const unit = text.charCodeAt(at);
        if (unit < 0x80) continue;
        // The second half of a pair may still come.
        if (unit >= 0xd800 && unit <= 0xdbff && at + 1 === text.length && !isFinal) return at;
        const codePoint = text.codePointAt(at) ?? 0;
        const length = codePoint > 0xffff ? 2 : 1;
        const kind = kindOf(codePoint);
        if (kind === SPELLED) {
          const spelling = spellings.get(codePoint) ?? NOTHING;
          out.replace(at, at + length, spelling, spelling.length);
          at += length - 1;
        } else if (kind === DROPPED && drops(base + at, length)) {
          out.replace(at, at + length, NOTHING, 0);
          at += length - 1;
        }
      }
      return text.length;
    },
  };
}

const NOTHING = new Uint16Array(0);
