/** Releases an answer that came in one piece: only after it was classified, decided, enforced and its outcome is durable. */
import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import type { JsonValue } from '../../redaction/index.ts';
import type { Call } from '../call.ts';
import { GatewayError } from '../errors.ts';
import { appliedRows, findingRows } from '../evidence.ts';
import { documentIndex } from '../named-values.ts';
import { statusOfError } from '../upstream/error-status.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import { closeCall } from './outcome.ts';
import { decideAnswer, disclosure, modelAlias, noteUsage } from './rules.ts';
import type { EnforcedAnswer, WholeAnswer } from './whole.ts';
import { enforceAnswer, readAnswer, redactedAnswer } from './whole.ts';
import type { UnitedDecision } from '../../policies/index.ts';

export async function releaseWhole(call: Call, response: UpstreamResponse): Promise<void> {
  const answer = await read(call, response);
  const decision = decideAnswer(call, answer.classification, answer.facts);
  const enforced = enforce(call, answer, decision);
  const status = statusOf(response, answer);
  const failed = status >= 400;
  call.answer.releasedBytes = Buffer.byteLength(enforced.text);
  call.clock.mark('response');
  await closeCall(call, failed ? 'upstream_error' : 'ok', failed ? 'upstream_error' : null);
  call.reply.set('server-timing', call.clock.header());
  call.reply.send(status, { ...response.headers, 'content-type': 'application/json; charset=utf-8' }, enforced.text);
}

/** An error that came under status 200 gets the status it means: a client takes a 200 for an answer. */
function statusOf(response: UpstreamResponse, { document }: WholeAnswer): number {
  const { error, choices } = document.value as { error?: unknown; choices?: unknown };
  const isError = typeof error === 'object' && error !== null && !Array.isArray(choices);
  return response.status < 400 && isError ? statusOfError(error) : response.status;
}

async function read(call: Call, response: UpstreamResponse): Promise<WholeAnswer> {
  const bytes = await response.body();
  call.clock.mark('upstream');
  if (!isUtf8(bytes)) {
    throw new GatewayError(
      'upstream_error',
      'The upstream answered with bytes that are not UTF-8; they cannot be checked, so they are withheld.',
    );
  }
  const source = bytes.toString('utf8');
  call.answer.receivedChars = response.status < 400 ? source.length : 0;
  try {
    const answer = readAnswer(source, call.services.analyzer, call.redaction?.hashKey ?? null);
    call.answer.finishReason = answer.facts.finish_reason;
    noteUsage(call, answer.usage, answer.document.value);
    return answer;
  } catch (cause) {
    // An error page of some proxy in between: its status is the answer, its text is not forwarded.
    if (response.status < 400 || !(cause instanceof GatewayError)) throw cause;
    throw new GatewayError(
      'upstream_error',
      `The upstream answered with status ${response.status} and no readable message.`,
      {
        status: response.status,
        cause,
      },
    );
  }
}

function enforce(call: Call, answer: WholeAnswer, decision: UnitedDecision): EnforcedAnswer {
  const redaction = call.enforced?.redaction;
  if (redaction === undefined)
    throw new GatewayError('internal_error', 'An answer arrived for a call without an enforced request.');
  const { redact: rules, record } = decision.obligations;
  const alias = modelAlias(call);
  const enforced = enforceAnswer(answer, { rules, redaction, disclose: disclosure(decision), modelAlias: alias });
  call.answer.restored = enforced.restored;
  call.answer.findings = {
    found: findingRows(answer.classification.summary),
    applied: appliedRows(enforced.applied),
    ...documentIndex(call, answer.document, answer.classification),
  };
  call.answer.content = recordedContent(record.content, answer, () => redactedAnswer(answer, redaction));
  return enforced;
}

function recordedContent(
  kind: 'none' | 'digest' | 'redacted' | 'full',
  answer: WholeAnswer,
  redacted: () => string,
): JsonValue | null {
  switch (kind) {
    case 'none':
      return null;
    case 'digest':
      return { kind, digest: hash('sha256', answer.document.source, 'hex') };
    case 'redacted':
      return { kind, body: redacted() };
    case 'full':
      return { kind, body: answer.document.source };
  }
}
