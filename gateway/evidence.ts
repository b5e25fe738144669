/**
 * Builds the sections of decision and outcome entries. `facts` holds no personal data, is never withheld and never erased:
 * every total, cost and replay starts from it. Whatever names a person or repeats content goes into the other sections.
 */
import { hash } from 'node:crypto';
import { shareJson } from '../ledger/index.ts';
import { ratedFacts, rate, estimatedUsage, estimateTokens } from '../costs/index.ts';
import type { Usage } from '../costs/index.ts';
import type { CandidateResult } from '../policies/index.ts';
import type { AppliedRedaction, Classification, JsonValue } from '../redaction/index.ts';
import type { Principal } from './access/principal.ts';
import type { Call } from './call.ts';
import type { ClassifiedExchange } from './exchange.ts';
import type { DecidedCall } from './pipeline/decide.ts';
import { documentIndex } from './named-values.ts';
import { redactedCopy } from './pipeline/enforce.ts';
import { plannedAttempts } from './pipeline/forward.ts';
import { perObject } from './policy-facts.ts';
import type { OutcomeStatus } from './progress.ts';
import { REMOTE_DETECTOR } from './remote-analyzers.ts';
import type { Current } from './services.ts';
import { priceOf } from './reservation.ts';
import type { AttemptRecord } from './upstream/retry.ts';

type Sections = Record<string, JsonValue | null>;

/** How a decision ended. `refused` never reached the policies: the request itself was not acceptable. */
export type DecisionEffect = 'allow' | 'deny' | 'require_approval' | 'undecided' | 'refused';

export function decisionSections(call: Call, effect: DecisionEffect, code: string | null): Sections {
  const { principal, exchange, decided, enforced } = call;
  return {
    facts: decisionFacts(call, effect, code),
    subject: principal === null ? null : subjectSection(principal),
    request: exchange === null ? null : requestSection(exchange),
    input: decided === null ? null : inputSection(decided),
    findings:
      exchange === null
        ? null
        : {
            found: findingRows(exchange.classification.summary),
            applied: appliedRows(enforced?.applied ?? []),
            stripped_tools: [...(enforced?.strippedTools ?? [])],
            ...documentIndex(call, exchange.document, exchange.classification),
          },
    content: exchange === null ? null : requestContent(call, exchange),
  };
}

export const subjectSection = perObject((principal: Principal): JsonValue & object => ({
  type: principal.type,
  id: principal.id,
  credential: principal.credential,
  key: principal.keyId,
  roles: [...principal.roles],
  groups: [...principal.groups],
  actors: [...principal.actors],
  agent: principal.agent === null ? null : { ...principal.agent },
  claims: { ...principal.claims },
}));

function decisionFacts(call: Call, effect: DecisionEffect, code: string | null): JsonValue {
  const { exchange, decided, enforced, reservation } = call;
  const first = enforced?.bodies[0]?.deployment ?? exchange?.candidates[0] ?? null;
  const united = decided === null || 'outcome' in decided.result ? null : decided.result;
  return {
    at_ms: call.startedMs,
    api: 'openai.chat',
    // What the policies said; in a tenant that observes it may be stopped there and applied as allowed.
    effect: effect === 'allow' && united !== null ? united.effect : effect,
    applied: effect,
    mode: decided?.base.mode ?? 'enforce',
    code,
    undecided: decided !== null && 'outcome' in decided.result ? decided.result.code : null,
    model: exchange?.chat.model ?? null,
    deployment: first?.id ?? null,
    provider: first?.provider ?? null,
    stream: exchange?.chat.stream ?? null,
    bytes: call.requestBytes,
    candidates: (decided?.evaluations ?? []).map(candidateFacts),
    allowed: (enforced?.bodies ?? []).map(({ deployment, digest }) => ({ deployment: deployment.id, digest })),
    rules: [...new Set((united?.reasons ?? []).map((reason) => reason.rule))].sort(),
    labels: [...(united?.obligations.labels ?? [])],
    edits: [...(enforced?.edits ?? [])],
    max_tokens: enforced?.maxTokens ?? null,
    attempts_reserved: effect === 'allow' && enforced !== null ? plannedAttempts(call, enforced).length : 0,
    reserved_nusd: effect !== 'allow' || reservation === null ? null : String(reservation.nusd),
    budget_scopes: reservation === null ? [] : reservation.scopes.filter((scope) => !scope.startsWith('key:')),
    versions: versionFacts(call),
    scanned: exchange === null ? null : scannedFacts(exchange.classification),
    unscanned: exchange === null ? [] : unscannedFacts(exchange.classification),
    // A call that goes on has its comparison in the outcome.
  };
}

