/** Governs an answer that arrived in one piece: classified, decided and redacted before any of it is released. */
import { hash } from 'node:crypto';
import type {
  Analyzer,
  AppliedRedaction,
  Classification,
  DocumentEdit,
  JsonDocument,
  JsonValue,
  RedactionContext,
  RedactionRule,
} from '../../redaction/index.ts';
import { classifyDocument, editDocument, redactDocument } from '../../redaction/index.ts';
import type { ResponseFacts } from '../pipeline/decide.ts';
import { readJsonObject } from './json-object.ts';

export interface WholeAnswer {
  readonly document: JsonDocument;
  readonly classification: Classification;
  readonly facts: ResponseFacts;
  readonly usage: JsonValue | null;
}

interface Message {
  readonly content?: unknown;
  readonly tool_calls?: unknown;
}
interface Choice {
  readonly message?: Message | null;
  readonly finish_reason?: unknown;
  readonly logprobs?: unknown;
}
type Body = { readonly choices?: readonly Choice[]; readonly usage?: JsonValue; readonly model?: unknown };

const BAD_ANSWER =
  'The upstream answered with something that is not a JSON object; it cannot be checked, so it is withheld.';

/** Reads and classifies. Throws `upstream_error` for anything that is not a JSON object: it could not be scanned. */
export function readAnswer(source: string, analyzer: Analyzer, pointerKey: Uint8Array | null): WholeAnswer {
  const document = readJsonObject(source, BAD_ANSWER);
  const body = document.value as Body;
  const choices = choicesOf(document);
  const finish = choices[0]?.finish_reason;
  return {
    document,
    classification: classifyDocument(document, analyzer, pointerKey),
    facts: {
      finish_reason: typeof finish === 'string' ? finish.slice(0, 64) : null,
      bytes: Buffer.byteLength(source),
      tool_calls: choices.flatMap((choice) => toolCalls(choice.message ?? {})),
    },
    usage: typeof body.usage === 'object' ? body.usage : null,
  };
}

export interface AnswerRules {
  readonly rules: readonly RedactionRule[];
  readonly redaction: RedactionContext;
  readonly disclose: string;
  readonly modelAlias: string | null;
}

export interface EnforcedAnswer {
  readonly text: string;
  readonly applied: readonly AppliedRedaction[];
  readonly restored: number;
}

/** Redacts, restores placeholders last, names the model as the caller did. Untouched answers keep their bytes. */
export function enforceAnswer(answer: WholeAnswer, options: AnswerRules): EnforcedAnswer {
  const { document, classification } = answer;
  const redacted = redactDocument(document, classification.findings, options.rules, options.redaction, {
    restore: options.redaction.vault,
  });
  const disclosed = discloseEdits(document, redacted.edits, options.disclose);
  const edits = [
    ...redacted.edits.filter((edit) => !disclosed.replaces.has(edit)),
    ...disclosed.edits,
    ...(redacted.applied.length > 0 ? logprobEdits(document) : []),
    ...aliasEdits(document, options.modelAlias),
  ];
  const text = edits.length === 0 ? document.source : editDocument(document, edits);
  return { text, applied: redacted.applied, restored: redacted.restored };
}

/** The answer with every finding replaced, for a record that may hold no personal data. */
export function redactedAnswer(answer: WholeAnswer, redaction: RedactionContext): string {
  if (answer.classification.findings.length === 0) return answer.document.source;
  const rules = [{ types: ['*'], operator: 'replace' as const }];
  return editDocument(
    answer.document,
    redactDocument(answer.document, answer.classification.findings, rules, redaction).edits,
  );
}

function choicesOf(document: JsonDocument): readonly Choice[] {
  const { choices } = document.value as Body;
  return Array.isArray(choices) ? choices.filter((choice) => typeof choice === 'object' && choice !== null) : [];
}

function toolCalls(message: Message): ResponseFacts['tool_calls'] {
  if (!Array.isArray(message.tool_calls)) return [];
  return message.tool_calls.map((call: { function?: { name?: unknown; arguments?: unknown } } | null) => ({
    name: typeof call?.function?.name === 'string' ? call.function.name.slice(0, 128) : '',
    args_digest: hash('sha256', typeof call?.function?.arguments === 'string' ? call.function.arguments : '', 'hex'),
  }));
}

/** The disclosure stands before each choice's text, which may itself have been redacted by an edit that this one replaces. */
function discloseEdits(
  document: JsonDocument,
  redactions: readonly DocumentEdit[],
  disclose: string,
): { edits: DocumentEdit[]; replaces: Set<DocumentEdit> } {
  const edits: DocumentEdit[] = [];
  const replaces = new Set<DocumentEdit>();
  if (disclose === '') return { edits, replaces };
  choicesOf(document).forEach((choice, i) => {
    const content = choice.message?.content;
    if (typeof content !== 'string' || content === '') return;
    const pointer = `/choices/${i}/message/content`;
    const index = document.texts.findIndex((text) => text.pointer === pointer && !text.isKey);
    const redacted = redactions.find((edit) => edit.op === 'text' && edit.index === index);
    if (redacted !== undefined) replaces.add(redacted);
    edits.push({ op: 'text', index, text: disclose + (redacted?.op === 'text' ? redacted.text : content) });
  });
  return { edits, replaces };
}

function logprobEdits(document: JsonDocument): DocumentEdit[] {
  return choicesOf(document).flatMap((choice, i): DocumentEdit[] =>
    choice.logprobs === null || choice.logprobs === undefined
      ? []
      : [{ op: 'set', pointer: `/choices/${i}/logprobs`, value: null }],
  );
}

function aliasEdits(document: JsonDocument, alias: string | null): DocumentEdit[] {
  return alias !== null && typeof (document.value as Body).model === 'string'
    ? [{ op: 'set', pointer: '/model', value: alias }]
    : [];
}
