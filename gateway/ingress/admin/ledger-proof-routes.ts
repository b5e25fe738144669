/** Receipts and calls exchanged for proofs, and an epoch on demand. */
import { z } from 'zod';
import { findEntry, isLogOf, parseReceipt, proveEntry, type EntryPlace } from '../../../ledger/index.ts';
import { GatewayError } from '../../errors.ts';
import { ledgerAnswer } from './ledger-answer.ts';
import { answer, route, type AdminAnswer, type AdminCall, type AdminRoute } from './route.ts';

const callQuery = z.object({
  class: z
    .string()
    .regex(/^(decision|outcome|late_outcome|attempt:[0-9]{1,4}|event)$/)
    .default('decision')
    .describe('Which entry of the call: decision, outcome, late_outcome, attempt:1, ….'),
});
const receiptQuery = z.object({ receipt: z.string().max(1000).describe('As sent in x-countersign-receipt.') });

const ANSWERS = {
  200: 'The proof: text of c2sp.org/tlog-proof.',
  404: 'There is no such entry; if you hold its receipt, keep it as evidence.',
  409: 'The next epoch has to come first; try again in a few seconds.',
};

export const LEDGER_PROOF_ROUTES: readonly AdminRoute[] = [
  route({
    method: 'GET',
    path: '/api/calls/{id}/proof',
    verb: 'calls.read',
    summary: 'Proof that an entry of a call is in the log and under a checkpoint.',
    id: /^[a-z0-9._:-]{1,64}$/,
    query: callQuery,
    answers: ANSWERS,
    evidence: 'access',
    handle: async (call) => {
      const place = await findEntry(call.deps.sql, tenantOf(call), call.id, call.query.class);
      if (place === null) throw new GatewayError('not_found', 'There is no such entry in this tenant.');
      return proof(call, place);
    },
  }),
  route({
    method: 'GET',
    path: '/api/ledger/proof',
    verb: 'calls.read',
    summary: 'Exchanges a receipt for a proof that its entry is in the log and under a checkpoint.',
    query: receiptQuery,
    answers: { ...ANSWERS, 400: 'That is no receipt.' },
    evidence: 'access',
    handle: async (call) => {
      const place = parseReceipt(call.query.receipt);
      if (place === null) throw new GatewayError('invalid_request', 'That is no receipt.', { param: 'receipt' });
      if (!(await isLogOf(call.deps.sql, tenantOf(call), place.log)))
        throw new GatewayError('not_found', 'The receipt is not about a log of this tenant.', { param: 'receipt' });
      return proof(call, place);
    },
  }),
  route({
    method: 'POST',
    path: '/api/ledger/epoch',
    verb: 'ledger.verify',
    summary: 'Makes an epoch now: binds the heads of all logs. Its checkpoint follows within seconds.',
    answers: { 200: 'The epoch; null when another process made one at the same moment.' },
    evidence: 'access',
    handle: async ({ deps }) => {
      const epoch = await deps.makeEpoch();
      return answer({ epoch: epoch?.epoch ?? null, changed: epoch?.changed ?? null });
    },
  }),
];

function tenantOf({ scope }: AdminCall<unknown, unknown>): string {
  if (scope !== null) return scope;
  throw new GatewayError('invalid_request', 'Name the tenant of the call.', { param: 'tenant' });
}

async function proof({ deps }: AdminCall<unknown, unknown>, place: EntryPlace): Promise<AdminAnswer> {
  const text = await ledgerAnswer(proveEntry(deps.sql, place));
  return { status: 200, text, contentType: 'text/plain; charset=utf-8' };
}
