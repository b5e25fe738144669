/**
 * Redaction of a text that arrives in chunks. For every way of cutting it the output is `restore(redact(whole))`: a part is
 * released once no further text can change what is found in it, and detection looks at a fixed stretch to its left only.
 */
import type { Analyzer } from './analyze.ts';
import { clusterFindings } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { createTally, dropExplained, shiftFinding } from './finding.ts';
import type { Finding, FindingSummary } from './finding.ts';
import { rulesFor } from './operators.ts';
import type { AppliedRedaction, RedactionContext, RedactionRule } from './operators.ts';
import { publicPointer } from './pointer.ts';
import { endsBlock, PIECE_LENGTH } from './recognizers/private-key.ts';
import type { BlockState } from './recognizers/private-key.ts';
import { clusterSplices, createAppliedTally } from './redact.ts';
import { LEFT_CONTEXT, scan } from './scan.ts';
import type { ScanResult } from './scan.ts';
import { createStreamRestorer } from './stream-restore.ts';
import type { Piece } from './stream-restore.ts';
import type { TokenVault } from './tokens.ts';

/** Redacts one text that arrives in chunks. */
export interface StreamRedactor {
  /** Takes the next chunk and returns what is decided by now; never ends between the halves of a surrogate pair. */
  push(chunk: string): string;
  /** Decides and returns the rest. */
  end(): string;
  summary(): FindingSummary[];
  applied(): AppliedRedaction[];
  /** Code units pushed and not decided yet. */
  readonly held: number;
  /** Placeholders put back. */
  readonly restored: number;
}

export interface StreamOptions {
  readonly analyzer: Analyzer;
  readonly rules: readonly RedactionRule[];
  readonly context: RedactionContext;
  /** Its placeholders are put back after redaction; another vault than in `context` keeps values first seen here as tokens. */
  readonly restore?: TokenVault;
  /** Where the text stands in its document; selects the rules and names the place in the summary. */
  readonly pointer: string;
}

/**
 * What is known of the text so far. `text` begins with released text that detection may still look at; offsets count from its
 * start. Detection runs ahead of release when a chain of overlapping findings goes on, and never goes over a place twice.
 */
interface Position {
  readonly text: string;
  /** Everything before is released. */
  readonly released: number;
  /** All findings that start before are known. */
  readonly scanned: number;
  readonly block: BlockState;
  /** Known findings that are not released: those cut off at `released` first. */
  readonly open: readonly Finding[];
  /** All text from `scanned` on belongs to a private key whose end has not come. */
  readonly isInsideKey: boolean;
}

/** Released text is dropped when there is this much of it beyond what detection may look at. */
const DROP_STEP = 1024;

const BEGINNING: Position = {
  text: '',
  released: 0,
  scanned: 0,
  block: { at: 0, inside: false },
  open: [],
  isInsideKey: false,
};

/**
 * A redactor for one text. Its work is linear in the length of the text and its memory bounded: it holds back an unfinished
 * word or number, at most a private key of one piece (16,384 code units). Throws `unknown_operator` when a rule has one.
 */
export function createStreamRedactor(options: StreamOptions): StreamRedactor {
  const { analyzer, context, pointer } = options;
  const rules = rulesFor(options.rules, pointer);
  const path = publicPointer(pointer);
  const findingTally = createTally();
  const appliedTally = createAppliedTally();
  const restorer = createStreamRestorer(options.restore);
  let position = BEGINNING;
  const waiting = createWaiting();

  function push(chunk: string): string {
    if (chunk === '') return '';
    waiting.add(chunk);
    return continuesKey() ? '' : restorer.push(advance(false), false);
  }

  function continuesKey(): boolean {
    const { isInsideKey, text, scanned } = position;
    if (!isInsideKey || text.length - scanned + waiting.length >= PIECE_LENGTH) return false;
    return !endsBlock(text, waiting.chunks);
  }

  function advance(isFinal: boolean): Piece[] {
    const text = position.text + waiting.take();
    const { released, scanned, block, open } = position;
    const result = scan(analyzer.profile, text, { from: scanned, block }, isFinal, Infinity);
    if (!isFinal && result.horizon === scanned) {
      position = { text, released, scanned, block, open, isInsideKey: result.openKey === scanned };
      return [];
    }
    const fresh = dropExplained(result.findings, open);
    for (const finding of fresh) findingTally.add(finding, path);
    const known = [...open, ...fresh];
    const { clusters, upTo, rest } = clusterFindings(known, text, result.horizon);
    position = positionAfter(text, upTo, result, rest);
    return piecesOf(text, released, upTo, clusters);
  }

  function piecesOf(text: string, from: number, to: number, clusters: readonly Cluster[]): Piece[] {
    const pieces: Piece[] = [];
    let at = from;
    for (const cluster of clusters) {
      for (const { start, end, text: replacement } of clusterSplices(cluster, text, rules, context, appliedTally)) {
        pieces.push(verbatim(text.slice(at, start)));
        pieces.push({ text: replacement, inputLength: end - start, isVerbatim: false });
        at = end;
      }
    }
    pieces.push(verbatim(text.slice(at, to)));
    return pieces;
  }

  return {
    push,
    end() {
      return restorer.push(advance(true), true);
    },
    summary: () => findingTally.summary(),
    applied: () => appliedTally.list(),
    get held() {
      return position.text.length - position.released + waiting.length + restorer.held;
    },
    get restored() {
      return restorer.restored;
    },
  };
}

interface Waiting {
  readonly chunks: readonly string[];
  readonly length: number;
  add(chunk: string): void;
  take(): string;
}

/** Chunks not joined yet: inside a private key, joining at every chunk would copy the whole piece each time. */
function createWaiting(): Waiting {
  let chunks: string[] = [];
  let length = 0;
  return {
    get chunks() {
      return chunks;
    },
    get length() {
      return length;
    },
    add(chunk) {
      chunks.push(chunk);
      length += chunk.length;
    },
    take() {
      const text = chunks.join('');
      chunks = [];
      length = 0;
      return text;
    },
  };
}

function verbatim(text: string): Piece {
  return { text, inputLength: text.length, isVerbatim: true };
}

/** Drops the text nothing can look at any more, so that memory and work do not grow with the stream. */
function positionAfter(text: string, released: number, result: ScanResult, open: readonly Finding[]): Position {
  // In steps: every drop moves all offsets.
  const start = released > LEFT_CONTEXT + DROP_STEP ? released - LEFT_CONTEXT : 0;
  const block = result.blockAt(result.horizon);
  return {
    text: text.slice(start),
    released: released - start,
    scanned: result.horizon - start,
    block: { at: block.at - start, inside: block.inside },
    open: start === 0 ? open : open.map((finding) => shiftFinding(finding, -start)),
    isInsideKey: result.openKey === result.horizon,
  };
}
