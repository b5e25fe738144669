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
const LOOK_ALIKE = new RegExp(`[${[...DOUBLES.keys()].join('')}]`);

/** The Latin letter of each look-alike, 0 for other code units; all lie below. */
const TABLE = new Uint8Array(0x600);
for (const [letter, double] of DOUBLES) TABLE[letter.charCodeAt(0)] = double.charCodeAt(0);

/** True when the text holds a look-alike. */
export function hasLookAlike(text: string): boolean {
  return LOOK_ALIKE.test(text);
}

/** Where look-alikes stand, ascending. */
export function lookAlikes(text: string): Int32Array {
  const places = new Int32Array(text.length);
  let count = 0;
  for (let i = 0; i < text.length; i++) if ((TABLE[text.charCodeAt(i)] ?? 0) !== 0) places[count++] = i;
  return places.subarray(0, count);
}

/** The text with look-alikes replaced, unit by unit. */
export function foldLetters(text: string): string {
  const units = new Uint16Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const double = code < TABLE.length ? (TABLE[code] ?? 0) : 0;
    units[i] = double === 0 ? code : double;
  }
  return Buffer.from(units.buffer).toString('utf16le');
}
