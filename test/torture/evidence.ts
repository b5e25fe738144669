/**
 * What must be true of the ledger after a kill, checked against what callers were told and what the model server saw.
 * New entries are read once; the whole chain is verified by the product's own verifier beside this.
 */
import type { Sql } from 'postgres';
import { readBudgets } from '../../ledger/index.ts';
import type { Told } from './load.ts';
import type { Arrival } from './upstream.ts';

interface CallEvidence {
  readonly effect: string;
  /** Digests of the bodies that may be sent. */
  readonly digests: ReadonlySet<string>;
  /** `log/inc/seq/hash` of the decision. */
  readonly place: string;
  readonly closings: { readonly kind: string; readonly status: string; readonly bookedNusd: bigint }[];
}

interface EntryRow {
  readonly log: string;
  readonly inc: number;
  readonly seq: string;
  readonly kind: string;
  readonly call: string;
  readonly hash: string;
  readonly facts: string;
}

interface Facts {
  readonly effect?: string;
  readonly status?: string;
  readonly allowed?: readonly { digest: string }[];
  readonly ledger?: { readonly booked_nusd?: string };
}

export interface Tally {
  /** Answers with the receipt of a durable decision. */
  readonly acknowledged: number;
  readonly entries: number;
  readonly unknown: number;
  readonly late: number;
  readonly notSent: number;
}

export class Evidence {
  readonly #calls = new Map<string, CallEvidence>();
  readonly #markers = new Map<string, number>();
  readonly #read = new Map<string, number>();
  readonly #told: Told[] = [];
  /** Of `#told`, those that were checked. */
  #checked = 0;
  #arrived: readonly Arrival[] = [];
  #entries = 0;
  #spentNusd = 0n;