/** The detectors of a process: its `start` entry holds both, every decision the digest, SHA-256 over the names with a line feed after each. */
export function detectorFacts(names: readonly string[]): { digest: string; names: string[] } {
  return { digest: hash('sha256', names.map((name) => `${name}\n`).join(''), 'hex'), names: [...names] };
}

const versions = new WeakMap<Current, Map<string, JsonValue & object>>();

/** Everything besides its input that a decision follows from. The same for every call of a tenant until the next reload. */
export function versionFacts({ current, tenant, services }: Pick<Call, 'current' | 'tenant' | 'services'>): JsonValue {
  const known = versions.get(current) ?? new Map<string, JsonValue & object>();
  versions.set(current, known);
  const found = known.get(tenant?.id ?? '');
  if (found !== undefined) return found;
  const facts = shareJson({
    bundles: tenant === null ? [] : (current.bundles.get(tenant.id) ?? []).map((bundle) => ({ ...bundle })),
    parameters: current.pdp.parametersDigest,
    combiner: current.pdp.combinerVersion,
    runtime: current.pdp.runtime,
    build: services.build,
    config: current.configDigest,
    detectors: detectorFacts(services.analyzer.detectors).digest,
  });
  known.set(tenant?.id ?? '', facts);
  return facts;
}

function candidateFacts({ deployment, evaluation }: CandidateResult): JsonValue {
  return { deployment, effect: evaluation.outcome === 'decided' ? evaluation.decision.effect : 'undecided' };
}

function requestSection(exchange: ClassifiedExchange): JsonValue {
  return {
    digest: exchange.digest,
    bytes: exchange.bytes,
    messages: exchange.chat.messages,
    choices: exchange.chat.choices,
    max_tokens: exchange.chat.maxTokens,
    tools: exchange.chat.tools.map(({ name, digest }) => ({ name, digest })),
  };
}

/** The exact input of every evaluation: `base` with each of `models` in its place. */
function inputSection(decided: DecidedCall): JsonValue {
  return {
    base: decided.base as unknown as JsonValue,
    models: decided.models as unknown as JsonValue,
    results: decided.evaluations.map(({ deployment, evaluation }) => ({
      deployment,
      evaluation: shareJson(evaluation) as unknown as JsonValue,
    })),
  };
}

function requestContent(call: Call, exchange: ClassifiedExchange): JsonValue | null {
  const { decided, redaction } = call;
  const united = decided === null || 'outcome' in decided.result ? null : decided.result;
  const kind = united?.obligations.record.content ?? 'digest';
  if (kind === 'none') return null;
  if (kind === 'full') return { kind, body: exchange.document.source };
  if (kind === 'redacted' && redaction !== null) {
    return { kind, body: redactedCopy(exchange, redaction) };
  }
  return { kind: 'digest', digest: exchange.digest };
}

/** Days for which policies want a call kept at least, after its request and after its answer; 0: none asked. */
export function keptDays({ decided, answer }: Pick<Call, 'decided' | 'answer'>): number {
  return Math.max(decided === null ? 0 : askedDays(decided.result), answer.keptDays);
}

/** Days for which a decision wants what it is about kept at least; 0: none. */
export function askedDays(result: DecidedCall['result']): number {
  return 'outcome' in result ? 0 : (result.obligations.record.retentionDays ?? 0);
}

