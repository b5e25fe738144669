/** Finding a place in JSON source text by pointer, to edit it there. The text is known to be valid. */
import { decodeString, endOfString, endOfValue, skipSpace } from './json-scan.ts';

export interface Member {
  /** Decoded name, or the index of an array element. */
  readonly name: string;
  /** Offset of the name token, or of the value in an array. */
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

export interface Container {
  readonly isObject: boolean;
  /** Offset of the opening bracket. */
  readonly open: number;
  readonly members: readonly Member[];
}

/** The members of the container at `at`; null when a scalar stands there. */
export function readContainer(source: string, at: number): Container | null {
  const open = skipSpace(source, at);
  const bracket = source.charAt(open);
  if (bracket !== '{' && bracket !== '[') return null;
  const isObject = bracket === '{';
  const members: Member[] = [];
  let next = skipSpace(source, open + 1);
  while (source.charAt(next) !== '}' && source.charAt(next) !== ']') {
    const member = readMember(source, next, isObject, members.length);
    members.push(member);
    next = skipSpace(source, member.end);
    if (source.charAt(next) === ',') next = skipSpace(source, next + 1);
  }
  return { isObject, open, members };
}

function readMember(source: string, start: number, isObject: boolean, index: number): Member {
  if (!isObject) return { name: String(index), start, valueStart: start, end: endOfValue(source, start) };
  const nameEnd = endOfString(source, start);
  const valueStart = skipSpace(source, skipSpace(source, nameEnd) + 1);
  return { name: decodeString(source, start, nameEnd), start, valueStart, end: endOfValue(source, valueStart) };
}

export interface Location {
  readonly container: Container;
  /** Undefined: the container has no such member. */
  readonly member: Member | undefined;
}

/** Where the last token of a non-empty pointer lies; null when an earlier token leads nowhere. */
export function locate(source: string, tokens: readonly string[]): Location | null {
  let at = 0;
  for (const [i, token] of tokens.entries()) {
    const container = readContainer(source, at);
    if (container === null) return null;
    const member = container.members.find((one) => one.name === token);
    if (i === tokens.length - 1) return { container, member };
    if (member === undefined) return null;
    at = member.valueStart;
  }
  return null;
}
