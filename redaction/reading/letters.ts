/**
 * Letters of other scripts that look like Latin ones (Unicode Technical Standard 39, the pairs that fonts draw alike). Each
 * is one code unit, as is its double: the folded text has the same offsets.
 */

/** Pairs: the look-alike, then the Latin letter. */
const PAIRS =
  // Cyrillic
  'аaеeоoрpсcуyхxіiјjѕsһhԁdԛqԝwӏlүyөoАAВBЕEКKМMНHОOРPСCТTУYХXІIЈJЅSԌGԚQԜWҮYӀIЗ3' +
  // Greek
  'οoαaνvρpιiυuϲcϳjΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXϹCͿJ' +
  // Armenian, Latin letters that look like others
  'օoսuհhոnցgզqՕOՍUıiɡgɑaɩi';

const DOUBLES: ReadonlyMap<string, string> = new Map(
  (PAIRS.match(/../gu) ?? []).map((pair) => [pair.charAt(0), pair.charAt(1)] as const),
);

/** The Latin letter of each look-alike, 0 for other code units; all lie below. */
const TABLE = new Uint8Array(0x600);
for (const [letter, double] of DOUBLES) TABLE[letter.charCodeAt(0)] = double.charCodeAt(0);

/** The text with look-alikes replaced, and where they stand, ascending; null when there are none. */
export function foldLetters(text: string): { readonly text: string; readonly places: Int32Array } | null {
  let first = 0;
  while (first < text.length && doubleOf(text.charCodeAt(first)) === 0) first += 1;
  if (first === text.length) return null;
  const units = new Uint16Array(text.length);
  const places = new Int32Array(text.length - first);
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const double = doubleOf(code);
    if (double !== 0) places[count++] = i;
    units[i] = double === 0 ? code : double;
  }
  return { text: Buffer.from(units.buffer).toString('utf16le'), places: places.subarray(0, count) };
}

/** 0: it looks like no Latin letter. */
function doubleOf(code: number): number {
  return code < TABLE.length ? (TABLE[code] ?? 0) : 0;
}
