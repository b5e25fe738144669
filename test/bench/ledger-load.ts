/** Closed loop: each caller appends a decision, signs its receipt, appends the outcome, and only then begins again. */
import { createHash } from 'node:crypto';
import { percentile, Samples } from './statistics.ts';
import type { LedgerStand } from './ledger-stand.ts';

export const PRICE_NUSD = 137_000n;
const RESERVED_NUSD = 1_000_000n;
/** Data subjects of a tenant, in turn; each has a key of its own. */
export const SUBJECTS = 50;

/** A tenant and the budgets its calls fall under. */
export interface BenchTenant {
  readonly id: string;
  readonly scopes: readonly string[];
}

export interface Shape {
  readonly tenants: readonly BenchTenant[];
  readonly callers: number;
  /** Ends after this time, or after so many entries. */
  readonly seconds?: number;
  readonly entries?: number;
  /** Called at most once for each number of entries, when they have been acknowledged. */
  readonly marks?: ReadonlyMap<number, () => void>;
}

export interface LoadRow {
  readonly entries: number;
  readonly seconds: number;
  /** One durable append, µs. */
  readonly p50Us: number;
  readonly p99Us: number;
  /** Entries of one commit. */
  readonly batch: number;
  readonly nodeUs: number;
  readonly backendUs: number | null;
}

let calls = 0;

export async function runLoad(stand: LedgerStand, shape: Shape): Promise<LoadRow> {
  const samples = new Samples();
  const before = { cpu: stand.cpu(), batches: stand.ledger.status().batches, startedMs: performance.now() };
  const endMs = before.startedMs + (shape.seconds ?? Infinity) * 1000;
  const most = shape.entries ?? Infinity;
  let begun = 0;
  let done = 0;
  const append = async (item: object): Promise<{ readonly seq: number }> => {
    const startedMs = performance.now();
    const entry = await stand.ledger.append(item);
    samples.add((performance.now() - startedMs) * 1000);
    done += 1;
    shape.marks?.get(done)?.();
    return entry;
  };
  const caller = async (index: number): Promise<void> => {
    for (let turn = index; performance.now() < endMs && begun < most; turn += shape.callers) {
      begun += 2;
      const tenant = shape.tenants[turn % shape.tenants.length];
      if (tenant === undefined) return;
      const call = `cs-bench-${String((calls += 1))}`;
      const subject = `user-${String(Math.floor(turn / shape.tenants.length) % SUBJECTS)}`;
      const entry = await append(decision(tenant, call, subject));
      const receipt = stand.ledger.signReceipt(entry, digestOf(call));
      await append(outcome(tenant, call, subject));
      await receipt;
    }
  };
  await Promise.all(Array.from({ length: shape.callers }, (_, index) => caller(index)));
  const cpu = stand.cpu();
  const sorted = samples.sorted();
  const each = (us: number): number => us / done;
  const backend = cpu.backendUs === null || before.cpu.backendUs === null ? null : cpu.backendUs - before.cpu.backendUs;
  return {
    entries: done,
    seconds: (performance.now() - before.startedMs) / 1000,
    p50Us: percentile(sorted, 0.5),
    p99Us: percentile(sorted, 0.99),
    batch: done / (stand.ledger.status().batches - before.batches),
    nodeUs: each(cpu.nodeUs - before.cpu.nodeUs),
    backendUs: backend === null ? null : each(backend),
  };
}

function digestOf(call: string): string {
  return createHash('sha256').update(call).digest('hex');
}

/** Sections of about the size a short chat call has: 1.2 KB an entry with the header. */
function decision({ id, scopes }: BenchTenant, call: string, subject: string): object {
  return {
    tenant: id,
    kind: 'decision',
    class: 'decision',
    call,
    subject,
    sections: {
      facts: {
        effect: 'allow', model: 'bench-model', deployment: 'mock/bench-model', bytes: 250, stream: false,
        reserved_nusd: String(RESERVED_NUSD), budget_scopes: [...scopes], rules: [], unscanned: [],
      },
      subject: { id: subject, type: 'key', roles: ['developer'], groups: [], claims: {} },
      request: { digest: digestOf(call), bytes: 250, messages: 2, choices: 1, max_tokens: 64, tools: [] },
      input: { version: 1, point: 'model.request', mode: 'enforce', tenant: { id }, time: { unix_ms: 1_790_000_000_000 } },
      findings: { found: [{ type: 'EMAIL_ADDRESS', kind: 'pii', count: 1, max_score: 1000 }], applied: [] },
      content: { messages: [{ role: 'user', content: 'My order has not arrived. Please write to <EMAIL_ADDRESS>.' }] },
    },
    reserve: { scopes, nusd: RESERVED_NUSD },
    open: true,
  }; // prettier-ignore
}

function outcome({ id }: BenchTenant, call: string, subject: string): object {
  return {
    tenant: id,
    kind: 'outcome',
    class: 'outcome',
    call,
    subject,
    sections: {
      facts: { status: 'ok', cost_nusd: String(PRICE_NUSD), input_tokens: 61, output_tokens: 40, attempts: 1 },
      outcome: { finish_reason: 'stop', provider_request: call },
      content: { text: 'I am sorry to hear that. We have written to <EMAIL_ADDRESS>.' },
    },
    settle: { nusd: PRICE_NUSD },
  };
}
