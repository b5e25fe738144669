/**
 * One governed call while it walks the pipeline: what the caller sent (raw text kept), a typed view of it, and the facts
 * each stage adds. Every stage returns a new value; nothing here does I/O.
 */
import { randomFillSync } from 'node:crypto';
import type { Classification, JsonDocument } from '../redaction/index.ts';
import type { Principal } from './access/principal.ts';
import type { Deployment } from './upstream/upstream.ts';

/** The typed view of an OpenAI chat-completions request: only what the gateway decides on. Unknown fields stay in the text. */
export interface ChatView {
  readonly model: string;
  readonly stream: boolean;
  /** The caller asked for the usage chunk of a stream; otherwise the gateway asks for it and removes it again. */
  readonly includeUsage: boolean;
  readonly maxTokens: number | null;
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens' | null;
  readonly choices: number;
  readonly messages: number;
  readonly tools: readonly OfferedTool[];
  /** Output modalities asked for beyond text, for example `audio`. */
  readonly outputModalities: readonly string[];
}

/** The members of a request that offer tools; `functions` is the older one. */
export type ToolList = 'tools' | 'functions';

/** A tool by one of its names: a definition that carries several is listed with each, because providers read different ones. */
export interface OfferedTool {
  readonly list: ToolList;
  readonly index: number;
  readonly name: string;
  readonly digest: string;
}

export interface Exchange {
  readonly callId: string;
  readonly startedMs: number;
  readonly principal: Principal;
  /** Exact request text as received (UTF-8 validated, decompressed). */
  readonly document: JsonDocument;
  readonly bytes: number;
  /** SHA-256 of the request text, lower hex. */
  readonly digest: string;
  readonly chat: ChatView;
  readonly candidates: readonly Deployment[];
}

export interface ClassifiedExchange extends Exchange {
  readonly classification: Classification;
}

const POOL = Buffer.alloc(8192);
let poolOffset = POOL.length;

/** `cs-` and a UUID version 7 (RFC 9562) without dashes: sortable by time, unguessable in its last 74 bits. */
export function newCallId(nowMs: number): string {
  if (poolOffset + 10 > POOL.length) {
    randomFillSync(POOL);
    poolOffset = 0;
  }
  const random = POOL.toString('hex', poolOffset, poolOffset + 10);
  poolOffset += 10;
  const variant = ((Number.parseInt(random.charAt(3), 16) & 0x3) | 0x8).toString(16);
  return `cs-${nowMs.toString(16).padStart(12, '0')}7${random.slice(0, 3)}${variant}${random.slice(4, 19)}`;
}

/** Milliseconds per finished stage, for the `server-timing` header and the metrics. */
export class StageClock {
  readonly stages: [name: string, ms: number][] = [];
  #last: number;
  readonly #clock: () => number;

  constructor(clock: () => number) {
    this.#clock = clock;
    this.#last = clock();
  }

  mark(stage: string): void {
    const now = this.#clock();
    this.stages.push([stage, now - this.#last]);
    this.#last = now;
  }

  header(): string {
    return this.stages.map(([name, ms]) => `${name};dur=${ms.toFixed(3)}`).join(', ');
  }
}
