/**
 * Detection in every reading of a text: as it stands, without its disguise, and with look-alike letters replaced. One
 * routine serves whole texts and streams; findings of all readings point into the source.
 */
import { Changes } from './changes.ts';
import type { ChangedFrom } from './changes.ts';
import { ContextWords } from './context.ts';
import { compareFindings, moveFinding } from './finding.ts';
import type { Finding } from './finding.ts';
import type { Profile } from './profile.ts';
import { foldLetters } from './reading/letters.ts';
import { createReading } from './reading/reading.ts';
import type { Reading } from './reading/reading.ts';
import type { BlockState } from './recognizers/private-key.ts';
import { LEFT_CONTEXT, scan, START } from './scan.ts';
import type { ScanResult } from './scan.ts';

/** Findings of a text that is there as a whole, in report order. */
export interface Detection {
  readonly findings: readonly Finding[];
  /** Up to where all its readings were looked at: its length, unless a limit ended a scan. */
  readonly reached: number;
}

/** Detects in every reading; each ends soon after `limit` findings. */
export function detectAll(profile: Profile, text: string, limit: number): Detection {
  const reads = new Uint8Array(text.length);
  const written = scan(profile, text, { ...START, reads }, true, limit);
  const reading = createReading();
  const derived = reading.push(text, true);
  const folded = foldLetters(derived);
  if (!reading.changed && folded === null) return written;
  const others: ScanResult[] = [];
  let source: ChangedFrom = {
    words: new ContextWords(text, profile.contextWords),
    reads,
    placeOf: (unit) => reading.startOf(unit),
  };
  if (reading.changed) {
    const words = new ContextWords(derived, profile.contextWords);
    const known = new Uint8Array(derived.length);
    const changes = changesOf(reading.changes(), words, source);
    others.push(scan(profile, derived, { ...START, reads: known, ...changes }, true, limit));
    source = { words, reads: known, placeOf: (unit) => unit };
  }
  if (folded !== null) {
    const changes = changesOf(folded.places, new ContextWords(folded.text, profile.contextWords), source);
    others.push(scan(profile, folded.text, { ...START, ...changes }, true, limit));
  }
  const found = others.flatMap(({ findings }) => findings.map((finding) => inSource(finding, reading)));
  const ends = others.map(({ reached }) => (reached < derived.length ? reading.startOf(reached) : text.length));
  return {
    findings: [...written.findings, ...found].sort(compareFindings),
    reached: Math.min(written.reached, ...ends),
  };
}

/** A change reaches so far that looking for what is out of reach of all is not worth it when they stand closer. */
const REACH = 24;

function changesOf(
  places: Int32Array | null,
  words: ContextWords,
  source: ChangedFrom,
): { readonly changes?: Changes } {
  if (places === null || places.length * REACH > words.text.length) return {};
  return { changes: new Changes(places, words, source) };
}

function inSource(finding: Finding, reading: Reading): Finding {
  return moveFinding(finding, reading.startOf(finding.start), reading.endOf(finding.end));
}

export interface Detected {
  /** In report order; all findings that start before `horizon` and were not reported yet. Offsets from the stream's start. */
  readonly findings: readonly Finding[];
  /** What starts before is decided. */
  readonly horizon: number;
}

/** Detection in a text that arrives in chunks; gives what `detectAll` gives for every way of cutting. */
export class StreamDetector {
  readonly #reading = createReading();
  readonly #asWritten: TextScan;
  /** Both begin when their text first differs from the one before; up to there they would have found the same. */
  #undisguised: TextScan | null = null;
  #folded: TextScan | null = null;
  #pending: Finding[] = [];
  /** Source text the first scan was not given yet. */
  #behind = '';
  #horizon = 0;
  #length = 0;

  constructor(profile: Profile) {
    this.#asWritten = new TextScan(profile);
  }

