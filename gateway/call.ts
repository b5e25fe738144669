/**
 * The state of one call as it walks the pipeline: each stage fills in its part, so that whatever fails later, the evidence
 * says how far the call came.
 */
import type { RedactionContext } from '../redaction/index.ts';
import { createTokenVault } from '../redaction/index.ts';
import type { Principal } from './access/principal.ts';
import { newCallId, StageClock } from './exchange.ts';
import type { Reply } from './ingress/reply.ts';
import type { CallProgress } from './progress.ts';
import type { Current, Services } from './services.ts';

export interface Call extends CallProgress {
  readonly services: Services;
  readonly current: Current;
  readonly reply: Reply;
}

export function beginCall(services: Services, reply: Reply): Call {
  const startedMs = services.now();
  return {
    id: newCallId(startedMs),
    startedMs,
    clock: new StageClock(services.clock),
    services,
    current: services.current(),
    reply,
    principal: null,
    tenant: null,
    requestBytes: 0,
    exchange: null,
    decided: null,
    redaction: null,
    enforced: null,
    reservation: null,
    receipt: null,
    attempts: [],
    answer: {
      deployment: null,
      status: null,
      usage: null,
      serviceTier: null,
      requestId: null,
      finishReason: null,
      receivedChars: 0,
      releasedBytes: 0,
      effect: null,
      keptDays: 0,
      restored: 0,
      inputs: [],
      findings: [],
      content: null,
      unscanned: [],
    },
    settled: false,
    status: null,
    costNusd: null,
    error: null,
  };
}

/** Keys of the tenant and principal: the same value gets the same placeholder for the same caller, and no other. */
export function redactionContext(services: Services, principal: Principal): RedactionContext {
  return {
    hashKey: services.keys.derive(principal.tenant, 'redaction/hash'),
    vault: createTokenVault(services.keys.derive(principal.tenant, `redaction/tokens/${principal.id}`)),
  };
}
