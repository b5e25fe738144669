/**
 * Hands the decisions of the ledger to collectors that know OPA's decision logs: off the way of calls, from what is durable,
 * in order, from where the last batch ended. A collector that is away gets everything later; after a crash a batch may come twice.
 */
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Sql } from 'postgres';
import type { JsonValue, KeyRing, Ledger } from '../../ledger/index.ts';
import { followDecisions, followedLogs } from '../../ledger/index.ts';
import type { Config, DecisionLogSettings } from '../config.ts';
import type { Egress } from '../egress.ts';
import { GatewayError } from '../errors.ts';
import type { CallLog } from '../log.ts';
import { decisionEvents } from './event.ts';

export interface DecisionLogParts {
  readonly sql: Sql;
  readonly ledger: Pick<Ledger, 'wid'>;
  readonly keys: KeyRing;
  readonly egress: Pick<Egress, 'request'>;
  readonly current: () => { readonly config: Config };
  readonly log: Pick<CallLog, 'error'>;
  readonly build: string;
  /** Makes a path of the configuration absolute. */
  readonly resolvePath: (path: string) => string;
}

const LEASE_MS = 60_000;
const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 65_536;
const MAX_EVENTS = 1000;

/** One timer for each collector. @returns ends them */
export function startDecisionLogs(parts: DecisionLogParts): () => void {
  const timers = parts.current().config.decisionLogs.map((settings) => {
    let busy = false;
    return setInterval(() => {
      if (busy) return;
      busy = true;
      void exportDecisions(parts, settings)
        .catch((error: unknown) => parts.log.error('decision_log', error, { collector: settings.name }))
        .finally(() => (busy = false));
    }, settings.everyMs).unref();
  });
  return () => timers.forEach((timer) => clearInterval(timer));
}

/** Everything there is for one collector, in batches; nothing while another process does it. Answers how many events were sent. */
export async function exportDecisions(parts: DecisionLogParts, settings: DecisionLogSettings): Promise<number> {
  const { sql, ledger, current } = parts;
  const [job] = await sql<{ mine: boolean }[]>`
    select ledger.take_job('decision-logs', ${ledger.wid}, ${LEASE_MS}) as mine`;
  if (job?.mine !== true) return 0;
  let sent = 0;
  for (const tenant of current().config.tenants.keys()) {
    if (settings.tenants !== null && !settings.tenants.includes(tenant)) continue;
    for (const { log, end } of await followedLogs(sql, tenant))
      sent += await exportLog(parts, settings, tenant, log, end);
  }
  return sent;
}

async function exportLog(
  parts: DecisionLogParts,
  settings: DecisionLogSettings,
  tenant: string,
  log: string,
  end: number,
): Promise<number> {
  const { sql, keys, build, current } = parts;
  const from = await nextOf(sql, settings.name, log);
  const labels = { id: current().config.ledger.origin, version: build };
  let sent = 0;
  let batch: string[] = [];
  let bytes = 0;
  let last = from - 1;
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    await deliver(parts, settings, batch);
    await advance(sql, settings.name, log, last);
    sent += batch.length;
    [batch, bytes] = [[], 0];
  };
  for await (const decision of followDecisions(sql, keys, tenant, { log, from, end })) {
    const events = decisionEvents(decision, tenant, labels, settings.mask).map((event: JsonValue) =>
      JSON.stringify(event),
    );
    const size = events.reduce((sum, text) => sum + text.length + 1, 0);
    if (bytes + size > settings.batchBytes || batch.length >= MAX_EVENTS) await flush();
    batch.push(...events);
    bytes += size;
    last = decision.seq;
  }
  await flush();
  return sent;
}

async function deliver(parts: DecisionLogParts, { to }: DecisionLogSettings, events: readonly string[]): Promise<void> {
  if (to.kind === 'file') return append(parts.resolvePath(to.path), events);
  const body = await promisify(gzip)(`[${events.join(',')}]`);
  const reply = await parts.egress.request({
    purpose: 'decision_log',
    url: to.url,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      ...(to.apiKey === null ? {} : { authorization: `Bearer ${to.apiKey}` }),
    },
    body,
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_ANSWER_BYTES,
  });
  if (reply.status < 200 || reply.status > 299) {
    throw new GatewayError(
      'upstream_error',
      `The collector answered ${String(reply.status)}; the batch is sent again.`,
    );
  }
}

/** Durable before the place is remembered. */
async function append(path: string, events: readonly string[]): Promise<void> {
  const file = await open(path, 'a', 0o600);
  try {
    await file.appendFile(`${events.join('\n')}\n`);
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function nextOf(sql: Sql, target: string, log: string): Promise<number> {
  const [row] = await sql<{ seq: string }[]>`
    select seq from governance.exported where target = ${target} and log = ${log}`;
  return row === undefined ? 0 : Number(row.seq) + 1;
}

async function advance(sql: Sql, target: string, log: string, seq: number): Promise<void> {
  await sql`
    insert into governance.exported (target, log, seq) values (${target}, ${log}, ${seq})
    on conflict (target, log) do update set seq = excluded.seq`;
}
