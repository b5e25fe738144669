/**
 * Values split over neighbouring texts: over members of one object, elements of one array, or the same member of
 * successive messages. Only what proves itself counts (check digits, a registered domain, a prefix of its own), because
 * texts that have nothing to do with each other stand side by side too.
 */
import type { Analyzer } from './analyze.ts';
import type { DocumentText } from './document.ts';
import { utf16 } from './finding.ts';
import type { Finding } from './finding.ts';
import { KEYWORD } from './keywords.ts';

/** Code units of a text that may belong to a value begun or ended elsewhere; longer texts take part with their edges. */
const EDGE = 96;
const MAX_JOINED = 2 * EDGE;
/** Joins tried in one document: enough for any honest one, and a bound on the work of others. */
const MAX_JOINS = 4096;
const PROVEN: ReadonlySet<string> = new Set(['CREDIT_CARD', 'IBAN_CODE', 'EMAIL_ADDRESS']);
const MIN_SCORE = 900;

/** Members whose values the protocol lists, or that the provider makes: they are no place to split a value over. */
const FIXED_NAMES: ReadonlySet<string> = new Set(
  'model role type object id finish_reason system_fingerprint service_tier tool_call_id'.split(' '),
);

/** A part of a joined text: where it begins there, and where that is in its own text. */
interface Segment {
  readonly index: number;
  readonly at: number;
  readonly from: number;
}

interface Chain {
  readonly joined: string;
  readonly segments: readonly Segment[];
}

export interface PartFinding {
  readonly textIndex: number;
  readonly finding: Finding;
}

/** Looks at the values of a document in their order. */
export class AdjacentTexts {
  readonly #analyzer: Analyzer;
  readonly #chains = new Map<string, Chain>();
  #joins = 0;
  #isOpenAtStart = true;
  #isOpenAtEnd = true;

  constructor(analyzer: Analyzer) {
    this.#analyzer = analyzer;
  }

  /** The parts of split values that end in this text; `own` is what was found in it alone. */
  add({ pointer, text }: DocumentText, index: number, own: readonly Finding[]): PartFinding[] {
    if (text === '' || FIXED_NAMES.has(pointer.slice(pointer.lastIndexOf('/') + 1))) return [];
    // A proven value at an edge is whole: it neither continues another nor is continued.
    const whole = own.length === 0 ? own : own.filter(({ score }) => score >= MIN_SCORE);
    this.#isOpenAtStart = !whole.some(({ start }) => start <= 1);
    this.#isOpenAtEnd = isUnfinished(text) && !whole.some(({ end }) => end >= text.length - 1);
    if (this.#chains.size === 0 && !this.#isOpenAtEnd) return [];
    const found = this.#join(`in ${pointer.slice(0, pointer.lastIndexOf('/'))}`, text, index);
    const shape = pointer.replace(/\/[0-9]+(?=\/|$)/g, '/*');
    return shape === pointer ? found : [...found, ...this.#join(shape, text, index)];
  }

  #join(id: string, text: string, index: number): PartFinding[] {
    const before = this.#chains.get(id);
    const at = Math.max(0, text.length - EDGE);
    const own = { joined: text.slice(at), segments: [{ index, at: 0, from: at }] };
    const joins = before !== undefined && this.#isOpenAtStart && this.#mayContinue(before.joined, text);
    if (!joins || this.#joins >= MAX_JOINS) {
      this.#keep(id, own);
      return [];
    }
    this.#joins += 1;
    const { joined, segments } = before;
    const all = {
      joined: joined + text.slice(0, EDGE),
      segments: [...segments, { index, at: joined.length, from: 0 }],
    };
    this.#keep(id, text.length > EDGE ? own : shortened(all));
    return this.#analyzer
      .analyze(all.joined)
      .filter(({ start, end }) => start < joined.length && end > joined.length)
      .filter(proves)
      .flatMap((finding) => partsOf(finding, all));
  }

  /** Digits on both sides of the cut, a sign of an address, or a keyword of some recognizer in what stands around it. */
  #mayContinue(before: string, text: string): boolean {
    const last = TOKEN_AT_END.exec(before)?.[0] ?? '';
    const first = TOKEN_AT_START.exec(text)?.[0] ?? '';
    if (last === '' || first === '' || !(TELLING.test(last) || TELLING.test(first))) return false;
    if (/[0-9][ .-]?$/.test(last) && /^[ .-]?[0-9]/.test(first)) return true;
    const token = last + first;
    return token.includes('@') || (this.#analyzer.profile.survey(token, 0, token.length) & KEYWORD) !== 0;
  }

  #keep(id: string, chain: Chain): void {
    if (this.#isOpenAtEnd) this.#chains.set(id, chain);
    else this.#chains.delete(id);
  }
}

const TOKEN_AT_END = /[0-9A-Za-z@+/_=.-]{2,64}[ -]?$/;
const TOKEN_AT_START = /^[ -]?[0-9A-Za-z@+/_=.-]{2,64}/;
const TELLING = /[0-9@_]/;

/** Prose ends with a mark; a number, an address or a key goes on behind its cut. */
function isUnfinished(text: string): boolean {
  const last = text.charAt(text.length - 1);
  if (/[0-9A-Za-z@_/+=-]/.test(last)) return true;
  return (last === ' ' || last === '.') && TELLING.test(text.slice(-24));
}

function proves({ type, kind, score }: Finding): boolean {
  return score >= MIN_SCORE && (kind === 'secret' || PROVEN.has(type));
}

function shortened({ joined, segments }: Chain): Chain {
  const cut = Math.max(0, joined.length - MAX_JOINED);
  if (cut === 0) return { joined, segments };
  const moved = segments.map((segment, i) => {
    const end = segments[i + 1]?.at ?? joined.length;
    return end <= cut ? null : move(segment, cut);
  });
  return { joined: joined.slice(cut), segments: moved.filter((segment) => segment !== null) };
}

function move({ index, at, from }: Segment, cut: number): Segment {
  return at >= cut ? { index, at: at - cut, from } : { index, at: 0, from: from + cut - at };
}

function partsOf(finding: Finding, { joined, segments }: Chain): PartFinding[] {
  const { type, kind, score, recognizer } = finding;
  return segments.flatMap(({ index, at, from }, i) => {
    const end = Math.min(finding.end, segments[i + 1]?.at ?? joined.length);
    const start = Math.max(finding.start, at);
    if (start >= end) return [];
    const span = { start: utf16(start - at + from), end: utf16(end - at + from) };
    return [{ textIndex: index, finding: { type, kind, ...span, score, recognizer } }];
  });
}
