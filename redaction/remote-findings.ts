/** What another service found in the texts of a document, added to what was found here. */
import { codePointOffsets } from './anonymize/code-points.ts';
import type { Classification, DocumentFinding } from './classify.ts';
import { layoutOf } from './document.ts';
import type { JsonDocument } from './document.ts';
import { RedactionError } from './errors.ts';
import { createTally, utf16 } from './finding.ts';
import { publicPointer } from './pointer.ts';

/** A text for a remote detector, with the places of the document where it stands. */
export interface RemoteText {
  readonly text: string;
  /** Indices into the document's texts. */
  readonly textIndices: readonly number[];
}

/** What a detector says it found. */
export interface RemoteSpan {
  readonly type: string;
  /** Code points. */
  readonly start: number;
  readonly end: number;
  /** 0 to 1. */
  readonly score: number;
}

/** The results of one detector for the texts it was given, in their order. */
export interface RemoteResults {
  /** Name of the detector, for findings and the ledger. */
  readonly detector: string;
  readonly texts: readonly RemoteText[];
  readonly spans: readonly (readonly RemoteSpan[])[];
}

/** Two letters in a row; a text without them holds no name. */
const WORD = /\p{L}{2}/u;
const ENTITY_TYPE = /^[A-Z][A-Z0-9_]{0,63}$/;
const MAX_SPANS = 10_000;

/** Every different text that has words. Encoded attachments are blank, so that offsets stay and nothing is sent for them. */
export function remoteTexts(document: JsonDocument): RemoteText[] {
  const { places } = layoutOf(document);
  const byText = new Map<string, number[]>();
  for (const [index, { text }] of document.texts.entries()) {
    const shown = blanked(text, places[index]?.opaque ?? []);
    if (!WORD.test(shown)) continue;
    const indices = byText.get(shown);
    if (indices === undefined) byText.set(shown, [index]);
    else indices.push(index);
  }
  return [...byText].map(([text, textIndices]) => ({ text, textIndices }));
}

function blanked(text: string, ranges: readonly (readonly [number, number])[]): string {
  return ranges.reduce((rest, [start, end]) => rest.slice(0, start) + ' '.repeat(end - start) + rest.slice(end), text);
}

/**
 * The classification with these findings too. Trust boundary: another service chose them.
 * @throws RedactionError `not_operable` when they do not fit the texts, `limit_exceeded` for more than 10,000
 */
export function addRemoteFindings(
  document: JsonDocument,
  classification: Classification,
  results: RemoteResults,
): Classification {
  if (results.spans.length !== results.texts.length) throw misfit();
  if (results.spans.reduce((sum, { length }) => sum + length, 0) > MAX_SPANS) {
    throw new RedactionError(
      'limit_exceeded',
      `Expected at most ${String(MAX_SPANS)} findings of a detector, found more.`,
    );
  }
  const added = results.texts.flatMap((remote, at) => findingsOf(remote, results.spans[at] ?? [], results.detector));
  const findings = [...classification.findings, ...added];
  const tally = createTally();
  const { pointerKey } = layoutOf(document);
  for (const finding of findings) {
    tally.add(finding, publicPointer(document.texts[finding.textIndex]?.pointer ?? '', pointerKey));
  }
  return {
    ...classification,
    findings,
    summary: tally.summary(),
    detectors: [...classification.detectors, results.detector],
  };
}

function findingsOf(
  { text, textIndices }: RemoteText,
  spans: readonly RemoteSpan[],
  detector: string,
): DocumentFinding[] {
  if (spans.length === 0) return [];
  const offsets = codePointOffsets(text);
  return spans.flatMap(({ type, start, end, score }) => {
    const [from, to] = [offsets(start), offsets(end)];
    const isInside = Number.isInteger(start) && Number.isInteger(end) && start < end && from !== null && to !== null;
    if (!isInside || !ENTITY_TYPE.test(type) || !(score >= 0 && score <= 1)) throw misfit();
    const place = { start: utf16(from), end: utf16(to), score: Math.round(score * 1000), recognizer: detector };
    return textIndices.map((textIndex): DocumentFinding => ({ type, kind: 'pii', ...place, textIndex }));
  });
}

function misfit(): RedactionError {
  return new RedactionError(
    'not_operable',
    'Expected findings with an entity type, a score from 0 to 1 and a place in their text, found others.',
  );
}
