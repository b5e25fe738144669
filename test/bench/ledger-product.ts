/** The parts of the built product that the ledger's benchmark drives; it is compiled apart from them, so their shapes stand here. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Sql } from 'postgres';

type Connection = Readonly<Record<'user' | 'password' | 'host' | 'database', string>>;

export interface Embedded {
  readonly superuser: Connection;
  readonly gateway: Connection;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface Appended {
  readonly seq: number;
}

export interface Ledger {
  append(item: object): Promise<Appended>;
  signReceipt(entry: Appended, digest: string): Promise<string>;
  status(): { readonly appended: number; readonly batches: number };
  close(): Promise<void>;
}

export interface Report {
  readonly consistent: boolean;
  readonly openCalls: number;
  readonly entries: number;
}

export interface Product {
  startEmbedded(options: { dataRoot: string; log: () => void }): Promise<Embedded>;
  connect(connection: Connection, max: number): Sql;
  setGatewayPassword(sql: Sql, connection: Connection): Promise<void>;
  migrate(sql: Sql, options: { dir: string }): Promise<unknown>;
  openKeyRing(options: object): Promise<unknown>;
  openLedger(options: object): Promise<Ledger>;
  setBudgetScope(sql: Sql, limits: { scope: string; month: bigint }): Promise<boolean>;
  verifyLive(sql: Sql, keys: unknown): Promise<Report>;
  exportTenant(
    sql: Sql,
    keys: unknown,
    options: { tenant: string; dir: string },
  ): Promise<{ readonly entries: number }>;
  verifyFolder(dir: string): Promise<Report>;
}

/** @param root folder of the project; its dist must be built */
export async function loadProduct(root: string): Promise<Product> {
  const load = (...path: string[]): Promise<unknown> => import(pathToFileURL(join(root, 'dist', ...path)).href);
  const parts = await Promise.all([
    load('cli', 'embedded', 'embedded.js'),
    load('cli', 'embedded', 'connection.js'),
    load('migrations', 'index.js'),
    load('ledger', 'index.js'),
  ]);
  return Object.assign({}, ...(parts as object[])) as Product;
}
