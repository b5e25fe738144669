/**
 * A text as someone reads it who undoes its disguise: one spelling for look-alike characters, nothing invisible, escapes
 * and base64 decoded, twice, because they nest. Each derived unit knows the place in the source it stands for.
 */
import { changesThrough } from './changed-places.ts';
import { base64Rule, hasBase64Text } from './base64.ts';
import { foldRule } from './fold.ts';
import { createStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { UNESCAPE } from './unescape.ts';

export interface Reading {
  /** Takes the next chunk of the source and returns the derived text decided by now. */
  push(chunk: string, isFinal: boolean): string;
  /** Something was derived that is not its own source; before, both texts are the same. */
  readonly changed: boolean;
  /** Source offset from which on nothing is derived yet. */
  readonly consumed: number;
  /** Derived units so far. */
  readonly length: number;
  /** Source span of the derived units [start, end). */
  startOf(offset: number): number;
  endOf(offset: number): number;
  /** Of a text that came in one piece: derived units that differ from the source, see `changesThrough`; null: they are all over it. */
  changes(): Int32Array | null;
  /** Nothing before this derived offset will be asked for again. */
  drop(offset: number): void;
}

const CUE = /[%&\\\u0080-\uffff]/;

/** True for a text that reads as it is written: the test nearly every text goes by. */
export function isPlain(text: string): boolean {
  return !CUE.test(text) && !hasBase64Text(text);
}

export function createReading(): Reading {
  const stages = [
    createStage(foldRule()),
    createStage(base64Rule()),
    createStage(UNESCAPE),
    createStage(base64Rule()),
    createStage(UNESCAPE),
    createStage(foldRule()),
  ];
  let length = 0;
  let input = 0;
  /** The last chunk and what each stage made of it. */
  let texts: string[] = [];

  function push(chunk: string, isFinal: boolean): string {
    let text = chunk;
    input += chunk.length;
    texts = [chunk];
    // What nothing was decoded in the first time holds nothing to decode the second time.
    const isWhole = isFinal && input === chunk.length;
    for (const [i, stage] of stages.entries()) {
      const isIdle = isWhole && (i === 3 || i === 4) && !isDecoded();
      text = stage.push(text, isFinal, isIdle);
      texts.push(text);
    }
    length += text.length;
    return text;
  }

  function isDecoded(): boolean {
    return stages.slice(1, 3).some(({ replacements }) => replacements > 0);
  }

  /** The last stage that keeps something back decides: what it waits for begins first. */
  function consumed(): number {
    for (let i = stages.length - 1; i > 0; i--) {
      const stage = stages[i];
      const before = stages[i - 1];
      if (stage === undefined || before === undefined || stage.consumed === before.offsets.length) continue;
      return sourceStart(stages.slice(0, i), stage.consumed);
    }
    return stages[0]?.consumed ?? input;
  }

  return {
    push,
    get changed() {
      return stages.some(({ replacements }) => replacements > 0);
    },
    get consumed() {
      return consumed();
    },
    get length() {
      return length;
    },
    startOf: (offset) => sourceStart(stages, offset),
    endOf: (offset) => stages.reduceRight((at, stage) => stage.offsets.endOf(at), offset),
    changes: () => changesThrough(stages, texts),
    drop(offset) {
      let at = offset;
      for (const stage of stages.toReversed()) {
        stage.offsets.drop(at);
        at = stage.offsets.startOf(at);
      }
    },
  };
}

function sourceStart(stages: readonly Stage[], offset: number): number {
  return stages.reduceRight((at, stage) => stage.offsets.startOf(at), offset);
}
