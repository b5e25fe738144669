/**
 * Asks the policies. Facts, never bodies: the input of each evaluation is built here, once per candidate deployment, and
 * is exactly what the ledger stores, so that every decision can be replayed.
 */
import { estimateTokens } from '../../costs/index.ts';
import type { CandidateResult, Pdp, PolicyInput, Undecided, UnitedDecision } from '../../policies/index.ts';
import { createPolicyInput, observed, policyTime, uniteCandidates } from '../../policies/index.ts';
import type { Classification } from '../../redaction/index.ts';
import type { Tenant } from '../config.ts';
import type { ClassifiedExchange, OfferedTool } from '../exchange.ts';
import type { GovernanceFacts } from '../governance/governance.ts';
import { agentFacts, modelFacts, NO_TOOLS, NOTHING_CLAIMED, principalFacts, tenantFacts } from '../policy-facts.ts';
import type { Deployment } from '../upstream/upstream.ts';

export interface BudgetFact {
  readonly id: string;
  readonly remaining_ratio_ppm: number;
  readonly remaining_micro_usd: number;
}

export interface DecidedCall {
  readonly result: UnitedDecision | Undecided;
  /** What every candidate's input has in common; its `model` member is null. */
  readonly base: PolicyInput;
  readonly models: readonly PolicyInput['model'][];
  readonly evaluations: readonly CandidateResult[];
}

export interface DecideOptions {
  readonly pdp: Pdp;
  readonly tenant: Tenant;
  readonly nowMs: number;
  readonly budgets: readonly BudgetFact[];
  /** Absent: nothing was decided about this tenant. */
  readonly governance?: GovernanceFacts;
}

/** `model.request`: one evaluation per distinct candidate deployment, united as the design says. */
export function decideRequest(exchange: ClassifiedExchange, options: DecideOptions): DecidedCall {
  const base = requestInput(exchange, options);
  const models = exchange.candidates.map((deployment) => modelFacts(exchange.chat.model, deployment));
  const evaluations = models.map((model, i) => ({
    deployment: exchange.candidates[i]?.id ?? '',
    evaluation: options.pdp.evaluate(options.tenant.policies, { ...base, model }),
  }));
  const candidates = exchange.candidates.map(({ id, model, region, hosting }) => ({
    deployment: id,
    model,
    region,
    hosting,
  }));
  return { result: uniteCandidates(evaluations, candidates), base, models, evaluations };
}

/** What is done about a decision: in a tenant that observes, what would have been stopped goes on. */
export function inForce({ result, base, evaluations }: Omit<DecidedCall, 'models'>): DecidedCall['result'] {
  return base.mode === 'observe' ? observed(result, evaluations) : result;
}

export interface ResponseFacts {
  readonly finish_reason: string | null;
  readonly bytes: number;
  readonly tool_calls: readonly { readonly name: string; readonly args_digest: string }[];
}

/** What an answer adds to the input of its request; the ledger stores this beside the request's own input. */
export type ResponseInput = Pick<
  PolicyInput,
  'point' | 'time' | 'model' | 'findings' | 'unscanned' | 'response' | 'budget'
> &
  Partial<Pick<PolicyInput, 'kill_switches'>>;

export interface ResponseQuestion {
  /** Input of the request's decision. */
  readonly base: PolicyInput;
  readonly requested: string;
  readonly deployment: Deployment;
  readonly found: Pick<Classification, 'summary' | 'unscanned'>;
  readonly response: ResponseFacts;
}

/** `model.response`: asked before the first byte with nothing found yet, and again at the end with what was found. */
export function decideResponse(
  question: ResponseQuestion,
  options: DecideOptions,
): Pick<DecidedCall, 'result' | 'evaluations'> & { readonly added: ResponseInput } {
  const { base, requested, deployment, found, response } = question;
  const added: ResponseInput = {
    point: 'model.response',
    time: policyTime(options.nowMs),
    model: modelFacts(requested, deployment),
    findings: summaryFacts(found.summary),
    unscanned: found.unscanned.map(({ what, path }) => ({ what, path })),
    response: { ...response, tool_calls: response.tool_calls.map((call) => ({ ...call })) },
    budget: { scopes: options.budgets.map((scope) => ({ ...scope })) },
    // Thrown since the request was decided, perhaps; what else was decided about the tenant stays as it was then.
    ...(options.governance?.kill_switches === undefined ? {} : { kill_switches: options.governance.kill_switches }),
  };
  const evaluation = options.pdp.evaluate(options.tenant.policies, { ...base, ...added });
  const { id, model, region, hosting } = deployment;
  const evaluations = [{ deployment: id, evaluation }];
  const result = uniteCandidates(evaluations, [{ deployment: id, model, region, hosting }]);
  return { result, added, evaluations };
}

/** Whether a request for this model with no content at all would be allowed: what `GET /v1/models` lists. */
export function mayUse(exchange: ClassifiedExchange, options: DecideOptions): boolean {
  const result = inForce(decideRequest(exchange, options));
  return !('outcome' in result) && result.effect !== 'deny';
}

function requestInput(exchange: ClassifiedExchange, options: DecideOptions): PolicyInput {
  const { principal, chat, document, classification } = exchange;
  return createPolicyInput({
    ...NOTHING_CLAIMED,
    point: 'model.request',
    call: { id: exchange.callId, parent: null, run: null, turn: null },
    time: policyTime(options.nowMs),
    tenant: tenantFacts(options.tenant),
    principal: principalFacts(principal),
    agent: agentFacts(principal),
    request: {
      api: 'openai.chat',
      stream: chat.stream,
      max_tokens: chat.maxTokens,
      messages: chat.messages,
      bytes: exchange.bytes,
      tokens_estimate: estimateTokens(exchange.bytes),
      modalities: modalities(exchange),
      urls: document.urls.map((url) => ({ ...url })),
      digest: exchange.digest,
    },
    tools: chat.tools.length === 0 ? NO_TOOLS : toolFacts(chat.tools),
    findings: summaryFacts(classification.summary),
    unscanned: classification.unscanned.map(({ what, path }) => ({ what, path })),
    budget: { scopes: options.budgets.map((scope) => ({ ...scope })) },
    ...options.governance,
  });
}

function toolFacts(tools: readonly OfferedTool[]): PolicyInput['tools'] {
  return {
    offered: tools.map(({ name, digest }) => ({ name, server: null, digest, pinned: false, annotations: {} })),
    call: null,
  };
}

function summaryFacts(summary: Classification['summary']): PolicyInput['findings'] {
  return summary.map(({ type, kind, count, max_score, paths }) => ({
    type,
    kind,
    count,
    max_score,
    paths: [...paths],
  }));
}

function modalities(exchange: ClassifiedExchange): string[] {
  if (exchange.document.attachments.length + exchange.chat.outputModalities.length === 0) return ['text'];
  const found = exchange.document.attachments.map((attachment) => attachment.modality);
  return [
    ...new Set(['text', ...found, ...exchange.chat.outputModalities.map((m) => `output:${m.slice(0, 40)}`)]),
  ].sort();
}
