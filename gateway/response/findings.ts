/**
 * Findings in the texts of an answer outside its streamed channels: names, ids, annotations, tool-call arguments. Most of
 * them repeat from event to event, so a text found clean once is not scanned again in the same answer.
 */
import type {
  Analyzer,
  AppliedRedaction,
  DocumentEdit,
  FindingSummary,
  JsonDocument,
  RedactionContext,
  RedactionRule,
} from '../../redaction/index.ts';
import {
  classifyDocument,
  editDocument,
  publicPointer,
  readDocument,
  redactDocument,
  redactText,
} from '../../redaction/index.ts';

const CLEAN_TEXTS_MAX = 512;
const CLEAN_CHARS_MAX = 200;

export class Findings {
  readonly #analyzer: Analyzer;
  readonly #rules: readonly RedactionRule[];
  readonly #redaction: RedactionContext;
  readonly #clean = new Set<string>();
  readonly #summaries: FindingSummary[] = [];
  readonly #applied: AppliedRedaction[] = [];
  restored = 0;

  constructor(analyzer: Analyzer, rules: readonly RedactionRule[], redaction: RedactionContext) {
    this.#analyzer = analyzer;
    this.#rules = rules;
    this.#redaction = redaction;
  }

  /** Scans every text of an event that is not covered by a channel; returns the edits the rules ask for. */
  scan(document: JsonDocument, covered: ReadonlySet<string>): DocumentEdit[] {
    const edits: DocumentEdit[] = [];
    document.texts.forEach(({ pointer, text }, index) => {
      if (this.#clean.has(text) || isCovered(pointer, covered)) return;
      const cleaned = this.#cleanText(text, pointer);
      if (cleaned !== text) edits.push({ op: 'text', index, text: cleaned });
    });
    return edits;
  }

  /** A tool call's arguments, redacted and with placeholders restored inside the JSON they hold. */
  cleanJson(text: string, pointer: string): string {
    const document = readDocument(`{"arguments":${JSON.stringify(text)}}`);
    const { findings, summary } = classifyDocument(document, this.#analyzer, this.#redaction.hashKey);
    const redacted = redactDocument(document, findings, this.#rules, this.#redaction, {
      restore: this.#redaction.vault,
    });
    this.#summaries.push(
      ...summary.map((row) => ({ ...row, paths: [publicPointer(pointer, this.#redaction.hashKey)] })),
    );
    this.#applied.push(...redacted.applied);
    this.restored += redacted.restored;
    if (redacted.edits.length === 0) return text;
    const { arguments: cleaned } = JSON.parse(editDocument(document, redacted.edits)) as { arguments: string };
    return cleaned;
  }

  summary(more: readonly FindingSummary[]): FindingSummary[] {
    const byType = new Map<string, FindingSummary>();
    for (const row of [...this.#summaries, ...more]) {
      const known = byType.get(row.type);
      byType.set(
        row.type,
        known === undefined
          ? row
          : {
              ...known,
              count: known.count + row.count,
              max_score: Math.max(known.max_score, row.max_score),
              paths: [...new Set([...known.paths, ...row.paths])].slice(0, 16),
            },
      );
    }
    return [...byType.values()].sort((a, b) => (a.type < b.type ? -1 : 1));
  }

  applied(more: readonly AppliedRedaction[]): AppliedRedaction[] {
    const byKind = new Map<string, AppliedRedaction>();
    for (const row of [...this.#applied, ...more]) {
      const key = `${row.type} ${row.operator}`;
      byKind.set(key, { ...row, count: (byKind.get(key)?.count ?? 0) + row.count });
    }
    return [...byKind.values()];
  }

  #cleanText(text: string, pointer: string): string {
    const findings = this.#analyzer.analyze(text);
    const restored = this.#redaction.vault.size === 0 ? { text, count: 0 } : this.#redaction.vault.restore(text);
    if (findings.length === 0 && restored.count === 0) {
      if (text.length <= CLEAN_CHARS_MAX && this.#clean.size < CLEAN_TEXTS_MAX) this.#clean.add(text);
      return text;
    }
    for (const { type, kind, score } of findings) {
      this.#summaries.push({
        type,
        kind,
        count: 1,
        max_score: score,
        paths: [publicPointer(pointer, this.#redaction.hashKey)],
      });
    }
    const redacted = redactText(text, findings, this.#rules, this.#redaction);
    this.#applied.push(...redacted.applied);
    const final = this.#redaction.vault.restore(redacted.text);
    this.restored += final.count;
    return final.text;
  }
}

function isCovered(pointer: string, covered: ReadonlySet<string>): boolean {
  if (covered.has(pointer)) return true;
  const embedded = pointer.indexOf('#');
  return embedded > 0 && covered.has(pointer.slice(0, embedded));
}
