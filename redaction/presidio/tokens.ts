/**
 * Words as a blank English tokenizer cuts them: at white space, then punctuation off both ends, then at some signs
 * between letters. Only what decides which words stand before a match is kept of its rules.
 */

export interface Token {
  readonly text: string;
  /** UTF-16 code units. */
  readonly start: number;
}

const PUNCTUATION = String.raw`…,:;!?¿؟¡()\[\]{}<>_#*&。？！，、；：～·।،۔؛٪'"”“${'`'}‘´’‚„»«「」『』（）〔〕【】《》〈〉`;
const CURRENCY = String.raw`\$£€¥฿₽﷼₴₠-₿`;
const ICON = String.raw`\p{So}`;
const PREFIX = new RegExp(String.raw`^(?:\.\.+|[${PUNCTUATION}§%=—–]|[${CURRENCY}]|${ICON}|\+(?![0-9]))`, 'u');
const SUFFIX = new RegExp(
  String.raw`(?:\.\.+|[${PUNCTUATION}—–]|${ICON}|['’][sS]|(?<=[0-9])\+|(?<=[0-9])[${CURRENCY}]|(?<=[0-9\p{Ll}%²\-+'"”’)\]…])\.|(?<=\p{Lu}\p{Lu})\.)$`,
  'u',
);
const CONTRACTION = /(?<=\p{L})(?:n['’]t|['’](?:ll|re|ve|d|m))$/iu;
const LETTER = String.raw`\p{L}`;
const INFIX = new RegExp(
  [
    String.raw`\.\.+|…|${ICON}`,
    String.raw`(?<=[0-9])[+\-*^](?=[0-9-])`,
    String.raw`(?<=[\p{Ll}'"”’])\.(?=[\p{Lu}'"“‘])`,
    `(?<=${LETTER}),(?=${LETTER})`,
    `(?<=[0-9${LETTER}])(?:---|--|——|[-–—~])(?=${LETTER})`,
    `(?<=[0-9${LETTER}])[:<>=/](?=${LETTER})`,
  ].join('|'),
  'gu',
);
/** Not cut at signs inside. */
const WEB_ADDRESS =
  /^(?:[a-z][a-z0-9+.-]{0,20}:\/\/)?[^\s/@:.]+(?:\.[^\s/@:.]+)*\.\p{L}{2,}(?::\d{2,5})?(?:[/?#]\S*)?$/iu;
/** A longer run of non-space is no words. */
const LONGEST = 512;

/** Nothing to cut: most words. */
const PLAIN = /^[A-Za-z0-9]+$/;

/** Tokens of one run without white space that starts at `start`. */
export function tokensOf(run: string, start: number): Token[] {
  if (run.length > LONGEST || PLAIN.test(run)) return [{ text: run, start }];
  const tail: Token[] = [];
  const tokens: Token[] = [];
  let from = 0;
  let to = run.length;
  for (;;) {
    const rest = run.slice(from, to);
    if (rest === '') break;
    const head = PREFIX.exec(rest)?.[0];
    if (head !== undefined) {
      tokens.push({ text: head, start: start + from });
      from += head.length;
      continue;
    }
    const end = (CONTRACTION.exec(rest) ?? SUFFIX.exec(rest))?.[0];
    if (end === undefined || end === rest) break;
    to -= end.length;
    tail.unshift({ text: end, start: start + to });
  }
  tokens.push(...splitInside(run.slice(from, to), start + from), ...tail);
  return tokens;
}

function splitInside(word: string, start: number): Token[] {
  if (word === '') return [];
  if (WEB_ADDRESS.test(word)) return [{ text: word, start }];
  const tokens: Token[] = [];
  let from = 0;
  for (const { 0: sign, index } of word.matchAll(INFIX)) {
    if (index > from) tokens.push({ text: word.slice(from, index), start: start + from });
    tokens.push({ text: sign, start: start + index });
    from = index + sign.length;
  }
  if (from < word.length) tokens.push({ text: word.slice(from), start: start + from });
  return tokens;
}
