/** A PostgreSQL of its own, as the product starts it, and the product's writer on it with the gateway's rights. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sql } from 'postgres';
import { loadProduct, type Embedded, type Ledger, type Product } from './ledger-product.ts';
import type { Check } from './targets.ts';

const MONTH_NUSD = 10n ** 18n;

/** Processor time by now, µs. */
export interface Cpu {
  readonly nodeUs: number;
  /** Of the backend that appends; null where the system does not tell. */
  readonly backendUs: number | null;
}

export class LedgerStand {
  readonly ledger: Ledger;
  readonly #product: Product;
  readonly #database: Embedded;
  readonly #folder: string;
  readonly #admin: Sql;
  readonly #pools: readonly Sql[];
  readonly #keys: unknown;
  readonly #backend: number;

  private constructor(options: {
    product: Product;
    database: Embedded;
    folder: string;
    admin: Sql;
    pools: readonly Sql[];
    keys: unknown;
    ledger: Ledger;
    backend: number;
  }) {
    this.#product = options.product;
    this.#database = options.database;
    this.#folder = options.folder;
    this.#admin = options.admin;
    this.#pools = options.pools;
    this.#keys = options.keys;
    this.#backend = options.backend;
    this.ledger = options.ledger;
  }

  static async open(root: string): Promise<LedgerStand> {
    const product = await loadProduct(root);
    const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
    // PostgreSQL runs under another account when we are root; it has to be able to enter.
    chmodSync(folder, 0o755);
    const database = await product.startEmbedded({ dataRoot: folder, log: () => undefined });
    const admin = product.connect(database.superuser, 2);
    await product.migrate(admin, { dir: join(root, 'migrations') });
    await product.setGatewayPassword(admin, database.gateway);
    const sql = product.connect(database.gateway, 4);
    const writerSql = product.connect(database.gateway, 1);
    const keys = await product.openKeyRing({ sql, rootKey: randomBytes(32) });
    const ledger = await product.openLedger({ sql, writerSql, keys, origin: 'bench.test/ledger', now: Date.now });
    const [row] = await writerSql<{ pid: number }[]>`select pg_backend_pid() as pid`;
    const pools = [admin, sql, writerSql];
    return new LedgerStand({ product, database, folder, admin, pools, keys, ledger, backend: row?.pid ?? 0 });
  }

  /** Budgets that every call of the tenant is charged to. */
  async limit(tenant: string): Promise<string[]> {
    const scopes = ['org', `tenant:${tenant}`];
    for (const scope of scopes) await this.#product.setBudgetScope(this.#admin, { scope, month: MONTH_NUSD });
    return scopes;
  }

  /** A snapshot as an export or a backup holds one; it sees the ledger as of now until it is let go. */
  async holdSnapshot(): Promise<() => Promise<void>> {
    const held = await this.#admin.reserve();
    await held`begin isolation level repeatable read read only`;
    await held`select count(*) from ledger.heads`;
    return async () => {
      await held`commit`;
      held.release();
    };
  }

  cpu(): Cpu {
    const { user, system } = process.cpuUsage();
    return { nodeUs: user + system, backendUs: backendUs(this.#backend) };
  }

  /** Everything that was acknowledged is there, once, densely, and paid for. */
  async checks(appended: number, spentNusd: bigint): Promise<Check[]> {
    const sql = this.#admin;
    const [settings] = await sql<{ fsync: string; commit: string }[]>`
      select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit`;
    const [rows] = await sql<{ entries: string; gaps: string }[]>`
      select sum(n) as entries, sum(top + 1 - n) as gaps from (
        select count(*) as n, max(seq) as top from ledger.entries e join ledger.logs l using (log)
        where l.tenant <> '_deployment' group by log) x`;
    const [org] = await sql<{ reserved: string; spent: string }[]>`
      select reserved, spent_month as spent from ledger.read_budgets(array['org'])`;
    const report = await this.#product.verifyLive(sql, this.#keys);
    const check = (name: string, found: unknown, wanted: unknown): Check => ({
      name: `ledger: ${name}`,
      ok: String(found) === String(wanted),
      found: `${String(found)}, expected ${String(wanted)}`,
    });
    return [
      check('fsync', settings?.fsync, 'on'),
      check('synchronous_commit', settings?.commit, 'on'),
      check('entries as acknowledged', rows?.entries, appended),
      check('missing sequence numbers', rows?.gaps, 0),
      check('nano-USD spent', org?.spent, spentNusd),
      check('nano-USD still reserved', org?.reserved, 0),
      check('consistent', report.consistent, true),
      check('calls left open', report.openCalls, 0),
    ];
  }

  /** @param name of a new folder of this stand */
  exportTo(tenant: string, name: string): Promise<{ readonly entries: number }> {
    return this.#product.exportTenant(this.#admin, this.#keys, { tenant, dir: join(this.#folder, name) });
  }

  verifyFolder(name: string): Promise<{ readonly consistent: boolean }> {
    return this.#product.verifyFolder(join(this.#folder, name));
  }

  async close(): Promise<void> {
    await this.ledger.close();
    await Promise.all(this.#pools.map((pool) => pool.end({ timeout: 5 })));
    await this.#database.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** User and system time are fields 14 and 15 of stat, in hundredths of a second; the name before them may hold spaces. */
function backendUs(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return null;
  }
}
