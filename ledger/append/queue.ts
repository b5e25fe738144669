import type { LedgerError } from '../error.ts';
import { Backlog } from './backlog.ts';
import type { BacklogLimits, Batch } from './backlog.ts';
import type { Answer } from './batch.ts';
import { classifyFailure } from './failure.ts';
import { GapCounter } from './gap.ts';
import { isOfCaller, isUnknown } from './items.ts';
import { fencedError, isolationError, refusal, refusedEntry, unavailable } from './pending.ts';
import type { Pending } from './pending.ts';
import type { AppendPort, QueueHooks } from './ports.ts';
import { Postponed } from './postponed.ts';

export interface QueueLimits extends BacklogLimits {
  /** How often deadlines are looked at. */
  readonly sweepMs: number;
}

const MAX_PAUSE_MS = 1000;
const FIRST_PAUSE_MS = 20;

/**
 * Natural batching on one connection: a batch goes out when none is in flight, with all that waits. Order within a log is the
 * order of `push`.
 */
export class AppendQueue {
  readonly #port: AppendPort;
  readonly #hooks: QueueHooks;
  readonly #sweepMs: number;
  readonly #clock: () => number;
  readonly #backlog: Backlog;
  readonly #drained: (() => void)[] = [];
  readonly #gap = new GapCounter();
  readonly #postponed = new Postponed(
    (pending) => this.push(pending),
    (pending) => this.refuse(pending, 'closed'),
  );
  readonly counts = { appended: 0, batches: 0, refused: 0 };
  #flight: Batch | null = null;
  #scheduled = false;
  #sweeper: NodeJS.Timeout | null = null;
  #fenced = false;
  #fork: LedgerError | null = null;
  #downSinceMs: number | null = null;
  #failures = 0;

  /** @param clock monotonic, ms */
  constructor(port: AppendPort, hooks: QueueHooks, limits: QueueLimits, clock: () => number) {
    this.#port = port;
    this.#hooks = hooks;
    this.#sweepMs = limits.sweepMs;
    this.#clock = clock;
    this.#backlog = new Backlog(limits);
  }

  get isFenced(): boolean {
    return this.#fenced;
  }

  get fork(): LedgerError | null {
    return this.#fork;
  }

  /** On the monotonic clock; null while appends work. */
  get downSinceMs(): number | null {
    return this.#downSinceMs;
  }

  get waiting(): number {
    return this.#backlog.size + this.#postponed.size;
  }

  get inFlight(): number {
    return this.#flight?.items.length ?? 0;
  }

  /** Items that wait although their caller was told `unavailable`. */
  get late(): number {
    return this.#backlog.all().filter((pending) => pending.told && pending.keep).length;
  }

  push(pending: Pending): void {
    if (this.#fork !== null) pending.reject(this.#fork);
    else if (this.#fenced && pending.sealed.kind !== 'late_outcome') this.#refuseFenced(pending);
    else if (this.#backlog.isFull && !pending.keep) this.refuse(pending, 'queue_full');
    else {
      this.#backlog.push(pending);
      this.#watch();
      this.#schedule();
    }
  }

  /** Tells the caller `unavailable` and counts it for the gap entry. */
  refuse(pending: Pending, cause: string): void {
    if (pending.told) return;
    pending.told = true;
    if (isOfCaller(pending.item)) this.countRefused(cause);
    pending.reject(unavailable(cause));
  }

  countRefused(cause: string): void {
    this.counts.refused += 1;
    if (this.#downSinceMs === null) this.#gap.blame(cause);
    this.#gap.count(this.#clock());
  }

  /** Another process has taken over: only late outcomes go on. */
  fence(): void {
    if (!this.#fenced) {
      this.#fenced = true;
      this.#hooks.onFenced();
    }
    for (const pending of this.#backlog.takeAll()) this.push(pending);
  }

  /** Nothing goes on, and callers are told why. */
  halt(error: LedgerError): void {
    if (this.#fork !== null) return;
    this.#fork = error;
    this.#hooks.onForked(error);
    for (const pending of this.#backlog.takeAll()) pending.reject(error);
  }

  /** Resolves when nothing waits, or after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#flight === null && this.waiting === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#drained.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Ends the timers; what still waits is refused. */
  stop(): void {
    this.#postponed.end();
    for (const pending of this.#backlog.takeAll()) this.refuse(pending, 'closed');
    this.#unwatch();
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #schedule(): void {
    if (this.#scheduled || this.#flight !== null || this.#downSinceMs !== null) return;
    this.#scheduled = true;
    // Appends of one turn of the event loop share a batch.
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#flight !== null || this.#downSinceMs !== null) return;
    const batch = this.#backlog.next();
    if (batch !== null) void this.#send(batch);
    else if (this.#postponed.size === 0) for (const resolve of this.#drained.splice(0)) resolve();
  }

  async #send(batch: Batch): Promise<void> {
    this.#flight = batch;
    try {
      // An item whose caller has gone is only looked up, unless it is evidence that has to be kept.
      const again = batch.again ? { ask: batch.items.map((pending) => pending.told && !pending.keep) } : null;
      const answers = await this.#port.send(batch.items, again);
      this.#flight = null;
      this.#failures = 0;
      this.counts.batches += 1;
      for (const [index, pending] of batch.items.entries()) this.#answer(pending, answers[index] ?? { is: 'absent' });
      this.reportGap();
    } catch (error) {
      this.#flight = null;
      this.#failed(batch, error);
    }
    this.#pump();
  }

  #answer(pending: Pending, answer: Answer): void {
    if (answer.is === 'appended') {
      this.counts.appended += 1;
      this.#hooks.onAppended(pending, answer);
      return;
    }
    if (answer.is === 'call_closed' && this.#fenced && this.#postponed.add(pending)) return;
    if (!pending.told) pending.reject(refusal(answer, pending.sealed));
  }

  /** The database is in reach: tells of a gap, if there was one. */
  reportGap(): void {
    const gap = this.#fenced || this.#downSinceMs !== null ? null : this.#gap.take();
    if (gap !== null) this.#hooks.onReturn(gap);
  }

  #failed(batch: Batch, error: unknown): void {
    const failure = classifyFailure(error);
    switch (failure.is) {
      case 'later':
      case 'ambiguous':
        this.#backlog.putFirst({ items: batch.items, again: batch.again || failure.is === 'ambiguous' });
        this.#goDown(failure.cause);
        return;
      case 'fenced':
        if (batch.items.every((pending) => pending.sealed.kind === 'late_outcome')) {
          for (const pending of batch.items) this.#refuseFenced(pending);
          return;
        }
        this.#backlog.putFirst(batch);
        this.fence();
        return;
      case 'isolation':
        for (const pending of batch.items) pending.reject(isolationError());
        return;
      case 'forked':
        this.#backlog.putFirst(batch);
        this.halt(failure.error);
        return;
      case 'duplicate':
        if (batch.again) this.#split(batch, '23505');
        else this.#backlog.putFirst({ items: batch.items, again: true });
        return;
      case 'refused':
        this.#split(batch, failure.code);
    }
  }

  /** One bad item must not take its neighbours along. */
  #split({ items, again }: Batch, sqlState: string): void {
    const [only] = items;
    if (items.length > 1) {
      const middle = items.length >> 1;
      this.#backlog.putFirst({ items: items.slice(0, middle), again }, { items: items.slice(middle), again });
    } else if (only && !only.told) {
      only.reject(refusedEntry(sqlState));
    }
  }

  #goDown(cause: string): void {
    this.#gap.blame(cause);
    const pauseMs =
      this.#failures === 0 ? 0 : Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 10));
    this.#downSinceMs ??= this.#clock();
    this.#failures += 1;
    this.#watch();
    setTimeout(() => void this.#resume(), pauseMs).unref();
  }

  async #resume(): Promise<void> {
    try {
      const alive = await this.#port.resume();
      this.#downSinceMs = null;
      if (alive) this.reportGap();
      else this.fence();
      this.#pump();
    } catch (error) {
      const failure = classifyFailure(error);
      if (failure.is === 'forked') this.halt(failure.error);
      else this.#goDown('cause' in failure ? failure.cause : this.#gap.cause);
    }
  }

  #refuseFenced(pending: Pending): void {
    if (pending.sealed.kind === 'outcome' && !isUnknown(pending.item)) this.#hooks.onOutcomeFenced(pending);
    if (!pending.told) pending.reject(fencedError());
    pending.told = true;
  }

  /** The timer outlives a batch: making one for each costs more than looking in vain. */
  #watch(): void {
    this.#sweeper ??= setInterval(() => this.#sweep(), this.#sweepMs).unref();
  }

  #unwatch(): void {
    if (this.#sweeper) clearInterval(this.#sweeper);
    this.#sweeper = null;
  }

  #sweep(): void {
    if (this.#flight === null && this.#backlog.size === 0) {
      this.#unwatch();
      return;
    }
    const nowMs = this.#clock();
    const cause = this.#downSinceMs === null ? 'timeout' : this.#gap.cause;
    for (const pending of this.#flight?.items ?? []) if (pending.deadlineMs <= nowMs) this.refuse(pending, cause);
    this.#backlog.expire(nowMs, (pending) => this.refuse(pending, cause));
  }
}
