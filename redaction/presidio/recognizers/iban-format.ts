/** International bank account numbers: the registry's formats, modulus 97, and how they are found in running text. */
import type { PatternMatch, Verdict } from '../recognizer.ts';

/**
 * Bank part by country in the registry's notation: count, then n digits, a letters, c either, z zeros; where Presidio is seen to ask
 * for less or for other characters than the registry, as it does.
 */
const FORMATS: Readonly<Record<string, string>> = Object.fromEntries(
  `AD 8n12c|AE 19n|AL 8n16c|AT 16n|AZ 4c20n|BA 16n|BE 12n|BG 4a6n8c|BH 4a14c|BR 23n1a1c|BY 4c4n16c|CH 5n12c|CR 1z17n|
  CY 8n16c|CZ 20n|DE 18n|DK 14n|DO 4a20n|EE 16n|EG 25n|ES 20n|FI 14n|FO 14n|FR 10n11c2n|GB 4a14n|GE 2c16n|GI 4a15c|
  GL 14n|GR 7n16c|GT 24c|HR 17n|HU 24n|IE 4c14n|IL 19n|IQ 4a15n|IS 22n|IT 1a10n12c|JO 4a22n|KW 4a22c|KZ 3n13c|
  LB 4n20c|LC 4a24c|LI 5n12c|LT 16n|LU 3n13c|LV 4a13c|LY 21n|MC 10n11c2n|MD 20c|ME 18n|MK 3n10c2n|MR 23n|
  MT 4a5n18c|MU 4a19n1a|NL 4a10n|NO 11n|PK 4c16n|PL 24n|PS 4c17n|PT 17n|QA 4a17c|RO 4a16c|RS 18n|SA 2n18c|
  SC 4a20n3a|SE 20n|SI 15n|SK 20n|SM 1a10n12c|TL 19n|TN 20n|TR 5n17c|UA 6n19c|VA 18n|
  VG 4c16n|XK 16n`
    .split('|')
    .map((row) => row.trim().split(' ') as [string, string]),
);

const CLASSES: Readonly<Record<string, string>> = { n: '[0-9]', a: '[A-Z]', c: '[A-Z0-9]', z: '0' };

const SHAPES = new Map(
  Object.entries(FORMATS).map(([country, format]) => {
    const bank = format.replace(
      /(\d+)([nacz])/g,
      (_, count: string, kind: string) => `${CLASSES[kind] ?? ''}{${count}}`,
    );
    return [country, new RegExp(`^[A-Z]{2}[0-9]{2}${bank}`)];
  }),
);

/**
 * Format of the country and check digits; spaces and hyphens do not count, and more may stand behind the format. What is
 * right but for small letters is neither proven nor excluded.
 */
export function checkIban(match: string): Verdict {
  const code = match.replace(/[ -]/g, '');
  if (!isModulo97(code)) return false;
  if (hasFormat(code)) return true;
  return hasFormat(code.toUpperCase()) ? null : false;
}

function hasFormat(code: string): boolean {
  return SHAPES.get(code.slice(0, 2))?.test(code) === true;
}

/** ISO 7064 MOD 97-10 over the number with its head moved to the end; letters count from 10. */
function isModulo97(code: string): boolean {
  let rest = 0;
  for (const character of code.slice(4) + code.slice(0, 4)) {
    const value = parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

interface Forms {
  readonly head: RegExp;
  readonly block: RegExp;
  /** Ends a number; no character of a code follows. */
  readonly tail: RegExp;
}

const FORMS: Readonly<Record<'any' | 'capitals', Forms>> = { any: formsOf('i'), capitals: formsOf('') };
const MOST_BLOCKS = 7;

function formsOf(flag: string): Forms {
  return {
    head: new RegExp('(?<![A-Z0-9])[A-Z]{2}[0-9]{2}', `g${flag}`),
    block: new RegExp('[ -]?[A-Z0-9]{4}', `y${flag}`),
    tail: new RegExp('(?:[ -]?[A-Z0-9]{1,3})?(?![A-Z0-9])', `y${flag}`),
  };
}

/**
 * Numbers as printed: country and check digits, blocks of four, a shorter last one. Further words in capitals look like
 * blocks too, so each end of a block is tried, the furthest first. What is no number is reported with its whole extent.
 */
export function* findIbans(text: string, letters: 'any' | 'capitals'): Generator<PatternMatch> {
  const forms = FORMS[letters];
  let at = 0;
  for (;;) {
    forms.head.lastIndex = at;
    const head = forms.head.exec(text);
    if (head === null) return;
    const start = head.index;
    const ends = endsAfter(text, forms, forms.head.lastIndex);
    const [whole] = ends;
    at = whole ?? start + 1;
    if (whole === undefined) continue;
    const end = ends.find((one) => checkIban(text.slice(start, one)) !== false) ?? whole;
    yield { pattern: 0, start, end };
  }
}

/** Where a number may end whose head ends at `afterHead`, furthest first; none when it is part of a longer code. */
function endsAfter(text: string, { block, tail }: Forms, afterHead: number): number[] {
  const ends = [afterHead];
  for (let at = afterHead; ends.length <= MOST_BLOCKS; ends.unshift(at)) {
    block.lastIndex = at;
    if (!block.test(text)) break;
    at = block.lastIndex;
  }
  for (let end = ends[0]; end !== undefined; ends.shift(), end = ends[0]) {
    tail.lastIndex = end;
    if (tail.test(text)) return tail.lastIndex > end ? [tail.lastIndex, ...ends] : ends;
  }
  return [];
}
