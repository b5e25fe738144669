import type { SealedBody } from '../seal.ts';

/** An item with everything the append function needs, sealed before it waits. */
export interface SealedItem {
  readonly log: string;
  readonly kind: string;
  readonly class: string;
  readonly call: string;
  readonly timeMs: number;
  readonly body: SealedBody;
  readonly keyRef: string | null;
  readonly open: boolean;
  /** Reserved by a decision, booked by an outcome; nano-USD. */
  readonly amount: bigint | null;
  readonly scopes: readonly string[];
}

/** A signature waiting to be stored beside its entry. */
export interface StoredReceipt {
  readonly log: string;
  readonly seq: number;
  readonly digest: string;
  readonly signature: string;
}

/** Who appends, and with which number the batch goes on. */
export interface WriterPosition {
  readonly wid: string;
  readonly generation: string;
  readonly nextWseq: number;
}

/** The append function's answer to one item. */
export type Answer =
  | {
      readonly is: 'appended';
      readonly seq: number;
      readonly timeMs: number;
      readonly hash: string;
      readonly wseq: number;
    }
  | { readonly is: 'budget_exceeded' | 'unknown_scope'; readonly scope: string }
  | { readonly is: 'call_closed' | 'duplicate' | 'absent' };

const COLUMNS = 24;
const PARAMETERS = Array.from({ length: COLUMNS }, (_, index) => `$${String(index + 1)}`).join(',');
export const APPEND_SQL = `select ledger.append(${PARAMETERS}) as answer`;

/** Parameters of the append call for items sorted by log. `ask` marks items that are only looked up. */
export function encodeBatch(
  writer: WriterPosition,
  items: readonly SealedItem[],
  receipts: readonly StoredReceipt[],
  again: { readonly ask: readonly boolean[] } | null,
): (string | boolean)[] {
  const scoped = items.some((item) => item.scopes.length > 0);
  return [
    writer.wid,
    writer.generation,
    String(writer.nextWseq),
    again !== null,
    list(items, (item) => item.log),
    list(items, (item) => item.kind),
    list(items, (item) => item.class),
    list(items, (item) => item.call),
    array(items, (item) => String(item.timeMs)),
    list(items, (item) => item.body.root),
    list(items, (item) => item.body.leaves),
    // Canonical JSON holds no raw line feed.
    items.map((item) => item.body.facts).join('\n'),
    list(items, (item) => item.body.factsSalt),
    list(items, (item) => item.body.sealed ?? ''),
    list(items, (item) => item.body.content ?? ''),
    array(items, (item) => item.keyRef ?? 'null'),
    array(items, (item) => (item.open ? 't' : 'f')),
    array(items, (item) => (item.amount === null ? 'null' : item.amount.toString())),
    scoped ? array(items, (item) => `"${item.scopes.join(',')}"`) : '{}',
    again === null ? '{}' : array(again.ask, (ask) => (ask ? 't' : 'f')),
    list(receipts, (receipt) => receipt.log),
    array(receipts, (receipt) => String(receipt.seq)),
    list(receipts, (receipt) => receipt.digest),
    list(receipts, (receipt) => receipt.signature),
  ];
}

/** Texts without a comma, separated by commas: an array literal would be read character by character. */
function list<T>(values: readonly T[], write: (value: T) => string): string {
  let text = '';
  for (const [index, value] of values.entries()) text += index === 0 ? write(value) : ',' + write(value);
  return text;
}

/** A PostgreSQL array literal. The driver's own serializer copies every value several times; ours are digits or checked ids. */
function array<T>(values: readonly T[], write: (value: T) => string): string {
  return '{' + list(values, write) + '}';
}

/** Reads the answer; one element per item, in order. Null when it is not what the function promises. */
export function decodeAnswer(text: string, items: number): Answer[] | null {
  const tokens = text.split(',');
  if (tokens.length !== items) return null;
  const answers: Answer[] = [];
  for (const token of tokens) {
    const answer = decodeToken(token);
    if (answer === null) return null;
    answers.push(answer);
  }
  return answers;
}

function decodeToken(token: string): Answer | null {
  if (token === 'x') return { is: 'call_closed' };
  if (token === '=') return { is: 'duplicate' };
  if (token === '0') return { is: 'absent' };
  if (token.startsWith('-:')) return { is: 'budget_exceeded', scope: token.slice(2) };
  if (token.startsWith('?:')) return { is: 'unknown_scope', scope: token.slice(2) };
  const [seq, timeMs, hash, wseq] = token.split(':');
  if (hash?.length !== 64 || wseq === undefined) return null;
  return { is: 'appended', seq: Number(seq), timeMs: Number(timeMs), hash, wseq: Number(wseq) };
}
