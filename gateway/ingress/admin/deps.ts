/** What the admin listener needs from the process that runs it. */
import type { Sql } from 'postgres';
import type { Epoch, KeyRing, Ledger } from '../../../ledger/index.ts';
import type { RecordEvent } from '../../access/events.ts';
import type { KeyCache } from '../../access/key-cache.ts';
import type { Governance } from '../../governance/governance.ts';
import type { Health } from '../../app.ts';
import type { Current, Services } from '../../services.ts';

export interface AdminDeps {
  readonly services: Pick<Services, 'authenticate' | 'metrics' | 'log' | 'refusals'>;
  readonly current: () => Current;
  readonly sql: Sql;
  readonly ledger: Pick<Ledger, 'status' | 'append' | 'wid' | 'signStatement'>;
  readonly keys: KeyRing;
  readonly keyCache: Pick<KeyCache, 'refresh'>;
  readonly record: RecordEvent;
  readonly governance: Pick<Governance, 'refresh' | 'state'>;
  /** Binds the heads of all logs now. */
  readonly makeEpoch: () => Promise<Epoch | null>;
  readonly health: Health;
  /** Wall clock, unix ms. */
  readonly now: () => number;
}
