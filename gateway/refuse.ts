/**
 * Ends a call that failed: the evidence first, then the answer. What is recorded depends on how far the call came: before
 * authentication only a counter, before the decision entry a refusal, after it an outcome.
 */
import type { Call } from './call.ts';
import { GatewayError } from './errors.ts';
import type { DecisionEffect } from './evidence.ts';
import { decisionSections, keptDays } from './evidence.ts';
import { recordRefusal } from './pipeline/record.ts';
import type { OutcomeStatus } from './progress.ts';
import { closeCall } from './response/outcome.ts';

export async function fail(call: Call, cause: unknown): Promise<void> {
  let error = cause instanceof GatewayError ? cause : unexpected(call, cause);
  try {
    if (call.receipt !== null) {
      if (!call.settled) await closeCall(call, outcomeStatus(call, error), error.code);
    } else if (call.principal === null) {
      call.services.refusals.count(error.code);
      // Its key could not be checked: the database is away, and no append was tried that would tell.
      if (error.code === 'ledger_unavailable') call.services.ledger.countRefused();
    } else if (!UNRECORDED.has(error.code)) {
      const sections = decisionSections({ ...call, enforced: null }, effectOf(error), error.code);
      const { tenant, id: subject } = call.principal;
      const record = { callId: call.id, tenant, subject, keptDays: keptDays(call), sections };
      const receipt = await recordRefusal(call.services.ledger, record);
      call.reply.set('x-countersign-receipt', receipt);
    }
  } catch (second) {
    // The failure to record outranks the first error: the caller must know that no evidence exists.
    error = second instanceof GatewayError ? second : unexpected(call, second);
  }
  call.error = error;
  call.reply.set('server-timing', call.clock.header());
  call.reply.fail(error);
}

/** Nothing was decided and nothing can be written, or the ledger itself is what failed. */
const UNRECORDED: ReadonlySet<string> = new Set(['ledger_unavailable', 'internal_error', 'client_closed', 'draining']);

function effectOf(error: GatewayError): DecisionEffect {
  if (error.code === 'policy_denied' || error.code === 'budget_exceeded') return 'deny';
  if (error.code === 'approval_required') return 'require_approval';
  return error.code === 'policy_unavailable' ? 'undecided' : 'refused';
}

function outcomeStatus(call: Call, error: GatewayError): OutcomeStatus {
  if (call.reply.signal.aborted || error.code === 'client_closed') return 'aborted';
  switch (error.code) {
    case 'policy_denied':
    case 'policy_unavailable':
    case 'approval_required':
      return 'withheld';
    case 'upstream_timeout':
      return call.reply.started ? 'interrupted' : 'upstream_timeout';
    case 'upstream_error':
      return call.reply.started ? 'interrupted' : 'upstream_error';
    default:
      return 'failed';
  }
}

function unexpected(call: Call, cause: unknown): GatewayError {
  call.services.log.unexpected(call.id, cause);
  return new GatewayError(
    'internal_error',
    'The gateway failed to handle this call. The call id lets an administrator find out why.',
    { cause },
  );
}
