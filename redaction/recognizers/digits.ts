/** Character codes as checks look at them. */

export const ZERO = 48;

export function isDigit(code: number): boolean {
  return code >= ZERO && code <= ZERO + 9;
}

/** A letter or digit of ASCII, or `_`. */
export function isWordUnit(code: number): boolean {
  return isDigit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95;
}

/** How far the check of the last number read: the first unit it did not take. */
export const progress = { read: 0 };

export interface Separators {
  /** The class of them, as patterns write it. */
  readonly source: string;
  /** 1 for the code of each. */
  readonly members: Uint8Array;
}

export function separators(units: string): Separators {
  const members = new Uint8Array(0x2100);
  for (const unit of units) members[unit.charCodeAt(0)] = 1;
  return { source: `[${units.replace('-', '\\-')}]`, members };
}