  push(chunk: string, isFinal: boolean): Detected {
    const reading = this.#reading;
    const known = reading.length;
    const derived = reading.push(chunk, isFinal);
    this.#length += chunk.length;
    this.#behind += chunk;
    if (reading.changed) this.#undisguised ??= this.#asWritten.fork(known);
    const folded = foldLetters(derived);
    if (folded !== null) this.#folded ??= (this.#undisguised ?? this.#asWritten).fork(known);
    // While nothing differs, what the reading keeps back may yet turn into anything: until it is read it has not come.
    const written = reading.changed ? this.#behind : derived;
    this.#behind = this.#behind.slice(written.length);
    let horizon = this.#asWritten.advance(written, isFinal, this.#pending);
    if (this.#undisguised !== null) horizon = Math.min(horizon, this.#read(this.#undisguised, derived, isFinal));
    if (this.#folded !== null) horizon = Math.min(horizon, this.#read(this.#folded, folded?.text ?? derived, isFinal));
    this.#forget();
    return this.#decide(isFinal ? this.#length : horizon);
  }

  /** All text from its scanned part on belongs to a private key whose end has not come; null: it does not. */
  get openKey(): { readonly text: string; readonly length: number } | null {
    const text = this.#asWritten.openKeyText;
    if (text === null) return null;
    return { text: text + this.#behind, length: this.#length - this.#asWritten.scanned };
  }

  /** Adds what another reading finds; returns up to which place in the source it is decided. */
  #read(scanner: TextScan, derived: string, isFinal: boolean): number {
    const reading = this.#reading;
    const found: Finding[] = [];
    const decided = scanner.advance(derived, isFinal, found);
    for (const finding of found) this.#pending.push(inSource(finding, reading));
    return decided < reading.length ? reading.startOf(decided) : reading.consumed;
  }

  #decide(horizon: number): Detected {
    this.#horizon = Math.max(this.#horizon, horizon);
    if (this.#pending.length === 0) return { findings: this.#pending, horizon: this.#horizon };
    const sorted = this.#pending.sort(compareFindings);
    this.#pending = sorted.filter(({ start }) => start >= this.#horizon);
    return { findings: sorted.filter(({ start }) => start < this.#horizon), horizon: this.#horizon };
  }

  #forget(): void {
    const scanners = [this.#undisguised, this.#folded].filter((scanner) => scanner !== null);
    const bases = scanners.map((scanner) => scanner.scanned);
    this.#reading.drop(Math.max(0, Math.min(this.#reading.length, this.#asWritten.scanned, ...bases) - LEFT_CONTEXT));
  }
}

/** Text before the scanned part is dropped when there is this much of it beyond what detection may look at. */
const DROP_STEP = 1024;

/** One text that arrives in chunks; all offsets count from its beginning. */
class TextScan {
  readonly #profile: Profile;
  #text = '';
  #base = 0;
  #block: BlockState = { at: 0, inside: false };
  #isInsideKey = false;
  /** All findings that start before are known. */
  scanned = 0;

  constructor(profile: Profile) {
    this.#profile = profile;
  }

  /** Adds what is decided now to `found`; returns up to where. */
  advance(more: string, isFinal: boolean, found: Finding[]): number {
    this.#text += more;
    const from = this.scanned - this.#base;
    const state = { from, block: this.#block };
    const result = scan(this.#profile, this.#text, state, isFinal, Infinity);
    this.#isInsideKey = !isFinal && result.openKey === result.horizon;
    if (result.horizon === from && !isFinal) return this.scanned;
    for (const finding of result.findings)
      found.push(
        this.#base === 0 ? finding : moveFinding(finding, finding.start + this.#base, finding.end + this.#base),
      );
    this.#block = result.blockAt(result.horizon);
    this.scanned = result.horizon + this.#base;
    this.#drop();
    return this.scanned;
  }

  get openKeyText(): string | null {
    return this.#isInsideKey ? this.#text : null;
  }

  /** A scan of another reading, which is the same as this one up to `length`. */
  fork(length: number): TextScan {
    const copy = new TextScan(this.#profile);
    copy.#text = this.#text.slice(0, length - this.#base);
    copy.#base = this.#base;
    copy.#block = this.#block;
    copy.scanned = this.scanned;
    return copy;
  }

  #drop(): void {
    const excess = this.scanned - this.#base - LEFT_CONTEXT;
    if (excess <= DROP_STEP) return;
    this.#text = this.#text.slice(excess);
    this.#base += excess;
    this.#block = { at: this.#block.at - excess, inside: this.#block.inside };
  }
}
