import { checkItem, DEPLOYMENT, type AppendItem, type Appended } from '../entry.ts';
import { LedgerError } from '../error.ts';
import { HeadKeeper } from '../fork/head-keeper.ts';
import type { CallKeys } from '../keyring.ts';
import type { Ledger, LedgerOptions, LedgerStatus } from '../ledger.ts';
import type { RandomHex } from '../random.ts';
import { recoverExpired } from '../recover.ts';
import { sealBody } from '../seal.ts';
import { statementText } from '../statement.ts';
import type { Answer } from './batch.ts';
import { gapItem, type Gap } from './gap.ts';
import {
  amountOf,
  isOfCaller,
  isOutcome,
  lateOutcome,
  notSentOutcome,
  withLedgerFacts,
  type OpenCall,
} from './items.ts';
import { keysOf } from './item-keys.ts';
import { leaseTimes, LeaseWatch } from './lease.ts';
import { createLogBook, type LogBook, type LogRef } from './logs.ts';
import { unavailable, type Pending } from './pending.ts';
import { AppendQueue } from './queue.ts';
import { queueStatus } from './status.ts';
import { formatReceipt, type ReceiptBook } from './receipts.ts';
import type { Writer } from './writer.ts';

const BATCH_ITEMS = 256;
const BATCH_CHARS = 16_000_000;
const QUEUE_CHARS = 256_000_000;
const MAX_OPEN_CALLS = 100_000;
const IDLE_RECEIPTS_MS = 100;
/** Outcomes signed in one quiet moment: a call that comes in it waits less than 2 ms. */
const IDLE_SIGNATURES = 64;

interface HeldCall extends OpenCall {
  readonly keys: CallKeys;
}

/** Seals entries, queues them, and keeps the process's lease; see Ledger. */
export class ProcessLedger implements Ledger {
  readonly wid: string;
  readonly #options: LedgerOptions;
  readonly #writer: Writer;
  readonly #receipts: ReceiptBook;
  readonly #random: RandomHex;
  readonly #logs: LogBook;
  readonly #queue: AppendQueue;
  readonly #timeoutMs: number;
  readonly #lease: LeaseWatch;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #open = new Map<string, HeldCall>();
  readonly #keeper: HeadKeeper | null;
  #last: LedgerStatus['last'] = null;
  #closed = false;
  #gaps = 0;
  #recovering = false;

