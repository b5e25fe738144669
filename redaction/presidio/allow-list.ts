import { RedactionError } from '../errors.ts';
import { codePointsOf, compilePython, createReadBudget, firstMatch } from './pattern-machine.ts';
import type { Candidate } from './recognize.ts';
import type { PresidioRequest } from './request.ts';

const DEFAULT_FLAGS = 26;
const MOST_ENTRIES = 1000;

/** The test of whether a result's text is allowed: equal to an entry, or matched somewhere by one. */
export function isAllowed(text: string, request: PresidioRequest): (candidate: Candidate) => boolean {
  const { allowList = [], allowListMatch = 'exact', regexFlags = DEFAULT_FLAGS } = request;
  if (allowList.length > MOST_ENTRIES)
    throw new RedactionError(
      'limit_exceeded',
      `An allow list may have ${String(MOST_ENTRIES)} entries; found ${String(allowList.length)}.`,
    );
  switch (allowListMatch) {
    case 'exact': {
      const entries = new Set(allowList);
      return ({ start, end }) => entries.has(text.slice(start, end));
    }
    case 'regex':
      return matchesOne(
        text,
        allowList.filter((entry) => entry !== ''),
        regexFlags,
      );
    default:
      throw new RedactionError('invalid_request', "allow_list_match must either be set to 'exact' or 'regex'.");
  }
}

/** An entry may be a piece of an alternation, so all are one expression. */
function matchesOne(text: string, entries: readonly string[], flags: number): (candidate: Candidate) => boolean {
  if (entries.length === 0) return () => false;
  const program = compilePython(entries.join('|'), flags);
  const budget = createReadBudget(text.length);
  return ({ start, end }) => firstMatch(program, codePointsOf(text.slice(start, end)), budget) !== null;
}
