/**
 * Composes the gateway: pools, keys, ledger, policies, upstreams, two listeners, jobs. Start and stop are entries in the
 * ledger; a stop waits for the calls in progress and closes the database connections last.
 */
import { createAdaptorServer } from '@hono/node-server';
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Sql } from 'postgres';
import type { KeyRing, Ledger } from '../ledger/index.ts';
import { DEPLOYMENT, openKeyRing, openLedger } from '../ledger/index.ts';
import { createAnalyzer } from '../redaction/index.ts';
import type { JsonValue } from '../redaction/index.ts';
import { createDataListener } from './app.ts';
import { applyBudgets, BudgetSnapshot } from './budgets.ts';
import type { Config } from './config.ts';
import { planReload } from './config.ts';
import type { CurrentOptions } from './current.ts';
import { buildCurrent } from './current.ts';
import type { Egress } from './egress.ts';
import { createEgress } from './egress.ts';
import { GatewayError } from './errors.ts';
import type { Current, Services } from './services.ts';
import { createAnthropicUpstream } from './upstream/anthropic.ts';
import { createOpenAiUpstream } from './upstream/openai.ts';
import { createSandboxUpstream } from './upstream/sandbox.ts';

export interface GatewayOptions extends CurrentOptions {
  readonly config: Config;
  /** Opens a pool as the gateway's database role. */
  readonly connect: (max: number) => Sql;
  readonly rootKey: Uint8Array;
  /** Names the running code in every entry. */
  readonly build: string;
}

export interface RunningGateway {
  readonly dataUrl: string;
  readonly adminUrl: string;
  /** Replaces the configuration, all or nothing. */
  reload(config: Config): Promise<void>;
  /** Refuses new calls, waits for the running ones (bounded), writes the stop entry, closes everything. */
  drain(): Promise<void>;
}
