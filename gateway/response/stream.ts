/**
 * Governs a streamed answer. Events wait in one queue in their order of arrival and leave it when every text in them is
 * decided; an event nothing changed leaves as the bytes that arrived. From the first tool call, finish reason or usage on,
 * everything waits for the end decision, so a tool call reaches the caller whole and allowed, or not at all.
 */
import type {
  Analyzer,
  AppliedRedaction,
  DocumentEdit,
  JsonDocument,
  JsonValue,
  RedactionContext,
  RedactionRule,
} from '../../redaction/index.ts';
import { createStreamRedactor, editDocument } from '../../redaction/index.ts';
import { GatewayError } from '../errors.ts';
import { formatSse, isBareEvent } from '../upstream/sse.ts';
import type { SseEvent } from '../upstream/upstream.ts';
import type { Part } from './channel.ts';
import { Channel } from './channel.ts';
import { Findings } from './findings.ts';
import { readJsonObject } from './json-object.ts';
import type { ToolCall } from './tool-calls.ts';
import { ToolCalls } from './tool-calls.ts';

export interface StreamRules {
  readonly analyzer: Analyzer;
  readonly rules: readonly RedactionRule[];
  readonly redaction: RedactionContext;
  readonly disclose: string;
  /** Hold the whole answer until the end decision. */
  readonly buffer: boolean;
  /** The name the caller asked for, when it is not the one the upstream reports. */
  readonly modelAlias: string | null;
  readonly stripUsage: boolean;
  /** Largest amount of text waiting in the queue, in UTF-16 units. */
  readonly maxQueued: number;
  readonly recordChars: number;
}

/** Choices, or texts of all choices, that one answer may have side by side. */
const MAX_CHANNELS = 1024;

export const HEARTBEAT = ': keep-alive\n\n';

interface QueuedEvent {
  readonly raw: string;
  readonly document: JsonDocument;
  readonly parts: readonly Part[];
  readonly edits: DocumentEdit[];
  readonly waitsForEnd: boolean;
}

interface Delta {
  readonly choice: number;
  readonly base: string;
  readonly fields: Readonly<Record<string, JsonValue>>;
  readonly finishReason: string | null;
}

type Chunk = {
  readonly choices?: unknown;
  readonly usage?: unknown;
  readonly error?: unknown;
  readonly model?: unknown;
};

export class StreamGovernor {
  readonly #rules: StreamRules;
  readonly #channels = new Map<string, Channel>();
  readonly #queue: QueuedEvent[] = [];
  readonly #tools = new ToolCalls();
  readonly findings: Findings;
  /** Choices that have begun, and whether they have a finish reason. */
  readonly #choices = new Map<number, boolean>();
  #queued = 0;
  #waiting: boolean;
  usage: JsonValue | null = null;
  finishReason: string | null = null;
  /** Text received from the upstream, in UTF-16 units: what an aborted call is settled at. */
  receivedChars = 0;
  upstreamError = false;

  constructor(rules: StreamRules) {
    this.#rules = rules;
    this.#waiting = rules.buffer;
    this.findings = new Findings(rules.analyzer, rules.rules, rules.redaction);
  }

