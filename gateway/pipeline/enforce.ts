/**
 * Performs the obligations of a decision on the request. All candidates share one set of edits, so that one enforced
 * body is safe for every allowed deployment; only the model's name and the name of the output cap differ by deployment.
 * Without an edit the caller's text is forwarded as it is.
 */
import { hash } from 'node:crypto';
import type { MergedObligations } from '../../policies/index.ts';
import type { AppliedRedaction, DocumentEdit, RedactionContext } from '../../redaction/index.ts';
import { editDocument, redactDocument } from '../../redaction/index.ts';
import type { ClassifiedExchange } from '../exchange.ts';
import type { Deployment } from '../upstream/upstream.ts';
import { stripTools } from './strip-tools.ts';

export interface EnforcedBody {
  readonly deployment: Deployment;
  readonly text: string;
  /** SHA-256 of the text in UTF-8, lower hex: the receipt names it, the sender checks it. */
  readonly digest: string;
}

export interface EnforcedRequest {
  readonly bodies: readonly EnforcedBody[];
  /** What was edited, by name, for the entry: `model`, `max_tokens`, `redact`, `strip_tools`, `stream_options.include_usage`. */
  readonly edits: readonly string[];
  readonly applied: readonly AppliedRedaction[];
  readonly strippedTools: readonly string[];
  /** The limit on output tokens in the forwarded body, if any. */
  readonly maxTokens: number | null;
  readonly redaction: RedactionContext;
}

export interface EnforceOptions {
  readonly allowed: readonly Deployment[];
  readonly obligations: MergedObligations;
  readonly redaction: RedactionContext;
  /** Output cap where a hard budget applies and the caller gave no limit. */
  readonly budgetCap: number | null;
}

export function enforceRequest(exchange: ClassifiedExchange, options: EnforceOptions): EnforcedRequest {
  const { document, classification, chat } = exchange;
  const stripped = stripTools(exchange, options.obligations.stripTools);
  const redacted = redactDocument(document, classification.findings, options.obligations.redact, options.redaction);
  const kept = redacted.edits.filter((edit) => !isUnder(pointerOf(exchange, edit), stripped.pointers));
  const common: DocumentEdit[] = [...kept, ...stripped.edits, ...usageEdits(exchange)];
  const maxTokens = outputLimit(chat.maxTokens, options.obligations.maxTokens, options.budgetCap);
  const named = new Set<string>();
  if (kept.length > 0) named.add('redact');
  if (stripped.edits.length > 0) named.add('strip_tools');
  if (chat.stream && !chat.includeUsage) named.add('stream_options.include_usage');
  const bodies = options.allowed.map((deployment) => {
    const edits = [...common, ...deploymentEdits(exchange, deployment, maxTokens, named)];
    const text = edits.length === 0 ? document.source : editDocument(document, edits);
    return { deployment, text, digest: hash('sha256', text, 'hex') };
  });
  return {
    bodies,
    edits: [...named].sort(),
    applied: redacted.applied,
    strippedTools: stripped.names,
    maxTokens,
    redaction: options.redaction,
  };
}

/** The request text with every finding replaced, for a record that may hold no personal data. */
export function redactedCopy(exchange: ClassifiedExchange, redaction: RedactionContext): string {
  const { document, classification } = exchange;
  if (classification.findings.length === 0) return document.source;
  const everything = [{ types: ['*'], operator: 'replace' as const }];
  return editDocument(document, redactDocument(document, classification.findings, everything, redaction).edits);
}

function outputLimit(asked: number | null, obliged: number | null, budgetCap: number | null): number | null {
  const wanted = asked ?? budgetCap;
  if (wanted === null || obliged === null) return wanted ?? obliged;
  return Math.min(wanted, obliged);
}

function deploymentEdits(
  exchange: ClassifiedExchange,
  deployment: Deployment,
  maxTokens: number | null,
  named: Set<string>,
): DocumentEdit[] {
  const edits: DocumentEdit[] = [];
  // What the body says, not what was asked for: where the path names the model the two may differ.
  if ((exchange.document.value as { model?: unknown }).model !== deployment.model) {
    named.add('model');
    edits.push({ op: 'set', pointer: '/model', value: deployment.model });
  }
  if (maxTokens !== exchange.chat.maxTokens && maxTokens !== null) {
    const field = exchange.chat.maxTokensField ?? outputLimitField(deployment);
    named.add(field);
    edits.push({ op: 'set', pointer: `/${field}`, value: maxTokens });
  }
  return edits;
}

/** OpenAI itself refuses `max_tokens` for its reasoning models; most compatible servers know only `max_tokens`. */
function outputLimitField(deployment: Deployment): 'max_tokens' | 'max_completion_tokens' {
  return deployment.kind === 'openai' && deployment.baseUrl.startsWith('https://api.openai.com/')
    ? 'max_completion_tokens'
    : 'max_tokens';
}

/** A stream is metered by its usage chunk, so the gateway asks for it; the chunk is removed again on the way back. */
function usageEdits(exchange: ClassifiedExchange): DocumentEdit[] {
  const { chat, document } = exchange;
  if (!chat.stream || chat.includeUsage) return [];
  const body = document.value as { stream_options?: unknown };
  const present = typeof body.stream_options === 'object' && body.stream_options !== null;
  return present
    ? [{ op: 'set', pointer: '/stream_options/include_usage', value: true }]
    : [{ op: 'set', pointer: '/stream_options', value: { include_usage: true } }];
}

function pointerOf(exchange: ClassifiedExchange, edit: DocumentEdit): string {
  return edit.op === 'text' ? (exchange.document.texts[edit.index]?.pointer ?? '') : edit.pointer;
}

function isUnder(pointer: string, parents: readonly string[]): boolean {
  return parents.some((parent) => pointer === parent || pointer.startsWith(`${parent}/`));
}
