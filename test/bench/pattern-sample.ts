/** Strings that a recognizer's pattern describes, from a fixed seed. */

type Random = (below: number) => number;

/** Park and Miller's generator. */
export function createRandom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

/** A string the pattern describes; `fill` says how far repetitions go, 0 for as few as may be and 1 for 400. */
export function sample(pattern: string, fill: number, random: Random): string {
  let at = 0;
  const pick = (list: readonly string[]): string => list[random(list.length)] ?? '';

  function choice(): string {
    const options = [sequence()];
    while (pattern[at] === '|') {
      at += 1;
      options.push(sequence());
    }
    return pick(options);
  }

  function sequence(): string {
    let out = '';
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') {
      const start = at;
      let text = atom();
      const end = at;
      const [min, max] = counts();
      const after = at;
      const wanted = Math.min(400, Math.round(min + (max - min) * fill));
      if (wanted === 0) text = '';
      for (let count = 1; count < wanted; count++) {
        at = start;
        text += atom();
        at = end;
      }
      at = after;
      out += text;
    }
    return out;
  }

  function atom(): string {
    const char = pattern[at] ?? '';
    if (char === '(') {
      at += pattern.startsWith('(?:', at) ? 3 : 1;
      const inner = choice();
      at += 1;
      return inner;
    }
    const token = /\[\^?(?:\\.|[^\]\\])+\]|\\.|[^]/y;
    token.lastIndex = at;
    const source = token.exec(pattern)?.[0] ?? '';
    at += source.length;
    return source.length === 1 ? source : pick(membersOf(source));
  }

  function counts(): readonly [number, number] {
    const token = /\?|\{([0-9]+)(?:,([0-9]+))?\}/y;
    token.lastIndex = at;
    const match = token.exec(pattern);
    if (match === null) return [1, 1];
    at += match[0].length;
    if (match[0] === '?') return [0, 1];
    return [Number(match[1]), Number(match[2] ?? match[1])];
  }

  return choice();
}

const members = new Map<string, string[]>();

function membersOf(source: string): string[] {
  let known = members.get(source);
  if (known === undefined) {
    const expression = new RegExp(`^${source}$`);
    known = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter((char) => expression.test(char));
    members.set(source, known);
  }
  return known;
}
