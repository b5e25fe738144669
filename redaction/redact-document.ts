/** Redaction of a document: one edit for each text that changes. */
import type { DocumentFinding } from './classify.ts';
import { encodePayload } from './data-url.ts';
import { layoutOf, placeOf } from './document.ts';
import type { JsonDocument, Layout } from './document.ts';
import type { DocumentEdit } from './edit.ts';
import { rulesFor } from './operators.ts';
import type { AppliedRedaction, RedactionContext, RedactionRule } from './operators.ts';
import { createAppliedTally, redactionSplices } from './redact.ts';
import { applySplices } from './splice.ts';
import type { Splice } from './splice.ts';
import type { TokenVault } from './tokens.ts';

export interface DocumentRedaction {
  readonly edits: DocumentEdit[];
  readonly applied: AppliedRedaction[];
  /** Placeholders put back. */
  readonly restored: number;
}

/**
 * Edits that carry out the rules; with `restore`, the placeholders of that vault are put back after redaction (the answer's
 * side). Strings inside JSON arguments stay strings of that JSON, so a restored quote cannot break out of it. To keep
 * values first seen in the answer as tokens, pass another vault in `context` than in `restore`.
 */
export function redactDocument(
  document: JsonDocument,
  findings: readonly DocumentFinding[],
  rules: readonly RedactionRule[],
  context: RedactionContext,
  options: { restore?: TokenVault } = {},
): DocumentRedaction {
  const layout = layoutOf(document);
  const tally = createAppliedTally();
  const splices = new Map<number, Splice[]>();
  for (const [index, own] of groupByText(findings)) {
    const text = document.texts[index];
    if (text === undefined) continue;
    const made = redactionSplices(text.text, own, rulesFor(rules, text.pointer), context, tally);
    if (made.length > 0) splices.set(index, made);
  }
  foldPayloads(document, layout, splices);
  const changed = new Map<number, string>();
  for (const [index, own] of splices) changed.set(index, applySplices(document.texts[index]?.text ?? '', own));
  const restored = options.restore === undefined ? 0 : restoreTexts(document, layout, changed, options.restore);
  keepNamesApart(document, layout, changed);
  const edits = [...changed]
    .sort(([a], [b]) => a - b)
    .map(([index, text]): DocumentEdit => ({ op: 'text', index, text }));
  return { edits, applied: tally.list(), restored };
}

function groupByText(findings: readonly DocumentFinding[]): Map<number, DocumentFinding[]> {
  const groups = new Map<number, DocumentFinding[]>();
  for (const finding of findings) {
    const group = groups.get(finding.textIndex);
    if (group === undefined) groups.set(finding.textIndex, [finding]);
    else group.push(finding);
  }
  return groups;
}

/** The text of a data: URL is edited in the string that holds the URL, re-encoded as it was. */
function foldPayloads(document: JsonDocument, layout: Layout, splices: Map<number, Splice[]>): void {
  const owned = [...splices.keys()].filter((index) => placeOf(layout, index).inside !== null);
  for (const index of owned) {
    const own = splices.get(index) ?? [];
    const { inside } = placeOf(layout, index);
    if (inside === null) continue;
    splices.delete(index);
    const { start, end, isBase64 } = inside.url;
    const text = encodePayload(applySplices(document.texts[index]?.text ?? '', own), isBase64);
    splices.set(inside.text, [...(splices.get(inside.text) ?? []), { start, end, text }]);
  }
}

function restoreTexts(document: JsonDocument, layout: Layout, changed: Map<number, string>, vault: TokenVault): number {
  if (vault.size === 0) return 0;
  let restored = 0;
  for (const [index, { text }] of document.texts.entries()) {
    // Inside an encoded payload nothing is minted, so there is nothing to put back.
    if (layout.places[index]?.inside !== null) continue;
    const result = vault.restore(changed.get(index) ?? text);
    if (result.count === 0) continue;
    restored += result.count;
    changed.set(index, result.text);
  }
  return restored;
}

/** Two redacted member names of one object can become equal; the later ones get a number, as duplicates would be refused. */
function keepNamesApart(document: JsonDocument, layout: Layout, changed: Map<number, string>): void {
  if (![...changed.keys()].some((index) => document.texts[index]?.isKey === true)) return;
  const taken = new Map<string, Set<string>>();
  const namesOf = (index: number): Set<string> => {
    const { host, object } = placeOf(layout, index);
    const id = `${String(host)}/${String(object)}`;
    const names = taken.get(id) ?? new Set();
    taken.set(id, names);
    return names;
  };
  for (const [index, text] of document.texts.entries()) {
    if (text.isKey && !changed.has(index)) namesOf(index).add(text.text);
  }
  for (const [index, name] of changed) {
    if (document.texts[index]?.isKey !== true) continue;
    const names = namesOf(index);
    let unique = name;
    for (let number = 2; names.has(unique); number++) unique = `${name}_${String(number)}`;
    names.add(unique);
    changed.set(index, unique);
  }
}
