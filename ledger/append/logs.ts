import type postgres from 'postgres';
import type { RandomHex } from '../random.ts';

/** One hash chain: what every header of it carries, and what its id is made of. */
export interface LogRef {
  readonly log: string;
  readonly inc: number;
  readonly slot: string;
  readonly nonce: string;
  readonly origin: string;
}

/** The logs this process writes to, by tenant. A tenant's log is made at its first entry. */
export interface LogBook {
  /** Synchronous once known. */
  get(tenant: string): LogRef | Promise<LogRef>;
  originOf(log: string): string;
}

/**
 * @param record called before a log is used for the first time by this process: the deployment log must tell of it first
 */
export function createLogBook(
  sql: postgres.Sql,
  origin: string,
  random: RandomHex,
  record: (tenant: string, log: LogRef) => Promise<void>,
): LogBook {
  const known = new Map<string, LogRef>();
  const origins = new Map<string, string>();
  const opening = new Map<string, Promise<LogRef>>();

  const open = async (tenant: string): Promise<LogRef> => {
    const [row] = await sql<LogRef[]>`
      select log, inc, slot::text, nonce, origin from ledger.open_log(${tenant}, ${origin}, ${random(16)})`;
    if (row === undefined) throw new TypeError('ledger.open_log answered nothing');
    const log = { log: row.log, inc: row.inc, slot: row.slot, nonce: row.nonce, origin: row.origin };
    origins.set(log.log, log.origin);
    await record(tenant, log);
    known.set(tenant, log);
    return log;
  };
  return {
    get: (tenant) => {
      const log = known.get(tenant);
      if (log) return log;
      const running = opening.get(tenant) ?? open(tenant).finally(() => opening.delete(tenant));
      opening.set(tenant, running);
      return running;
    },
    originOf: (log) => origins.get(log) ?? origin,
  };
}