export function findingRows(summary: Classification['summary']): JsonValue {
  return summary.map(({ type, kind, count, max_score, paths }) => ({
    type,
    kind,
    count,
    max_score,
    paths: [...paths],
  }));
}

export function appliedRows(applied: readonly AppliedRedaction[]): JsonValue {
  return applied.map(({ type, operator, count }) => ({ type, operator, count }));
}

export function unscannedFacts(classification: Pick<Classification, 'unscanned'>): JsonValue {
  return classification.unscanned.map(({ what, path }) => ({ what, path }));
}

/** The detectors of this process are the same for every call and stand with its start; remote ones may fail. */
function scannedFacts({ scannedTexts, scannedChars, detectors }: Classification): JsonValue {
  const remote = detectors.filter((detector) => detector.startsWith(REMOTE_DETECTOR));
  return { texts: scannedTexts, chars: scannedChars, ...(remote.length === 0 ? {} : { remote }) };
}

export interface Settlement {
  readonly nusd: bigint | 'reserved';
  readonly facts: { readonly [key: string]: JsonValue };
}

/** Rates what the call used. An unknown price is null and `unpriced`, never 0. */
export function settle(call: Call): Settlement {
  const { answer, current } = call;
  const deployment = answer.deployment;
  if (deployment === null) return { nusd: 0n, facts: { cost_nusd: '0', usage: null, price_id: null, unpriced: false } };
  const usage = answer.usage ?? estimate(call);
  const price = priceOf(current.prices, deployment, call.startedMs, answer.serviceTier);
  const common = { usage: usage as unknown as JsonValue, service_tier: answer.serviceTier };
  if (price === null) {
    const nusd = call.reservation === null ? 0n : ('reserved' as const);
    return { nusd, facts: { ...common, cost_nusd: null, price_id: null, unpriced: true } };
  }
  const rated = rate(price, usage);
  return {
    nusd: rated.nusd,
    facts: {
      ...common,
      cost_nusd: String(rated.nusd),
      price_id: price.id,
      price_version: price.version,
      lines: ratedFacts(rated),
      unpriced: false,
    },
  };
}

/**
 * Without the provider's count: what was sent and what came back, unless every attempt was answered with an error or
 * never left. A connection that died after the request was sent is not such a case: the provider may have worked.
 */
function estimate({ answer, attempts, enforced }: Call): Usage {
  const worked = ({ sent, status }: AttemptRecord): boolean => sent && (status === null || status < 400);
  if (attempts.length > 0 && !attempts.some(worked)) return estimatedUsage({ inputTokens: 0, outputTokens: 0 });
  const sent = Buffer.byteLength(enforced?.bodies[0]?.text ?? '');
  return estimatedUsage({ inputTokens: estimateTokens(sent), outputTokens: estimateTokens(answer.receivedChars) });
}

export function outcomeSections(
  call: Call,
  status: OutcomeStatus,
  code: string | null,
  settlement: Settlement,
): Sections {
  const { answer, reservation } = call;
  return {
    facts: {
      at_ms: call.services.now(),
      status,
      code,
      http_status: answer.status,
      model: call.exchange?.chat.model ?? null,
      deployment: answer.deployment?.id ?? null,
      provider: answer.deployment?.provider ?? null,
      ...settlement.facts,
      reserved_nusd: reservation === null ? null : String(reservation.nusd),
      stream: call.exchange?.chat.stream ?? null,
      finish_reason: answer.finishReason,
      released_bytes: answer.releasedBytes,
      response_effect: answer.effect,
      restored: answer.restored,
      attempts: call.attempts.map((attempt) => ({ ...attempt })),
      unscanned: answer.unscanned,
      elapsed_ms: Math.max(0, call.services.now() - call.startedMs),
    },
    outcome: { request_id: answer.requestId, inputs: answer.inputs },
    findings: answer.findings,
    content: answer.content,
  };
}
