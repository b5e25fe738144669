/**
 * Sends the enforced request. A send takes the receipt of a durable decision, presents exactly the recorded body and uses
 * one attempt; there is no other way from the pipeline to an upstream.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Call } from '../call.ts';
import { GatewayError } from '../errors.ts';
import { forwardWithFallback } from '../upstream/retry.ts';
import type { Attempt, RetryPolicy } from '../upstream/route.ts';
import { DEFAULT_RETRY_POLICY, planAttempts } from '../upstream/route.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import type { EnforcedRequest } from './enforce.ts';
import type { LedgerReceipt } from './record.ts';

/** The attempts one decision covers, in order: what the receipt reserves is what can be sent. */
export function plannedAttempts(call: Call, enforced: EnforcedRequest): Attempt[] {
  return planAttempts(
    enforced.bodies.map((body) => body.deployment),
    retryPolicy(call),
  );
}

/** The first answer worth having. Throws `upstream_error`, `upstream_timeout` or `client_closed`. */
export async function forward(call: Call, enforced: EnforcedRequest): Promise<UpstreamResponse> {
  const { receipt, services, reply, exchange } = call;
  if (receipt === null || exchange === null)
    throw new GatewayError('internal_error', 'A call without a receipt is never sent.');
  const stream = exchange.chat.stream;
  const result = await forwardWithFallback({
    attempts: plannedAttempts(call, enforced),
    policy: retryPolicy(call),
    stream,
    send: (attempt) => send(call, receipt, enforced, attempt),
    onAttempt: (record) => call.attempts.push(record),
    signal: reply.signal,
    now: services.now,
    random: services.random,
    sleep: async (ms, signal) => {
      await delay(ms, undefined, { signal }).catch(() => undefined);
    },
  });
  if (!result.ok) throw result.error;
  call.answer.deployment = result.deployment;
  call.answer.status = result.response.status;
  call.answer.requestId = result.response.requestId;
  call.clock.mark('first_byte');
  return result.response;
}

async function send(
  call: Call,
  receipt: LedgerReceipt,
  enforced: EnforcedRequest,
  attempt: Attempt,
): Promise<UpstreamResponse> {
  const body = enforced.bodies.find((candidate) => candidate.deployment === attempt.deployment);
  if (body === undefined)
    throw new GatewayError('internal_error', 'An attempt names a deployment that was not allowed.');
  receipt.spend(body);
  // An attempt that fails on the way was sent to this deployment: what it may have cost is settled there.
  call.answer.deployment = attempt.deployment;
  return call.services.upstreams[attempt.deployment.kind].send({
    deployment: attempt.deployment,
    body: body.text,
    stream: call.exchange?.chat.stream === true,
    callId: call.id,
    headers: {},
    signal: call.reply.signal,
    timeouts: call.current.config.timeouts,
  });
}

function retryPolicy(call: Call): RetryPolicy {
  const { maxAttempts, backoffMs } = call.current.config.retries;
  return { ...DEFAULT_RETRY_POLICY, maxAttempts, baseDelayMs: backoffMs };
}
