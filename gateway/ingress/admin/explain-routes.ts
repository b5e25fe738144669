/** Why a recorded call was decided as it was, decided again with the stored policies. */
import { readRecordedCall } from '../../../ledger/index.ts';
import { explainCall, type Explanation, type JsonValue } from '../../../policies/index.ts';
import { GatewayError } from '../../errors.ts';
import { policySources, recordedCall } from '../../recorded.ts';
import { answer, route, type AdminRoute } from './route.ts';

/** The answer's body. */
export interface ExplainedCall extends Explanation {
  readonly tenant: string;
  /** When it was decided, ISO 8601. */
  readonly time: string;
  /** Of the decision entry. */
  readonly facts: Readonly<Record<string, JsonValue>>;
}

export const EXPLAIN_ROUTES: readonly AdminRoute[] = [
  route({
    method: 'GET',
    path: '/api/calls/{id}/explanation',
    // It shows what the sections of the entries hold.
    verb: 'calls.read',
    summary: 'Why a call was decided so: rules that fired, obligations, facts; decided again with the stored policies.',
    id: /^[a-z0-9._:-]{1,64}$/,
    answers: { 200: 'The explanation; read its reproduction.', 404: 'No such call in the tenant.' },
    evidence: 'access',
    handle: async ({ deps, scope, id }) => {
      if (scope === null)
        throw new GatewayError('invalid_request', 'Name the tenant of the call.', { param: 'tenant' });
      const entries = await readRecordedCall(deps.sql, deps.keys, scope, id);
      if (entries === null) throw new GatewayError('not_found', 'There is no such call in this tenant.');
      const explained: ExplainedCall = {
        tenant: entries.tenant,
        time: new Date(entries.timeMs).toISOString(),
        facts: entries.decision.facts as ExplainedCall['facts'],
        ...(await explainCall(recordedCall(entries), policySources(deps.sql))),
      };
      return answer(explained as unknown as JsonValue);
    },
  }),
];
