/**
 * Prometheus metrics. Every label has a bounded set of values: tenants and models are those of the configuration, up to
 * a cap, everything else is a word of the product's own vocabulary. No label ever comes from a caller.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { AnchorStatus, Ledger } from '../ledger/index.ts';
import { createAnchorSeries } from './anchor-metrics.ts';
import { createGovernanceSeries } from './governance/metrics.ts';
import type { GovernanceState } from './governance/state.ts';
import type { CallProgress } from './progress.ts';
import type { Config } from './config.ts';

export interface Metrics {
  /** Counts a finished call: its effect, stages, redactions, attempts, tokens. */
  call(call: CallProgress): void;
  /** One ledger append, from hand-over to durable. */
  ledgerAppend(seconds: number, result: 'ok' | 'failed'): void;
  /** A refusal before authentication, or of the rate limiter. @param reason an error code */
  refusal(reason: string): void;
  streamOpened(): void;
  streamClosed(): void;
  /** How far checkpoints are anchored outside. @param kinds those configured */
  anchors(status: AnchorStatus, kinds: ReadonlySet<string>, nowMs: number): void;
  /** What is out of the ordinary in what people decided. */
  governance(state: GovernanceState, nowMs: number): void;
  /** The rate of a tenant's denials changed after a release. */
  drift(tenant: string): void;
  /** Takes over the tenants and models of a new configuration as label values. */
  configure(config: Pick<Config, 'tenants' | 'models' | 'deployments'>): void;
  /** The exposition in Prometheus' text format. */
  expose(): Promise<string>;
  readonly contentType: string;
}

/** Tenants and models with a series of their own; the others share `other`. */
const MAX_TENANTS = 100;
const MAX_MODELS = 100;
const OTHER = 'other';
const NONE = 'none';

const STAGE_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30, 120];
const APPEND_BUCKETS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5];

