/**
 * The state of one call as it walks the pipeline: each stage fills in its part, so that whatever fails later, the evidence
 * says how far the call came.
 */
import type { Usage } from '../costs/index.ts';
import type { JsonValue, RedactionContext } from '../redaction/index.ts';
import { createTokenVault } from '../redaction/index.ts';
import type { Principal } from './access/principal.ts';
import type { Tenant } from './config.ts';
import type { GatewayError } from './errors.ts';
import type { OutcomeStatus } from './evidence.ts';
import type { ClassifiedExchange } from './exchange.ts';
import { newCallId, StageClock } from './exchange.ts';
import type { Reply } from './ingress/reply.ts';
import type { DecidedCall } from './pipeline/decide.ts';
import type { EnforcedRequest } from './pipeline/enforce.ts';
import type { LedgerReceipt } from './pipeline/record.ts';
import type { Reservation } from './reservation.ts';
import type { Current, Services } from './services.ts';
import type { AttemptRecord } from './upstream/retry.ts';
import type { Deployment } from './upstream/upstream.ts';

/** What is known of the answer so far. */
export interface AnswerProgress {
  deployment: Deployment | null;
  status: number | null;
  usage: Usage | null;
  serviceTier: string | null;
  requestId: string | null;
  finishReason: string | null;
  receivedChars: number;
  releasedBytes: number;
  effect: 'allow' | 'deny' | 'undecided' | null;
  restored: number;
  /** Sections of the outcome entry. */
  inputs: JsonValue[];
  findings: JsonValue;
  content: JsonValue | null;
  unscanned: JsonValue;
}

export interface Call {
  readonly id: string;
  readonly startedMs: number;
  readonly clock: StageClock;
  readonly services: Services;
  readonly current: Current;
  readonly reply: Reply;
  principal: Principal | null;
  tenant: Tenant | null;
  requestBytes: number;
  exchange: ClassifiedExchange | null;
  decided: DecidedCall | null;
  enforced: EnforcedRequest | null;
  reservation: Reservation | null;
  receipt: LedgerReceipt | null;
  readonly attempts: AttemptRecord[];
  readonly answer: AnswerProgress;
  /** The outcome was handed to the ledger; nothing more may be recorded for this call. */
  settled: boolean;
  status: OutcomeStatus | null;
  costNusd: bigint | null;
  error: GatewayError | null;
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