  get tally(): Tally {
    const closings = [...this.#calls.values()].flatMap((call) => call.closings);
    const count = (test: (closing: (typeof closings)[number]) => boolean): number => closings.filter(test).length;
    return {
      acknowledged: this.#told.filter(({ receipt }) => receipt !== null).length,
      entries: this.#entries,
      unknown: count(({ status }) => status === 'unknown'),
      late: count(({ kind }) => kind === 'late_outcome'),
      notSent: count(({ status }) => status === 'not_sent'),
    };
  }

  /** What callers were told and what the model server saw since the last time. */
  hear(told: readonly Told[], arrived: readonly Arrival[]): void {
    for (const { marker } of arrived) this.#markers.set(marker, (this.#markers.get(marker) ?? 0) + 1);
    this.#told.push(...told);
    this.#arrived = [...this.#arrived, ...arrived];
  }

  /** One sentence per broken invariant. Nothing may be in progress, and no call open. What was not fine is checked again. */
  async check(sql: Sql, scope: string): Promise<string[]> {
    await this.#readNew(sql);
    const problems = [
      ...this.#told.slice(this.#checked).flatMap((answer) => this.#promised(answer)),
      ...this.#arrived.flatMap((arrival) => this.#decided(arrival)),
      ...this.#sentTwice(this.#arrived),
      ...(await this.#nothingOpen(sql)),
      ...(await this.#budget(sql, scope)),
    ];
    if (problems.length === 0) {
      this.#checked = this.#told.length;
      this.#arrived = [];
    }
    return problems;
  }

  /** At the end once more: what was promised earlier is still there. */
  recheck(): string[] {
    return this.#told.flatMap((answer) => this.#promised(answer));
  }

  async #readNew(sql: Sql): Promise<void> {
    const logs = await sql<{ log: string; inc: number }[]>`select log, inc from ledger.logs order by slot`;
    for (const { log, inc } of logs) {
      for (let more = true; more;) {
        const rows = await sql<EntryRow[]>`
          select log, ${inc}::int as inc, seq, kind, call, encode(hash, 'hex') as hash, facts from ledger.entries
          where log = ${log} and seq > ${this.#read.get(log) ?? -1} order by seq limit 2000`;
        for (const row of rows) this.#add(row);
        this.#entries += rows.length;
        more = rows.length === 2000;
      }
    }
  }

  #add(row: EntryRow): void {
    this.#read.set(row.log, Number(row.seq));
    const facts = JSON.parse(row.facts) as Facts;
    if (row.kind === 'decision') {
      this.#calls.set(row.call, {
        effect: facts.effect ?? '',
        digests: new Set((facts.allowed ?? []).map(({ digest }) => digest)),
        place: `${row.log}/${String(row.inc)}/${row.seq}/${row.hash}`,
        closings: [],
      });
    } else if (row.kind === 'outcome' || row.kind === 'late_outcome') {
      const closings = this.#calls.get(row.call)?.closings;
      const bookedNusd = BigInt(facts.ledger?.booked_nusd ?? '0');
      // A late outcome replaces what the unknown booked.
      this.#spentNusd += bookedNusd - (row.kind === 'late_outcome' ? (closings?.at(-1)?.bookedNusd ?? 0n) : 0n);
      closings?.push({ kind: row.kind, status: facts.status ?? '', bookedNusd });
    }
  }

  /** What a caller was told is what the ledger says. */
  #promised({ call, status, complete, code, receipt, marker }: Told): string[] {
    const evidence = this.#calls.get(call);
    if (receipt !== null && (evidence === undefined || !receipt.startsWith(`${evidence.place}/`)))
      return [`acknowledged entry lost: ${call} has the receipt ${receipt.slice(0, 150)}`];
    if (complete) {
      const outcome = evidence?.closings[0];
      if (outcome?.kind !== 'outcome' || outcome.status !== 'ok')
        return [`acknowledged answer lost: ${call} was answered whole, its outcome is ${outcome?.status ?? 'missing'}`];
    }
    if (status === 403 && evidence?.effect !== 'deny') return [`denied call ${call} has no denial in the ledger`];
    if (code === 'ledger_unavailable' && this.#markers.has(marker))
      return [`${call} was refused, and sent all the same`];
    return [];
  }

  /** Nothing was sent without a durable decision for exactly this body. */
  #decided({ call, digest }: Arrival): string[] {
    const evidence = this.#calls.get(call);
    return evidence?.effect === 'allow' && evidence.digests.has(digest)
      ? []
      : [`sent without a durable decision: ${call}, body ${digest.slice(0, 16)}`];
  }

  #sentTwice(arrived: readonly Arrival[]): string[] {
    return arrived
      .filter(({ marker }) => (this.#markers.get(marker) ?? 0) > 1)
      .map(({ call, marker }) => `sent twice: ${marker} of ${call}`);
  }

  async #nothingOpen(sql: Sql): Promise<string[]> {
    const [row] = await sql<{ count: number }[]>`select count(*)::int as count from ledger.open_calls`;
    const open = [...this.#calls].filter(([, { effect, closings }]) => effect === 'allow' && closings.length === 0);
    const doubled = [...this.#calls].filter(([, { closings }]) => closings.length > 1 && !isCorrected(closings));
    return [
      ...(row?.count === 0 ? [] : [`${String(row?.count)} calls are open`]),
      ...open.map(([call]) => `${call} has a decision and no outcome`),
      ...doubled.map(([call]) => `${call} was closed twice`),
    ];
  }

  async #budget(sql: Sql, scope: string): Promise<string[]> {
    const [state] = await readBudgets(sql, [scope]);
    if (state?.reserved === 0n && state.month.spent === this.#spentNusd) return [];
    return [
      `budget ${scope}: ${String(state?.month.spent)} spent and ${String(state?.reserved)} reserved, outcomes add up to ${String(this.#spentNusd)}`,
    ];
  }
}

function isCorrected(closings: CallEvidence['closings']): boolean {
  const [first, second, ...more] = closings;
  return first?.status === 'unknown' && second?.kind === 'late_outcome' && more.length === 0;
}
