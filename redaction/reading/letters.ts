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
const ALL = new RegExp(LOOK_ALIKE.source, 'g');

/** True when the text holds a look-alike. */
export function hasLookAlike(text: string): boolean {
  return LOOK_ALIKE.test(text);
}

/** The text with look-alikes replaced, unit by unit. */
export function foldLetters(text: string): string {
  return text.replace(ALL, (letter) => DOUBLES.get(letter) ?? letter);
}
