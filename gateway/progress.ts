/** How far a call came: what the log, the metrics and the evidence read. */
import type { Usage } from '../costs/index.ts';
import type { JsonValue, RedactionContext } from '../redaction/index.ts';
import type { Principal } from './access/principal.ts';
import type { Tenant } from './config.ts';
import type { GatewayError } from './errors.ts';
import type { ClassifiedExchange, StageClock } from './exchange.ts';
import type { DecidedCall } from './pipeline/decide.ts';
import type { EnforcedRequest } from './pipeline/enforce.ts';
import type { LedgerReceipt } from './pipeline/record.ts';
import type { Reservation } from './reservation.ts';
import type { AttemptRecord } from './upstream/retry.ts';
import type { Deployment } from './upstream/upstream.ts';

/** How a forwarded call ended. */
export type OutcomeStatus =
  'ok' | 'upstream_error' | 'upstream_timeout' | 'interrupted' | 'aborted' | 'withheld' | 'failed';

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
  /** Days for which policies want the answer kept at least. */
  keptDays: number;
  restored: number;
  /** Sections of the outcome entry; each of `inputs` is what an evaluation's input has beyond the decision's own. */
  inputs: JsonValue[];
  findings: JsonValue;
  content: JsonValue | null;
  unscanned: JsonValue;
}

export interface CallProgress {
  readonly id: string;
  readonly startedMs: number;
  readonly clock: StageClock;
  principal: Principal | null;
  tenant: Tenant | null;
  requestBytes: number;
  exchange: ClassifiedExchange | null;
  decided: DecidedCall | null;
  /** Keys and placeholders of this call; set with the exchange. */
  redaction: RedactionContext | null;
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
