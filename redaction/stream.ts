/**
 * Redaction of a text that arrives in chunks. For every way of cutting it the output is `restore(redact(whole))`: a part is
 * released once no further text can change what is found in it, and detection looks at a fixed stretch to its left only.
 */
import type { Analyzer } from './analyze.ts';
import { clusterFindings } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { StreamDetector } from './detect.ts';
import { createTally, dropExplained, shiftFinding } from './finding.ts';
import type { Finding, FindingSummary } from './finding.ts';
import { rulesFor } from './operators.ts';
import type { AppliedRedaction, RedactionContext, RedactionRule } from './operators.ts';
import { publicPointer } from './pointer.ts';
import { endsBlock, PIECE_LENGTH } from './recognizers/private-key.ts';
import { clusterSplices, createAppliedTally } from './redact.ts';
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
 * Code units that are never exceeded by what is held back: a piece of a private key, each of its characters with as many
 * invisible ones as are dropped. Ordinary text is held back by an unfinished word or number.
 */
export const MAX_HELD = 17 * PIECE_LENGTH;

/**
 * What is known of the text so far. Detection runs ahead of release when a chain of overlapping findings goes on, and
 * never goes over a place twice. Offsets count from the beginning of `text`.
 */
interface Position {
  /** Not released yet. */
  readonly text: string;
  /** Offset of `text` in the stream. */
  readonly base: number;
  /** Known findings that are not released: those cut off at the beginning of `text` first. */
  readonly open: readonly Finding[];
}

/**
 * A redactor for one text. Its work is linear in the length of the text and its memory bounded: it holds back an unfinished
 * word or number, at most a private key of one piece (16,384 code units). Throws `unknown_operator` when a rule has one.
 */
export function createStreamRedactor(options: StreamOptions): StreamRedactor {
  const { analyzer, context, pointer } = options;
  const rules = rulesFor(options.rules, pointer);
  const path = publicPointer(pointer, context.hashKey);
  const findingTally = createTally();
  const appliedTally = createAppliedTally();
  const restorer = createStreamRestorer(options.restore);
  const detector = new StreamDetector(analyzer.profile);
  const waiting = createWaiting();
  let position: Position = { text: '', base: 0, open: [] };

  function push(chunk: string): string {
    if (chunk === '') return '';
    waiting.add(chunk);
    return continuesKey() ? '' : restorer.push(advance(false), false);
  }

  function continuesKey(): boolean {
    const key = detector.openKey;
    if (key === null || key.length + waiting.length >= PIECE_LENGTH) return false;
    return !endsBlock(key.text, waiting.chunks);
  }

  function advance(isFinal: boolean): Piece[] {
    const chunk = waiting.take();
    const { base, open } = position;
    const text = position.text + chunk;
    const { findings, horizon } = detector.push(chunk, isFinal);
    const fresh = dropExplained(base === 0 ? findings : findings.map((one) => shiftFinding(one, -base)), open);
    for (const finding of fresh) findingTally.add(finding, path);
    const { clusters, upTo, rest } = clusterFindings([...open, ...fresh], text, horizon - base);
    position = {
      text: text.slice(upTo),
      base: base + upTo,
      open: upTo === 0 ? rest : rest.map((finding) => shiftFinding(finding, -upTo)),
    };
    return piecesOf(text, upTo, clusters);
  }

  function piecesOf(text: string, to: number, clusters: readonly Cluster[]): Piece[] {
    const pieces: Piece[] = [];
    let at = 0;
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
      return position.text.length + waiting.length + restorer.held;
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
