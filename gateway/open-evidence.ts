/** Opens what evidence needs: pools, keys, the ledger of this process. */
import type { Sql } from 'postgres';
import type { Config } from './config.ts';
import { openMemories } from './anchors.ts';
import type { Egress } from './egress.ts';
import type { CallLog } from './log.ts';
import type { KeyRing, Ledger } from '../ledger/index.ts';
import { createHeadStore, DEPLOYMENT, openKeyRing, openLedger } from '../ledger/index.ts';

/** Longest statement except appends. All of them are short; a database that needs longer is as good as away. */
const STATEMENT_MS = 10_000;
/** An append that callers gave up may still be evidence: on a slow database it must have a chance to become durable. */
const APPEND_MS = 5000;

export interface OpenEvidence {
  readonly sql: Sql;
  readonly writerSql: Sql;
  readonly keys: KeyRing;
  readonly ledger: Ledger;
  /** Resolves when this process may not go on, and another one started now can. */
  readonly fenced: Promise<void>;
}

export interface EvidenceOptions {
  readonly config: Config;
  /** Opens a pool as the gateway's database role; a statement that takes longer than `statementMs` is given up. */
  readonly connect: (max: number, statementMs: number) => Sql;
  readonly rootKey: Uint8Array;
  /** Makes a path of the configuration absolute. */
  readonly resolvePath: (path: string) => string;
}

/** @param egress asks witnesses and archives what they remember */
export async function openEvidence(
  options: EvidenceOptions,
  log: CallLog,
  egress: Pick<Egress, 'request'>,
): Promise<OpenEvidence> {
  const { config, resolvePath } = options;
  const sql = options.connect(config.database.maxConnections, STATEMENT_MS);
  const writerSql = options.connect(1, Math.max(config.timeouts.appendMs, APPEND_MS));
  const keys = await openKeyRing({ sql, rootKey: options.rootKey, tenants: [DEPLOYMENT, ...config.tenants.keys()] });
  let tellFenced = (): void => undefined;
  const fenced = new Promise<void>((resolve) => (tellFenced = resolve));
  const ledger = await openLedger({
    sql,
    writerSql,
    keys,
    origin: config.ledger.origin,
    heads: createHeadStore(options.resolvePath(config.ledger.checkpoints)),
    outside: await openMemories(config, { egress, resolvePath }),
    now: Date.now,
    appendTimeoutMs: config.timeouts.appendMs,
    leaseMs: config.ledger.leaseMs,
    onFenced: () => {
      log.warn('fenced');
      tellFenced();
    },
    onForked: (error) => log.error('forked', error),
    onError: (error) => log.error('ledger', error),
  });
  return { sql, writerSql, keys, ledger, fenced };
}

/** Something is missing from the database: calls are answered 503, and nothing is written. */
export function isForked(ledger: Ledger): boolean {
  return ledger.status().state === 'forked';
}
