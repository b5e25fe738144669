import { Offsets } from './offsets.ts';

/**
 * One step of reading a text without its disguise: takes text in chunks and gives the derived text, the same for every way
 * of cutting. What depends on text that has not come is kept back.
 */
export interface Stage {
  /** Derived text that is decided now. `isFinal`: no more text will come. */
  push(chunk: string, isFinal: boolean): string;
  readonly offsets: Offsets;
  /** Input offset from which on nothing is derived yet. */
  readonly consumed: number;
  /** Something was derived that is not its own source. */
  readonly changed: boolean;
}

/** What a rule makes of the text at a place. */
export type Step =
  /** It depends on text that has not come. */
  | 'more'
  /** The rule does not apply here: the unit is taken over. */
  | null
  /** `length` units are replaced; `behind` units before them, already replaced, belong to them too. */
  | { readonly length: number; readonly text: string; readonly behind?: number };

/** A place in the text a stage has at hand. */
export interface Place {
  readonly text: string;
  readonly at: number;
  /** The same place counted from the beginning of the input. */
  readonly position: number;
  readonly isFinal: boolean;
}

export interface StageRule {
  /** The first offset at or after `at` where `step` may do something; the text's length if there is none. */
  next(place: Place): number;
  step(place: Place): Step;
  /** Units before the current place that what comes next may still belong to. */
  open?(): number;
}

/** A stage that applies one rule from left to right. */
export function createStage(rule: StageRule): Stage {
  const offsets = new Offsets();
  let pending = '';
  let consumed = 0;
  let changed = false;

  function push(chunk: string, isFinal: boolean): string {
    const text = pending + chunk;
    let out = '';
    let at = 0;
    while (at < text.length) {
      const next = rule.next({ text, at, position: consumed + at, isFinal });
      out += text.slice(at, next);
      offsets.copy(consumed + at, next - at);
      at = next;
      if (at === text.length) break;
      const position = consumed + at;
      const step = rule.step({ text, at, position, isFinal });
      if (step === 'more') break;
      if (step === null) {
        out += text.charAt(at);
        offsets.copy(position, 1);
        at += 1;
        continue;
      }
      offsets.replace(position - (step.behind ?? 0), position + step.length, step.text.length);
      out += step.text;
      at += step.length;
      changed = true;
    }
    pending = text.slice(at);
    consumed += at;
    return out;
  }

  return {
    push,
    offsets,
    get consumed() {
      return consumed - (rule.open?.() ?? 0);
    },
    get changed() {
      return changed;
    },
  };
}
