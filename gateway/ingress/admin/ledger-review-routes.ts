/** Reviews of a log, signed off by an auditor with a credential of their own. */
import { z } from 'zod';
import { DEPLOYMENT, REVIEW_CONCLUSIONS, reviewedRange, reviewFacts } from '../../../ledger/index.ts';
import { ledgerAnswer } from './ledger-answer.ts';
import { answer, route, type AdminRoute } from './route.ts';

const seq = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

const reviewBody = z.strictObject({
  tenant: z.string().max(41).optional().describe('Whose log. Default: your own tenant, else the deployment.'),
  first: seq.describe('First entry that was reviewed.'),
  last: seq.optional().describe('Last entry that was reviewed. Absent: the newest.'),
  conclusion: z.enum(REVIEW_CONCLUSIONS).describe('What came of it.'),
  note: z.string().max(2000).default('').describe('Kept encrypted with the entry.'),
});

export const LEDGER_REVIEW_ROUTES: readonly AdminRoute[] = [
  route({
    method: 'POST',
    path: '/api/ledger/reviews',
    // Whoever may check the ledger may say that they did.
    verb: 'ledger.verify',
    summary: 'Signs off that a range of a log was reviewed.',
    body: reviewBody,
    answers: { 201: 'Recorded; the range as it was signed off.' },
    evidence: 'own',
    handle: async ({ deps, principal, scope, body: { first, last, conclusion, note } }) => {
      const tenant = scope ?? DEPLOYMENT;
      const wanted = last === undefined ? { first } : { first, last };
      const range = await ledgerAnswer(reviewedRange(deps.sql, tenant, wanted));
      const detail = { by: principal.id, key: principal.keyId, note };
      await deps.record({ kind: 'access', tenant, facts: reviewFacts(range, conclusion), detail });
      return answer({ tenant, conclusion, ...range }, 201);
    },
  }),
];
