/** What a `model.response` decision asks of an answer, with the facts around it that every answer shares. */
import type { UnitedDecision } from '../../policies/index.ts';
import { serviceTierFromOpenAi, usageFromOpenAi } from '../../costs/index.ts';
import { shareJson } from '../../ledger/index.ts';
import type { Call } from '../call.ts';
import { GatewayError } from '../errors.ts';
import { askedDays, findingRows, unscannedFacts } from '../evidence.ts';
import type { ResponseFacts } from '../pipeline/decide.ts';
import { decideResponse, inForce } from '../pipeline/decide.ts';
import type { Classification, JsonValue } from '../../redaction/index.ts';
import { scopeOf } from '../policy-facts.ts';
import { stopped } from './stopped.ts';

/** Evaluates, keeps what the input has beyond the request's own for the entry, and throws what a stopped answer is told. */
export function decideAnswer(
  call: Call,
  found: Pick<Classification, 'summary' | 'unscanned'>,
  response: ResponseFacts,
): UnitedDecision {
  const { exchange, decided, tenant, principal, answer } = call;
  const { deployment } = answer;
  if (exchange === null || decided === null || tenant === null || principal === null || deployment === null) {
    throw new GatewayError('internal_error', 'An answer arrived for a call that was never forwarded.');
  }
  const options = {
    pdp: call.current.pdp,
    tenant,
    nowMs: call.services.now(),
    budgets: call.services.budgets(principal.budgetScopes),
    governance: call.services.governance.facts(tenant.id, scopeOf(principal, exchange.chat.model)),
  };
  const question = { base: decided.base, requested: exchange.chat.model, deployment, found, response };
  const { result: decision, added, evaluations } = decideResponse(question, options);
  answer.inputs.push({ added: added as unknown as JsonValue, result: shareJson(decision) as unknown as JsonValue });
  answer.findings = { found: findingRows(found.summary), applied: [] };
  answer.unscanned = unscannedFacts(found);
  answer.effect = 'outcome' in decision ? 'undecided' : decision.effect === 'allow' ? 'allow' : 'deny';
  answer.keptDays = Math.max(answer.keptDays, askedDays(decision));
  const result = inForce({ result: decision, base: decided.base, evaluations });
  const stop = stopped(result);
  if (stop !== null || 'outcome' in result)
    throw stop ?? new GatewayError('policy_unavailable', 'No decision was reached.');
  return result;
}

/** The disclosure as it stands before the answer's text. */
export function disclosure(decision: UnitedDecision): string {
  const { disclose } = decision.obligations;
  return disclose.length === 0 ? '' : `${disclose.join('\n')}\n\n`;
}

/** The caller's name for the model, when the one the upstream knows is another. */
export function modelAlias(call: Call): string | null {
  const asked = call.exchange?.chat.model ?? null;
  return asked === null || asked === call.answer.deployment?.model ? null : asked;
}

/** Notes the provider's own count. `usage` is the bare usage object, or null when none was sent. */
export function noteUsage(call: Call, usage: JsonValue | null, body: JsonValue): void {
  call.answer.usage = usage === null ? null : usageFromOpenAi({ usage });
  call.answer.serviceTier = serviceTierFromOpenAi(body);
}
