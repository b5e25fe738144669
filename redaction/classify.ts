/** Findings of a whole document, and what could not be scanned. */
import { AdjacentTexts } from './adjacent.ts';
import type { Analyzer } from './analyze.ts';
import type { Attachment } from './attachments.ts';
import { layoutOf } from './document.ts';
import type { DocumentText, JsonDocument } from './document.ts';
import { createTally, moveFinding, NOT_SCANNED, shiftFinding } from './finding.ts';
import type { Finding, FindingSummary } from './finding.ts';
import { isProtocolName, publicPointer } from './pointer.ts';

/** A finding in `texts[textIndex]` of its document; offsets count in that text. */
export interface DocumentFinding extends Finding {
  readonly textIndex: number;
}

/** Something that was not scanned, or not to its end. */
export interface Unscanned {
  readonly what: 'image' | 'audio' | 'video' | 'file' | 'remote_url' | 'too_many' | 'too_large' | 'detector';
  /** Public pointer; of a detector that failed, that of the whole document. */
  readonly path: string;
}

/** All that is known of a document: what was found, what was scanned, what could not be. */
export interface Classification {
  readonly findings: readonly DocumentFinding[];
  readonly summary: readonly FindingSummary[];
  readonly unscanned: readonly Unscanned[];
  readonly detectors: readonly string[];
  readonly scannedTexts: number;
  /** UTF-16 code units. */
  readonly scannedChars: number;
}

/** Longer values say what they are themselves. */
const NAMED_LENGTH = 256;

/**
 * Analyses every text of the document, values also as continuations of their neighbours and after the name of their
 * member. Attachments and texts with too many findings come back as `unscanned`. `pointerKey` hides names the caller chose,
 * see `publicPointer`.
 */
export function classifyDocument(
  document: JsonDocument,
  analyzer: Analyzer,
  pointerKey: Uint8Array | null = null,
): Classification {
  const layout = layoutOf(document);
  layout.pointerKey = pointerKey;
  const findings: DocumentFinding[] = [];
  const unscanned = document.attachments.map((attachment) => unscannedAttachment(attachment, pointerKey));
  const tally = createTally();
  const adjacent = new AdjacentTexts(analyzer);
  const report = (finding: Finding, textIndex: number, path: string): void => {
    const { type, kind, start, end, score, recognizer } = finding;
    findings.push({ type, kind, start, end, score, recognizer, textIndex });
    tally.add(finding, path);
  };
  let scannedChars = 0;
  for (const [textIndex, text] of document.texts.entries()) {
    const opaque = layout.places[textIndex]?.opaque ?? [];
    const found = scanText(text, opaque, analyzer);
    scannedChars += found.chars;
    if (found.findings.length > 0) {
      const path = publicPointer(text.pointer, pointerKey);
      if (found.findings.some(({ type }) => type === NOT_SCANNED)) unscanned.push({ what: 'too_many', path });
      for (const finding of found.findings) report(finding, textIndex, path);
    }
    if (text.isKey || opaque.length > 0) continue;
    for (const part of adjacent.add(text, textIndex, found.findings)) {
      report(part.finding, part.textIndex, publicPointer(document.texts[part.textIndex]?.pointer ?? '', pointerKey));
    }
  }
  return {
    findings,
    summary: tally.summary(),
    unscanned,
    detectors: analyzer.detectors,
    scannedTexts: document.texts.length,
    scannedChars,
  };
}

function scanText(
  text: DocumentText,
  opaque: readonly (readonly [number, number])[],
  analyzer: Analyzer,
): { findings: Finding[]; chars: number } {
  if (opaque.length === 0) return { findings: analyzeNamed(text, analyzer), chars: text.text.length };
  const findings: Finding[] = [];
  let chars = 0;
  let from = 0;
  for (const [start, end] of [...opaque, [text.text.length, text.text.length] as const]) {
    const part = text.text.slice(from, start);
    for (const finding of analyzer.analyze(part)) findings.push(shiftFinding(finding, from));
    chars += part.length;
    from = end;
  }
  return { findings, chars };
}

/** A value with the name of its member in front, which says what it is as a word of a sentence does (`ssn: 536221234`). */
function analyzeNamed({ pointer, text, isKey }: DocumentText, analyzer: Analyzer): Finding[] {
  const name = isKey || text.length > NAMED_LENGTH ? '' : nameOf(pointer);
  if (name === '') return analyzer.analyze(text);
  const prefix = `${name}: `;
  return analyzer.analyze(prefix + text).flatMap((finding) => {
    if (finding.end <= prefix.length) return [];
    const start = Math.max(0, finding.start - prefix.length);
    return [moveFinding(finding, start, finding.end - prefix.length)];
  });
}

const MAX_NAME = 64;

/** The member's own name in words; '' for elements of arrays and names of the protocol. */
function nameOf(pointer: string): string {
  const token = pointer.slice(pointer.lastIndexOf('/') + 1);
  if (token.length > MAX_NAME || isProtocolName(token) || token.includes('#')) return '';
  return token
    .replaceAll('~1', '/')
    .replaceAll('~0', '~')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2');
}

function unscannedAttachment({ pointer, modality, source }: Attachment, key: Uint8Array | null): Unscanned {
  return { what: source === 'remote_url' ? 'remote_url' : modality, path: publicPointer(pointer, key) };
}
