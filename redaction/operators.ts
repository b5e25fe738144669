/** What takes the place of a finding. */
import { createHmac } from 'node:crypto';
import { surrogateFor } from './anonymize/surrogate.ts';
import { RedactionError } from './errors.ts';
import { NOT_SCANNED } from './finding.ts';
import type { Finding } from './finding.ts';
import { isBelow } from './pointer.ts';
import { normalise } from './tokens.ts';
import type { TokenVault } from './tokens.ts';

/** From strictest to mildest. */
const STRICTNESS = ['redact', 'replace', 'hash', 'surrogate', 'mask', 'tokenize'] as const;

/** How a finding is changed; of several that apply the strictest counts. */
export type Operator = (typeof STRICTNESS)[number];

/** One `redact` obligation: what is changed, how, and where. */
export interface RedactionRule {
  /** Entity types, or 'pii', 'secret', '*'. */
  readonly types: readonly string[];
  readonly operator: Operator;
  /** JSON pointer prefixes, `*` for one token; absent: everywhere. */
  readonly paths?: readonly string[];
}

/** The keys and the memory redaction needs. */
export interface RedactionContext {
  /** 32 bytes; hashes of equal values are equal under one key. */
  readonly hashKey: Uint8Array;
  readonly vault: TokenVault;
}

/** How many spans were changed by an operator under the name of a type. */
export interface AppliedRedaction {
  readonly type: string;
  readonly operator: Operator;
  readonly count: number;
}

/** The rules that hold for a text. An empty list of paths means nowhere, an absent one everywhere. */
export function rulesFor(rules: readonly RedactionRule[], pointer: string): readonly RedactionRule[] {
  if (rules.every((rule) => rule.paths === undefined)) return rules;
  return rules.filter((rule) => rule.paths === undefined || rule.paths.some((path) => isBelow(pointer, path)));
}

/** The strictest operator the rules ask for; null: the finding stays. Throws `unknown_operator`. */
export function operatorFor(rules: readonly RedactionRule[], finding: Finding): Operator | null {
  let strictest: number = STRICTNESS.length;
  for (const { types, operator } of rules) {
    const rank = STRICTNESS.indexOf(operator);
    if (rank === -1) {
      throw new RedactionError(
        'unknown_operator',
        `Expected one of ${STRICTNESS.join(', ')} as the operator of a redaction rule.`,
      );
    }
    if (rank < strictest && matchesType(types, finding)) strictest = rank;
  }
  return STRICTNESS[strictest] ?? null;
}

function matchesType(types: readonly string[], { type, kind }: Finding): boolean {
  return type === NOT_SCANNED || types.includes(type) || types.includes(kind) || types.includes('*');
}

export function isStricter(a: Operator, b: Operator): boolean {
  return STRICTNESS.indexOf(a) < STRICTNESS.indexOf(b);
}

/** `type` names the value; `keepLast` is how many of its last digits a mask may show. */
export function applyOperator(
  operator: Operator,
  value: { readonly type: string; readonly text: string; readonly keepLast: number },
  context: RedactionContext,
): string {
  switch (operator) {
    case 'redact':
      return '';
    case 'replace':
      return `<${value.type}>`;
    case 'hash':
      return `<${value.type}:${shortHash(value, context.hashKey)}>`;
    case 'surrogate':
      return surrogateFor(value.type, value.text, context.hashKey);
    case 'mask':
      return mask(value.text, value.keepLast);
    case 'tokenize':
      return context.vault.mint(value.type, value.text);
  }
}

/** Keyed, because values such as telephone numbers are few enough to try them all. */
function shortHash({ type, text }: { readonly type: string; readonly text: string }, key: Uint8Array): string {
  return createHmac('sha256', key)
    .update(`${type}\0${normalise(type, text)}`)
    .digest('hex')
    .slice(0, 16);
}

/** One `*` a code point; with `keepLast` only digits are masked, so that the form stays (`**** **** **** 1111`). */
function mask(text: string, keepLast: number): string {
  if (keepLast === 0) return '*'.repeat(Array.from(text).length);
  let left = keepLast;
  let masked = '';
  for (const char of text.split('').toReversed()) {
    const isDigit = char >= '0' && char <= '9';
    masked = (isDigit && left-- <= 0 ? '*' : char) + masked;
  }
  return masked;
}
