/**
 * Releases a streamed answer event by event. `model.response` is decided before the first byte, which fixes the
 * redactions, and again at the end; the last events and `[DONE]` leave only after the outcome is durable.
 */
import { hash } from 'node:crypto';
import type { UnitedDecision } from '../../policies/index.ts';
import type { JsonValue } from '../../redaction/index.ts';
import { redactText } from '../../redaction/index.ts';
import type { Call } from '../call.ts';
import { GatewayError } from '../errors.ts';
import { appliedRows, findingRows } from '../evidence.ts';
import { textIndex } from '../named-values.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import { closeCall } from './outcome.ts';
import { decideAnswer, disclosure, modelAlias, noteUsage } from './rules.ts';
import { HEARTBEAT, StreamGovernor } from './stream.ts';

const MAX_QUEUED_CHARS = 16 * 1024 * 1024;
const MAX_RECORDED_CHARS = 1024 * 1024;
const HEARTBEAT_MS = 15_000;
const NOTHING = { summary: [], unscanned: [] } as const;

export async function releaseStream(call: Call, response: UpstreamResponse): Promise<void> {
  const decision = decideAnswer(call, NOTHING, { finish_reason: null, bytes: 0, tool_calls: [] });
  const governor = governorFor(call, decision);
  call.reply.set('server-timing', call.clock.header());
  call.reply.openStream(response.headers);
  call.services.metrics.streamOpened();
  const heartbeat = setInterval(() => void call.reply.write(HEARTBEAT), HEARTBEAT_MS);
  try {
    await pump(call, response, governor);
  } finally {
    clearInterval(heartbeat);
    call.services.metrics.streamClosed();
    note(call, governor);
  }
  finish(call, governor, decision);
  // The rest counts as released in the entry that has to be durable before it leaves.
  const rest = governor.drain();
  call.answer.releasedBytes += Buffer.byteLength(rest);
  await closeCall(call, 'ok', null);
  call.reply.end(`${rest}data: [DONE]\n\n`);
}

function governorFor(call: Call, decision: UnitedDecision): StreamGovernor {
  const redaction = call.enforced?.redaction;
  if (redaction === undefined)
    throw new GatewayError('internal_error', 'An answer arrived for a call without an enforced request.');
  const { redact: rules, buffer, record } = decision.obligations;
  return new StreamGovernor({
    analyzer: call.services.analyzer,
    rules,
    redaction,
    buffer,
    disclose: disclosure(decision),
    modelAlias: modelAlias(call),
    stripUsage: call.exchange?.chat.includeUsage !== true,
    maxQueued: MAX_QUEUED_CHARS,
    recordChars: record.content === 'none' ? 0 : MAX_RECORDED_CHARS,
  });
}

async function pump(call: Call, response: UpstreamResponse, governor: StreamGovernor): Promise<void> {
  for await (const event of response.events()) {
    if (event.data === '[DONE]') continue;
    const text = governor.accept(event);
    if (text === '') continue;
    call.answer.releasedBytes += Buffer.byteLength(text);
    await call.reply.write(text);
  }
  if (call.reply.signal.aborted) throw new GatewayError('client_closed', 'The caller closed the connection.');
  if (governor.upstreamError)
    throw new GatewayError('upstream_error', 'The upstream reported an error in the middle of its answer.');
  if (!governor.complete)
    throw new GatewayError('upstream_error', 'The upstream ended its answer before it was complete.');
  governor.close();
}

/** Whatever happened, the entry says how much was received and what it used. */
function note(call: Call, governor: StreamGovernor): void {
  call.answer.receivedChars = governor.receivedChars;
  call.answer.finishReason = governor.finishReason;
  noteUsage(call, governor.usage, null);
}

/** The end decision: it can only withhold what is left. */
function finish(call: Call, governor: StreamGovernor, first: UnitedDecision): void {
  const { summary, applied, restored } = governor.summary();
  call.answer.restored = restored;
  decideAnswer(
    call,
    { summary, unscanned: [] },
    {
      finish_reason: governor.finishReason,
      bytes: governor.receivedChars,
      tool_calls: governor.toolCalls.map((tool) => ({
        name: tool.name.slice(0, 128),
        args_digest: hash('sha256', tool.arguments, 'hex'),
      })),
    },
  );
  const found = findingRows(summary);
  call.answer.findings = { found, applied: appliedRows(applied), ...namedIn(call, governor, summary.length > 0) };
  call.answer.content = recordedContent(call, governor, first.obligations.record.content);
}

/** The texts went by in pieces; where something was found in them, they are looked at once more as a whole. */
function namedIn(call: Call, governor: StreamGovernor, hasFindings: boolean): Record<string, JsonValue> {
  return hasFindings
    ? textIndex(
        call,
        recordedTexts(governor).map(([, text]) => text),
        call.services.analyzer,
      )
    : {};
}

function recordedTexts(governor: StreamGovernor): [string, string][] {
  return [
    ...governor.texts(),
    ...governor.toolCalls.map((tool, i): [string, string] => [`tool_calls/${i}/${tool.name}`, tool.arguments]),
  ];
}

function recordedContent(
  call: Call,
  governor: StreamGovernor,
  kind: 'none' | 'digest' | 'redacted' | 'full',
): JsonValue | null {
  if (kind === 'none') return null;
  const texts = recordedTexts(governor);
  if (kind === 'digest') return { kind, digest: hash('sha256', JSON.stringify(texts), 'hex') };
  return {
    kind,
    texts: texts.map(([channel, text]) => ({ channel, text: kind === 'full' ? text : redacted(call, text) })),
  };
}

function redacted(call: Call, text: string): string {
  const context = call.enforced?.redaction;
  const findings = call.services.analyzer.analyze(text);
  if (findings.length === 0 || context === undefined) return text;
  return redactText(text, findings, [{ types: ['*'], operator: 'replace' }], context).text;
}