  /** Every choice that began has finished; a stream that ends earlier was cut off, whatever it says. */
  get complete(): boolean {
    return this.finishReason !== null && !this.upstreamError && [...this.#choices.values()].every(Boolean);
  }

  get toolCalls(): readonly ToolCall[] {
    return this.#tools.calls();
  }

  /** Takes one event in and returns the text of the events that may go out now. */
  accept(event: SseEvent): string {
    // Comments are text nobody scanned: what they are for, keeping the connection alive, is done with our own.
    if (event.data === null) return this.#queue.length === 0 ? HEARTBEAT : '';
    const document = readJsonObject(event.data, BAD_EVENT);
    const chunk = document.value as Chunk;
    if (chunk.error !== undefined && chunk.error !== null) this.upstreamError = true;
    const usageOnly = this.#readUsage(chunk);
    if (usageOnly && this.#rules.stripUsage) return '';
    const deltas = readDeltas(chunk);
    const parts = deltas.flatMap((delta) => this.#channelParts(delta));
    const covered = new Set(parts.map((part) => part.pointer));
    const ends = this.#readEnds(document, deltas, covered) || usageOnly || this.upstreamError;
    const edits = this.findings.scan(document, covered);
    if (this.#rules.modelAlias !== null && typeof chunk.model === 'string') {
      edits.push({ op: 'set', pointer: '/model', value: this.#rules.modelAlias });
    }
    this.#waiting ||= ends;
    const raw = isBareEvent(event) ? event.raw : formatSse(event.data).raw;
    this.#queue.push({ raw, document, parts, edits, waitsForEnd: this.#waiting });
    this.#queued += raw.length;
    if (this.#queued > this.#rules.maxQueued) {
      throw new GatewayError(
        'upstream_error',
        'The answer is longer than this gateway can hold back for its end decision.',
      );
    }
    return this.#release(false);
  }

  /** Decides everything still held. Call before the end decision, then `drain` if it allows. */
  close(): void {
    for (const channel of this.#channels.values()) channel.end();
    for (const rewrite of this.#tools.rewrite((text, pointer) => this.findings.cleanJson(text, pointer))) {
      this.#queue.find((queued) => queued.document === rewrite.document)?.edits.push(rewrite.edit);
    }
  }

  /** The events that were held for the end decision, as text. */
  drain(): string {
    return this.#release(true);
  }

  /** Findings and redactions of every text of the stream. */
  summary(): { summary: ReturnType<Findings['summary']>; applied: AppliedRedaction[]; restored: number } {
    const redactors = [...this.#channels.values()].map((channel) => channel.redactor);
    return {
      summary: this.findings.summary(redactors.flatMap((redactor) => redactor.summary())),
      applied: this.findings.applied(redactors.flatMap((redactor) => redactor.applied())),
      restored: redactors.reduce((sum, redactor) => sum + redactor.restored, this.findings.restored),
    };
  }

  /** The received texts by channel (`choice/field`), for the record. */
  texts(): [channel: string, text: string][] {
    return [...this.#channels].map(([name, channel]) => [name, channel.recorded]);
  }

  #release(atEnd: boolean): string {
    let out = '';
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      if (!atEnd && (head.waitsForEnd || head.parts.some((part) => !part.resolved))) break;
      this.#queue.shift();
      this.#queued -= head.raw.length;
      out += render(head);
    }
    return out;
  }

  #readUsage(chunk: Chunk): boolean {
    if (typeof chunk.usage !== 'object' || chunk.usage === null) return false;
    this.usage = chunk.usage as JsonValue;
    return Array.isArray(chunk.choices) && chunk.choices.length === 0;
  }

  #channelParts(delta: Delta): Part[] {
    const parts: Part[] = [];
    for (const [field, value] of Object.entries(delta.fields)) {
      if (typeof value !== 'string' || field === 'role') continue;
      this.receivedChars += value.length;
      parts.push(this.#channel(delta.choice, field).push(`${delta.base}/delta/${escapePointer(field)}`, value));
    }
    return parts;
  }

  #channel(choice: number, field: string): Channel {
    const name = `${choice}/${field}`;
    const existing = this.#channels.get(name);
    if (existing !== undefined) return existing;
    if (this.#channels.size >= MAX_CHANNELS) throw tooManyTexts();
    const { analyzer, rules, redaction, disclose, recordChars } = this.#rules;
    const redactor = createStreamRedactor({
      analyzer,
      rules,
      context: redaction,
      restore: redaction.vault,
      pointer: `/choices/${choice}/delta/${escapePointer(field)}`,
    });
    const channel = new Channel(redactor, { prefix: field === 'content' ? disclose : '', recordChars });
    this.#channels.set(name, channel);
    return channel;
  }

  /** Notes finish reasons and tool-call fragments; true when from here on everything waits for the end decision. */
  #readEnds(document: JsonDocument, deltas: readonly Delta[], covered: Set<string>): boolean {
    let ends = false;
    for (const delta of deltas) {
      for (const pointer of this.#tools.accept(document, delta.choice, delta.base, delta.fields)) {
        covered.add(pointer);
        ends = true;
      }
      this.finishReason = delta.finishReason ?? this.finishReason;
      this.#noteChoice(delta);
    }
    return ends || this.finishReason !== null;
  }

  #noteChoice({ choice, finishReason }: Delta): void {
    if (this.#choices.size >= MAX_CHANNELS && !this.#choices.has(choice)) throw tooManyTexts();
    this.#choices.set(choice, finishReason !== null || this.#choices.get(choice) === true);
  }
}

function render(event: QueuedEvent): string {
  const changed = event.parts.filter((part) => part.out !== part.text);
  if (changed.length === 0 && event.edits.length === 0) return event.raw;
  const edits: DocumentEdit[] = [
    ...event.edits,
    ...changed.map((part): DocumentEdit => ({ op: 'set', pointer: part.pointer, value: part.out })),
    ...changed.flatMap((part) => dropLogprobs(event.document, part.pointer)),
  ];
  return `data: ${editDocument(event.document, edits)}\n\n`;
}

/** Log probabilities spell the text token by token: where the text was changed they must not bring it back. */
function dropLogprobs(document: JsonDocument, pointer: string): DocumentEdit[] {
  const choice = /^\/choices\/(\d+)\//.exec(pointer)?.[1];
  const choices = (document.value as { choices?: { logprobs?: unknown }[] }).choices;
  const logprobs = choice === undefined ? null : choices?.[Number(choice)]?.logprobs;
  return logprobs === null || logprobs === undefined
    ? []
    : [{ op: 'set', pointer: `/choices/${choice}/logprobs`, value: null }];
}

const BAD_EVENT = 'The upstream sent an event that is not a JSON object; it cannot be checked, so the stream ends.';

function tooManyTexts(): GatewayError {
  return new GatewayError(
    'upstream_error',
    `The answer has more parallel texts than this gateway follows (${MAX_CHANNELS}).`,
  );
}

function readDeltas(chunk: Chunk): Delta[] {
  if (!Array.isArray(chunk.choices)) return [];
  return chunk.choices.map((choice: unknown, i): Delta => {
    const { index, delta, finish_reason: finish } = (choice ?? {}) as Record<string, unknown>;
    const fields = typeof delta === 'object' && delta !== null && !Array.isArray(delta) ? delta : {};
    return {
      choice: typeof index === 'number' ? index : i,
      base: `/choices/${i}`,
      fields: fields as Record<string, JsonValue>,
      // Some providers send an empty text where others send null.
      finishReason: typeof finish === 'string' && finish !== '' ? finish.slice(0, 64) : null,
    };
  });
}

function escapePointer(segment: string): string {
  return segment.replaceAll('~', '~0').replaceAll('/', '~1');
}
