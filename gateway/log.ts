/**
 * JSON lines for operators. What a line may hold is a fixed list of fields of plain types, so that no payload, header or
 * credential can get into it by accident; the evidence is in the ledger, not here.
 */
import { pino, type DestinationStream } from 'pino';
import type { CallProgress } from './progress.ts';

/** Facts of an event: numbers, switches and short words. */
export type EventFacts = Readonly<Record<string, string | number | boolean | null>>;

export interface CallLog {
  /** One line per call. */
  call(call: CallProgress): void;
  /** Something that happened to the process: start, stop, reload, lease lost. */
  info(event: string, facts?: EventFacts): void;
  warn(event: string, facts?: EventFacts): void;
  /** With the name and code of an error; its message is not written, because foreign messages quote their input. */
  error(event: string, error: unknown, facts?: EventFacts): void;
  /** A failure nobody foresaw; `call` is the call's id, or null outside of a call. */
  unexpected(call: string | null, cause: unknown): void;
  /** Writes what is buffered; before the process ends. */
  flush(): void;
}

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Default: standard output, buffered. */
  readonly destination?: DestinationStream & { flushSync?: () => void };
}

const MAX_TEXT = 200;
/** Bytes gathered before a write; a line waits at most FLUSH_MS. */
const BUFFER_BYTES = 16_000;
const FLUSH_MS = 250;

export function createLog(options: LogOptions): CallLog {
  const destination =
    options.destination ?? pino.destination({ dest: 1, sync: false, minLength: BUFFER_BYTES, periodicFlush: FLUSH_MS });
  const logger = pino(
    { level: options.level, base: null, messageKey: 'event', timestamp: pino.stdTimeFunctions.isoTime },
    destination,
  );
  return {
    call(call) {
      if (logger.isLevelEnabled('info')) logger.info(callFields(call), 'call');
    },
    info: (event, facts = {}) => logger.info(shortened(facts), event),
    warn: (event, facts = {}) => logger.warn(shortened(facts), event),
    error: (event, error, facts = {}) => logger.error({ ...shortened(facts), ...errorFields(error) }, event),
    unexpected: (call, cause) => logger.error({ call, ...errorFields(cause), at: placeOf(cause) }, 'unexpected'),
    flush: () => destination.flushSync?.(),
  };
}

/** Field by field: ids, words of the product's own vocabulary and numbers, and nothing else of the call. */
function callFields(call: CallProgress): EventFacts {
  const { principal, exchange, answer, error, enforced } = call;
  const [effect, code] = error === null ? ['allow', null] : ['stopped', error.code];
  return {
    call: call.id,
    tenant: principal?.tenant ?? null,
    key: principal?.keyId ?? null,
    model: exchange === null ? null : short(exchange.chat.model),
    deployment: answer.deployment?.id ?? null,
    effect,
    status: error?.status ?? answer.status,
    code,
    outcome: call.status,
    stream: exchange?.chat.stream ?? null,
    attempts: call.attempts.length,
    duration_ms: round(call.clock.stages.reduce((sum, [, ms]) => sum + ms, 0)),
    input_tokens: answer.usage?.input_tokens ?? null,
    output_tokens: answer.usage?.output_tokens ?? null,
    cost_nusd: call.costNusd?.toString() ?? null,
    redactions: (enforced?.applied ?? []).reduce((sum, { count }) => sum + count, 0),
  };
}

/** A frame of a stack: file and line. */
const FRAME = /^ +at (?:.*\()?(?:file:\/\/)?([^()]*:\d+):\d+\)?$/;
const MAX_FRAME = 512;

/** Where in our code it happened: the stack's first frame, which holds a file and a line and no value. */
function placeOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  // The message stands before the frames and may hold somebody else's text, as long as it likes.
  const frames = (error.stack ?? '').replace(error.message, () => '').split('\n');
  const frame = frames.find((line) => line.length <= MAX_FRAME && FRAME.test(line)) ?? '';
  const [, place] = FRAME.exec(frame) ?? [];
  return place === undefined ? null : short(place);
}

function errorFields(error: unknown): EventFacts {
  if (!(error instanceof Error)) return { error: typeof error };
  const code = 'code' in error && typeof error.code === 'string' ? short(error.code) : null;
  const { cause } = error;
  return {
    error: short(error.name),
    error_code: code,
    ...(cause instanceof Error ? { cause: short(cause.name) } : {}),
  };
}

function shortened(facts: EventFacts): EventFacts {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [name, typeof value === 'string' ? short(value) : value]),
  );
}

function short(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
