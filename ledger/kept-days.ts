/**
 * Times for which contents of single calls can be kept: a week to ten years, leap days included, and a hundred. Calls of one time share
 * keys, so policies cannot make a key of every call.
 */
const KEPT_DAYS = [7, 30, 90, 184, 366, 731, 1096, 1827, 2192, 2557, 3653] as const;
const LONGEST_DAYS = 36_525;

/** The shortest of these times that is as long as what was asked for; 0 when nothing was. */
export function roundKeptDays(days = 0): number {
  if (days <= 0) return 0;
  return KEPT_DAYS.find((each) => each >= days) ?? LONGEST_DAYS;
}
