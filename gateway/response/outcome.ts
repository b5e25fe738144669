/** Closes a forwarded call: rates it, and makes its outcome durable before anything final is released. */
import type { Call } from '../call.ts';
import { keptDays, outcomeSections, settle } from '../evidence.ts';
import { recordOutcome } from '../pipeline/record.ts';
import type { OutcomeStatus } from '../progress.ts';

/** Throws `outcome_unrecorded`; the answer must then be withheld. */
export async function closeCall(call: Call, status: OutcomeStatus, code: string | null): Promise<void> {
  if (call.principal === null) return;
  call.settled = true;
  const settlement = settle(call);
  call.status = status;
  call.costNusd = typeof settlement.facts['cost_nusd'] === 'string' ? BigInt(settlement.facts['cost_nusd']) : null;
  await recordOutcome(call.services.ledger, {
    callId: call.id,
    tenant: call.principal.tenant,
    subject: call.principal.id,
    keptDays: keptDays(call),
    sections: outcomeSections(call, status, code, settlement),
    settle: settlement.nusd,
  });
  call.clock.mark('outcome');
}
