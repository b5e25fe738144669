/** Findings of a whole document, and what could not be scanned. */
import type { Analyzer } from './analyze.ts';
import type { Attachment } from './attachments.ts';
import { layoutOf } from './document.ts';
import type { DocumentText, JsonDocument } from './document.ts';
import { createTally, shiftFinding } from './finding.ts';
import type { Finding, FindingSummary } from './finding.ts';
import { publicPointer } from './pointer.ts';

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

/** Analyses every text of the document; attachments and texts with too many findings come back as `unscanned`. */
export function classifyDocument(document: JsonDocument, analyzer: Analyzer): Classification {
  const { places } = layoutOf(document);
  const findings: DocumentFinding[] = [];
  const unscanned = document.attachments.map(unscannedAttachment);
  const tally = createTally();
  let scannedChars = 0;
  for (const [textIndex, text] of document.texts.entries()) {
    const scanned = scanText(text, places[textIndex]?.opaque ?? [], analyzer);
    scannedChars += scanned.chars;
    if (scanned.findings.length === 0) continue;
    const path = publicPointer(text.pointer);
    if (scanned.findings.length > analyzer.maxFindings) unscanned.push({ what: 'too_many', path });
    for (const finding of scanned.findings) {
      const { type, kind, start, end, score, recognizer } = finding;
      findings.push({ type, kind, start, end, score, recognizer, textIndex });
      tally.add(finding, path);
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
  { text }: DocumentText,
  opaque: readonly (readonly [number, number])[],
  analyzer: Analyzer,
): { findings: Finding[]; chars: number } {
  if (opaque.length === 0) return { findings: analyzer.analyze(text), chars: text.length };
  const findings: Finding[] = [];
  let chars = 0;
  let from = 0;
  for (const [start, end] of [...opaque, [text.length, text.length] as const]) {
    const part = text.slice(from, start);
    for (const finding of analyzer.analyze(part)) findings.push(shiftFinding(finding, from));
    chars += part.length;
    from = end;
  }
  return { findings, chars };
}

function unscannedAttachment({ pointer, modality, source }: Attachment): Unscanned {
  return { what: source === 'remote_url' ? 'remote_url' : modality, path: publicPointer(pointer) };
}
