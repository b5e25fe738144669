/** International bank account numbers: the registry's formats, modulus 97, and how they are found in running text. */
import type { PatternMatch } from '../recognizer.ts';

/** Bank part by country in the registry's notation: count, then n digits, a letters, c either. */
const FORMATS: Readonly<Record<string, string>> = Object.fromEntries(
  `AD 8n12c|AE 19n|AL 8n16c|AT 16n|AZ 4a20c|BA 16n|BE 12n|BG 4a6n8c|BH 4a14c|BR 23n1a1c|BY 4c4n16c|CH 5n12c|CR 18n|
  CY 8n16c|CZ 20n|DE 18n|DK 14n|DO 4c20n|EE 16n|EG 25n|ES 20n|FI 14n|FO 14n|FR 10n11c2n|GB 4a14n|GE 2a16n|GI 4a15c|
  GL 14n|GR 7n16c|GT 24c|HR 17n|HU 24n|IE 4a14n|IL 19n|IQ 4a15n|IS 22n|IT 1a10n12c|JO 4a4n18c|KW 4a22c|KZ 3n13c|
  LB 4n20c|LC 4a24c|LI 5n12c|LT 16n|LU 3n13c|LV 4a13c|LY 21n|MC 10n11c2n|MD 20c|ME 18n|MK 3n10c2n|MR 23n|
  MT 4a5n18c|MU 4a19n3a|NL 4a10n|NO 11n|PK 4a16c|PL 24n|PS 4a21c|PT 21n|QA 4a21c|RO 4a16c|RS 18n|SA 2n18c|
  SC 4a20n3a|SD 14n|SE 20n|SI 15n|SK 20n|SM 1a10n12c|ST 21n|SV 4a20n|TL 19n|TN 20n|TR 6n16c|UA 6n19c|VA 18n|
  VG 4a16n|XK 16n`
    .split('|')
    .map((row) => row.trim().split(' ') as [string, string]),
);

const CLASSES: Readonly<Record<string, string>> = { n: '[0-9]', a: '[A-Z]', c: '[A-Z0-9]' };

const SHAPES = new Map(
  Object.entries(FORMATS).map(([country, format]) => {
    const bank = format.replace(
      /(\d+)([nac])/g,
      (_, count: string, kind: string) => `${CLASSES[kind] ?? ''}{${count}}`,
    );
    return [country, new RegExp(`^[A-Z]{2}[0-9]{2}${bank}$`)];
  }),
);

/** Format of the country and check digits; spaces and hyphens do not count. */
export function isIban(match: string): boolean {
  const code = match.replace(/[ -]/g, '');
  if (SHAPES.get(code.slice(0, 2))?.test(code) !== true) return false;
  let rest = 0;
  for (const character of code.slice(4) + code.slice(0, 4)) {
    const value = parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

const HEAD = /[A-Z]{2}[ -]?[0-9]{2}/g;
const BLOCK = /[ -]?([A-Z0-9]+)/y;
const MAX_LENGTH = 34;

/**
 * Every number with its longest valid extent: more capitals may follow a number, so each block of characters after which
 * it could end is tried, the furthest first. A head without a valid extent is reported too, with its furthest.
 */
export function* findIbans(text: string): Generator<PatternMatch> {
  HEAD.lastIndex = 0;
  let at = 0;
  for (;;) {
    HEAD.lastIndex = at;
    const head = HEAD.exec(text);
    if (head === null) return;
    at = head.index + 1;
    if (isCodeCharacter(text, head.index - 1)) continue;
    const ends = endsAfter(text, head.index + head[0].length);
    const end = ends.find((one) => isIban(text.slice(head.index, one))) ?? ends[0];
    if (end === undefined) continue;
    yield { pattern: 0, start: head.index, end };
    at = end;
  }
}

/** Where a number may end whose head ends at `afterHead`, furthest first. */
function endsAfter(text: string, afterHead: number): number[] {
  const ends: number[] = [];
  let length = 4;
  let at = afterHead;
  for (;;) {
    BLOCK.lastIndex = at;
    const block = BLOCK.exec(text)?.[1];
    if (block === undefined) break;
    length += block.length;
    if (length > MAX_LENGTH) break;
    at = BLOCK.lastIndex;
    if (length >= 15) ends.unshift(at);
    // Only the last block of a printed number is shorter than three.
    if (block.length < 3) break;
  }
  return ends;
}

function isCodeCharacter(text: string, at: number): boolean {
  return /[A-Z0-9]/.test(text.charAt(at));
}