  constructor(options: LedgerOptions, writer: Writer, receipts: ReceiptBook, random: RandomHex) {
    this.#options = options;
    this.#writer = writer;
    this.#receipts = receipts;
    this.#random = random;
    this.wid = writer.wid;
    const { heads, origin: name } = options;
    this.#keeper = heads ? new HeadKeeper({ heads, name, writer, onError: (error) => this.#report(error) }) : null;
    this.#timeoutMs = options.appendTimeoutMs ?? 5000;
    this.#lease = new LeaseWatch(leaseTimes(options).leaseMs, () => performance.now(), options.now);
    this.#logs = createLogBook(options.sql, options.origin, random, (tenant, log) => this.#recordLog(tenant, log));
    const hooks = {
      onAppended: (pending: Pending, answer: Extract<Answer, { is: 'appended' }>) => this.#appended(pending, answer),
      onFenced: () => options.onFenced?.(),
      onForked: (error: LedgerError) => options.onForked?.(error),
      onOutcomeFenced: (pending: Pending) => this.#queueItem(lateOutcome(pending.item, pending.sealed.amount), pending),
      onReturn: (gap: Gap) => this.#recordGap(gap),
    };
    const limits = {
      items: options.queueLimit ?? 10_000,
      chars: QUEUE_CHARS,
      batchItems: BATCH_ITEMS,
      batchChars: BATCH_CHARS,
      sweepMs: Math.max(5, Math.min(50, this.#timeoutMs / 10)),
    };
    this.#queue = new AppendQueue(writer, hooks, limits, () => performance.now());
  }

  /** Writes the first entries and starts the timers. */
  async start(): Promise<void> {
    await this.append({
      tenant: DEPLOYMENT,
      kind: 'writer',
      class: 'event',
      call: this.wid,
      subject: null,
      sections: { facts: { wid: this.wid, algorithm: 'ed25519', key: this.#receipts.publicKey } },
    });
    await this.#keeper?.begin();
    const { renewMs, recoverMs } = leaseTimes(this.#options);
    this.#every(renewMs, () => this.#renew());
    this.#every(IDLE_RECEIPTS_MS, () => this.#storeReceipts());
    if (recoverMs > 0) this.#every(recoverMs, () => this.#recover());
  }

  append(item: AppendItem): Promise<Appended> {
    if (this.#closed)
      return Promise.reject(new LedgerError('closed', 'expected an open ledger, found that close was called'));
    try {
      checkItem(item);
      const log = this.#logs.get(item.tenant);
      const held = isOutcome(item) ? this.#open.get(item.call)?.keys : undefined;
      const atMs = this.#options.now();
      const keys = keysOf(item, held, { keys: this.#options.keys, atMs, timeoutMs: this.#timeoutMs / 2 });
      if (log instanceof Promise || keys instanceof Promise) return this.#appendLater(item, log, keys);
      return this.#enqueue(item, log, keys);
    } catch (error) {
      return Promise.reject(error instanceof LedgerError ? error : unavailable('keys', error));
    }
  }

  async signReceipt(entry: Appended, requestDigest: string): Promise<string> {
    const signature = await this.#receipts.sign(this.#logs.originOf(entry.log), entry, requestDigest);
    return formatReceipt(entry, this.wid, signature);
  }

  readonly signStatement: Ledger['signStatement'] = (...said) => this.#receipts.signText(statementText(...said));

  countRefused(): void {
    this.#queue.countRefused('connection');
  }

  status(): LedgerStatus {
    const at = { clockMs: performance.now(), nowMs: this.#options.now(), closed: this.#closed };
    return { ...queueStatus(this.#queue, at), wid: this.wid, openCalls: this.#open.size, last: this.#last };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // Late outcomes wait for a survivor to close their calls: it looks several times in the time of a lease.
    await this.#queue.drain(Math.max(this.#timeoutMs, this.#queue.isFenced ? leaseTimes(this.#options).leaseMs : 0));
    for (const timer of this.#timers) clearInterval(timer);
    this.#queue.stop();
    this.#receipts.signSome(Infinity);
    await this.#background(async () => {
      while (this.#receipts.waiting > 0) await this.#writer.storeReceipts();
      await this.#writer.retire();
    });
    await this.#keeper?.end();
  }

  /** The first entry of a tenant or subject: its log or key has to be read or made first, within the same time limit. */
  async #appendLater(
    item: AppendItem,
    log: LogRef | Promise<LogRef>,
    keys: CallKeys | Promise<CallKeys>,
  ): Promise<Appended> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(unavailable('timeout')), this.#timeoutMs);
    });
    try {
      [log, keys] = await Promise.race([Promise.all([log, keys]), late]);
    } catch (error) {
      if (error instanceof LedgerError && error.code !== 'unavailable') throw error;
      if (isOfCaller(item)) this.#queue.countRefused('connection');
      throw error instanceof LedgerError ? error : unavailable('connection', error);
    } finally {
      clearTimeout(timer);
    }
    return this.#enqueue(item, log, keys);
  }

  #enqueue(item: AppendItem, log: LogRef, keys: CallKeys, atMs = this.#options.now()): Promise<Appended> {
    const amount = amountOf(item, this.#open.get(item.call));
    const key = isOutcome(item) ? keys.outcome : keys.decision;
    const sections = withLedgerFacts(item, amount, atMs, key.ref);
    const sealed = {
      log: log.log,
      kind: item.kind,
      class: item.class,
      call: item.call,
      timeMs: atMs,
      body: sealBody(item, sections, key, this.#random),
      keyRef: key.ref,
      open: item.open === true,
      amount,
      scopes: item.reserve?.scopes ?? [],
    };
    const keep = isOutcome(item) || item.kind === 'gap';
    const deadlineMs = performance.now() + this.#timeoutMs;
    return new Promise((resolve, refuse) => {
      const reject = (error: LedgerError): void => {
        // Nothing more can come for this call; an outcome may still be followed by its late outcome.
        if (item.kind === 'late_outcome') this.#open.delete(item.call);
        refuse(error);
      };
      this.#queue.push({ item, sealed, keys, log, deadlineMs, keep, resolve, reject, told: false, tries: 0 });
    });
  }

  /** The ledger's own items: they wait as long as it takes, and nobody waits for them. */
  #queueItem(item: AppendItem, like: Pending): void {
    const log = this.#logs.get(item.tenant);
    if (log instanceof Promise) return;
    this.#enqueue(item, log, like.keys, like.sealed.timeMs).catch((error: unknown) => this.#report(error));
  }

  #appended(pending: Pending, { seq, hash, timeMs, wseq }: Extract<Answer, { is: 'appended' }>): void {
    const { sealed, item } = pending;
    const entry = { log: sealed.log, inc: pending.log.inc, seq, hash, timeMs, wid: this.wid, wseq };
    if (!pending.told) this.#last = { log: sealed.log, seq, hash };
    if (sealed.open) {
      if (this.#open.size < MAX_OPEN_CALLS)
        this.#open.set(sealed.call, { reserved: sealed.amount ?? 0n, keys: pending.keys });
      // Its caller was told `unavailable` and sent nothing.
      if (pending.told) this.#queueItem(notSentOutcome(item), pending);
    } else if (isOutcome(item)) {
      this.#open.delete(sealed.call);
      this.#receipts.signLater(this.#logs.originOf(sealed.log), entry);
    }
    if (!pending.told) pending.resolve(entry);
  }

  /** Tells the deployment log of a log before the log's first entry; by then another process may have done so. */
  async #recordLog(tenant: string, log: LogRef): Promise<void> {
    const call = `log.${log.slot}`;
    const deployment = tenant === DEPLOYMENT ? log : await this.#logs.get(DEPLOYMENT);
    const [found] = await this.#options.sql`
      select 1 from ledger.entries where log = ${deployment.log} and call = ${call} and class = 'event'`;
    if (found) return;
    const { slot, nonce, origin } = log;
    const facts = { log: log.log, slot: Number(slot), nonce, origin, inc: log.inc };
    const sections = { facts, detail: { tenant } };
    const keys = await this.#options.keys.sealKeys(DEPLOYMENT, null, this.#options.now());
    const first = tenant === DEPLOYMENT ? (this.#options.firstEntry?.(log.log) ?? null) : null;
    if (first !== null) await this.#enqueue(first, deployment, keys);
    const item = { tenant: DEPLOYMENT, kind: 'log', class: 'event', call, subject: null, sections } as const;
    await this.#enqueue(item, deployment, keys).catch((error: unknown) => {
      if (!(error instanceof LedgerError && error.code === 'duplicate')) throw error;
    });
  }

  #recordGap(gap: Gap): void {
    this.#gaps += 1;
    const at = { nowMs: this.#options.now(), clockMs: performance.now() };
    const item = gapItem(`gap.${this.wid}.${String(this.#gaps)}`, gap, at, this.#last);
    this.append(item).catch((error: unknown) => this.#report(error));
  }

  #every(ms: number, work: () => Promise<void>): void {
    this.#timers.push(setInterval(() => void this.#background(work), ms).unref());
  }

  async #renew(): Promise<void> {
    const alive = await this.#lease
      .renew(() => this.#writer.renew())
      .catch((error: unknown) => {
        if (error instanceof LedgerError && error.code === 'forked') this.#queue.halt(error);
        throw error;
      });
    if (alive === false) this.#queue.fence();
    else if (alive === true) this.#queue.reportGap();
  }

  async #storeReceipts(): Promise<void> {
    if (this.#queue.inFlight > 0) return;
    this.#receipts.signSome(IDLE_SIGNATURES);
    if (this.#queue.inFlight === 0 && this.#receipts.waiting > 0) await this.#writer.storeReceipts();
  }

  async #recover(): Promise<void> {
    if (this.#recovering || !this.#lease.isSteady || this.#queue.isFenced || this.#queue.downSinceMs !== null) return;
    this.#recovering = true;
    try {
      await recoverExpired({ sql: this.#options.sql, ledger: this });
      await this.#options.sql`select ledger.prune_budget_totals(5000)`;
    } finally {
      this.#recovering = false;
    }
  }

  async #background(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    const known = error instanceof LedgerError;
    this.#options.onError?.(
      known
        ? error
        : new LedgerError('unavailable', 'background work of the ledger failed; it is tried again', { cause: error }),
    );
  }
}