export function createMetrics(config: Pick<Config, 'tenants' | 'models' | 'deployments'>): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'countersign_' });
  const series = createSeries(registry);
  const governance = createGovernanceSeries(registry);
  let known = labelValues(config);
  return {
    governance: (state, nowMs) => governance.set(state, nowMs),
    drift: (tenant) => governance.drift(bounded(known.tenants, tenant)),
    anchors: createAnchorSeries(registry),
    call: (call) => countCall(series, known, call),
    ledgerAppend: (seconds, result) => series.appends.observe({ result }, seconds),
    refusal: (reason) => series.refusals.inc({ reason }),
    streamOpened: () => series.streams.inc(),
    streamClosed: () => series.streams.dec(),
    configure: (next) => {
      known = labelValues(next);
    },
    expose: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** The ledger with every append timed. @param clock monotonic, ms */
export function meterLedger(ledger: Ledger, metrics: Pick<Metrics, 'ledgerAppend'>, clock: () => number): Ledger {
  return {
    wid: ledger.wid,
    signReceipt: (entry, digest) => ledger.signReceipt(entry, digest),
    signStatement: (kind, statement) => ledger.signStatement(kind, statement),
    countRefused: () => ledger.countRefused(),
    status: () => ledger.status(),
    close: () => ledger.close(),
    append: async (item) => {
      const startMs = clock();
      let result: 'ok' | 'failed' = 'failed';
      try {
        const entry = await ledger.append(item);
        result = 'ok';
        return entry;
      } finally {
        metrics.ledgerAppend((clock() - startMs) / 1000, result);
      }
    },
  };
}

interface Known {
  readonly tenants: ReadonlySet<string>;
  readonly models: ReadonlySet<string>;
  readonly deployments: ReadonlySet<string>;
}

function labelValues({ tenants, models, deployments }: Pick<Config, 'tenants' | 'models' | 'deployments'>): Known {
  return {
    tenants: new Set([...tenants.keys()].slice(0, MAX_TENANTS)),
    models: new Set([...models.keys()].slice(0, MAX_MODELS)),
    deployments: new Set([...deployments.keys()].slice(0, MAX_MODELS)),
  };
}

function bounded(values: ReadonlySet<string>, value: string | undefined): string {
  if (value === undefined) return NONE;
  return values.has(value) ? value : OTHER;
}

interface Observer {
  observe(seconds: number): void;
}

interface Series {
  readonly calls: Counter<'tenant' | 'model' | 'effect' | 'code'>;
  readonly stages: Histogram<'stage'>;
  readonly stageObservers: Map<string, Observer>;
  readonly appends: Histogram<'result'>;
  readonly redactions: Counter<'type' | 'operator'>;
  readonly refusals: Counter<'reason'>;
  readonly attempts: Counter<'deployment' | 'result'>;
  readonly tokens: Counter<'model' | 'direction'>;
  readonly streams: Gauge;
}

function createSeries(registry: Registry): Series {
  const registers = [registry];
  return {
    calls: new Counter({
      name: 'countersign_calls_total',
      help: 'Finished calls by tenant, model, effect and error code.',
      labelNames: ['tenant', 'model', 'effect', 'code'],
      registers,
    }),
    stages: new Histogram({
      name: 'countersign_stage_seconds',
      help: 'Time per stage of a call.',
      labelNames: ['stage'],
      buckets: STAGE_BUCKETS,
      registers,
    }),
    stageObservers: new Map(),
    appends: new Histogram({
      name: 'countersign_ledger_append_seconds',
      help: 'Time until a ledger entry is durable.',
      labelNames: ['result'],
      buckets: APPEND_BUCKETS,
      registers,
    }),
    redactions: new Counter({
      name: 'countersign_redactions_total',
      help: 'Values redacted in requests by entity type and operator.',
      labelNames: ['type', 'operator'],
      registers,
    }),
    refusals: new Counter({
      name: 'countersign_refusals_total',
      help: 'Requests refused before a caller was known, by reason.',
      labelNames: ['reason'],
      registers,
    }),
    attempts: new Counter({
      name: 'countersign_upstream_attempts_total',
      help: 'Attempts to reach a deployment by result.',
      labelNames: ['deployment', 'result'],
      registers,
    }),
    tokens: new Counter({
      name: 'countersign_tokens_total',
      help: 'Tokens by model and direction.',
      labelNames: ['model', 'direction'],
      registers,
    }),
    streams: new Gauge({ name: 'countersign_open_streams', help: 'Answers being streamed.', registers }),
  };
}

function countCall(series: Series, known: Known, call: CallProgress): void {
  const { principal, exchange, error, answer } = call;
  // Refused before anyone was known: counted by `refusal`.
  if (principal === null) return;
  const model = bounded(known.models, exchange?.chat.model);
  series.calls.inc({
    tenant: bounded(known.tenants, principal.tenant),
    model,
    effect: effectOf(call),
    code: error?.code ?? NONE,
  });
  for (const [stage, ms] of call.clock.stages) stageOf(series, stage).observe(ms / 1000);
  for (const { type, operator, count } of call.enforced?.applied ?? [])
    series.redactions.inc({ type, operator }, count);
  for (const attempt of call.attempts) {
    const deployment = bounded(known.deployments, attempt.deployment);
    series.attempts.inc({ deployment, result: attempt.status === null ? 'failed' : statusClass(attempt.status) });
  }
  if (answer.usage !== null) {
    series.tokens.inc({ model, direction: 'input' }, answer.usage.input_tokens);
    series.tokens.inc({ model, direction: 'output' }, answer.usage.output_tokens);
  }
}

/** The series of a stage, looked up by label once: stages are a few words of ours, and every call has ten of them. */
function stageOf(series: Series, stage: string): Observer {
  const known = series.stageObservers.get(stage);
  if (known !== undefined) return known;
  const observer = series.stages.labels({ stage });
  series.stageObservers.set(stage, observer);
  return observer;
}

/** What the policies said, where they said something; else that the call was refused before. */
function effectOf({ decided }: CallProgress): string {
  if (decided === null) return 'refused';
  return 'outcome' in decided.result ? 'undecided' : decided.result.effect;
}

function statusClass(status: number): string {
  return `${Math.floor(status / 100)}xx`;
}
