/** What the pipeline needs from the process that runs it. Built once by `main.ts`; a reload swaps `current` as a whole. */
import type { PriceBook } from '../costs/index.ts';
import type { KeyRing, Ledger } from '../ledger/index.ts';
import type { BundleIdentity, Pdp } from '../policies/index.ts';
import type { Analyzer } from '../redaction/index.ts';
import type { IncomingMessage } from 'node:http';
import type { Principal } from './access/principal.ts';
import type { RefusalCounter } from './access/refusals.ts';
import type { ClientAddress } from './access/source.ts';
import type { Config } from './config.ts';
import type { Governance } from './governance/governance.ts';
import type { Shadow } from './governance/releases.ts';
import type { ShadowBook } from './governance/shadow.ts';
import type { CallLog } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { AskAnalyzers } from './remote-analyzers.ts';
import type { Authenticate } from './pipeline/authenticate.ts';
import type { BudgetFact } from './pipeline/decide.ts';
import type { Upstream } from './upstream/upstream.ts';

/** Everything that a configuration determines: replaced all at once, so that a call never sees two configurations. */
export interface Current {
  /** As configured, with the released policies in the places of those that the file names. */
  readonly config: Config;
  /** As in the file. */
  readonly configured: Config;
  /** Candidates that are tried beside the active policies, by tenant. */
  readonly shadows: ReadonlyMap<string, Shadow>;
  readonly configDigest: string;
  readonly pdp: Pdp;
  readonly prices: PriceBook;
  /** Policy bundles of each tenant, resolved. */
  readonly bundles: ReadonlyMap<string, readonly BundleIdentity[]>;
  /** The caller's address behind the trusted proxies. */
  readonly addressOf: ClientAddress;
}

export interface Services {
  readonly current: () => Current;
  readonly authenticate: Authenticate;
  readonly analyzer: Analyzer;
  /** Null: no other detectors are configured. */
  readonly askAnalyzers: AskAnalyzers | null;
  readonly ledger: Ledger;
  readonly keys: KeyRing;
  readonly upstreams: Readonly<Record<'openai' | 'anthropic' | 'sandbox', Upstream>>;
  readonly metrics: Metrics;
  readonly log: CallLog;
  /** Counts refusals of callers nobody could be named for; written to the ledger once a minute. */
  readonly refusals: Pick<RefusalCounter, 'count'>;
  /** What is left in the scopes of a principal, from a snapshot a few seconds old; facts for policies, never the budget check. */
  readonly budgets: (scopes: readonly string[]) => readonly BudgetFact[];
  /** What people decided about policies. */
  readonly governance: Pick<Governance, 'facts' | 'ready'>;
  /** Tries candidates on calls that were answered. */
  readonly shadows: Pick<ShadowBook, 'note' | 'close'>;
  /** Wall clock, unix ms. */
  readonly now: () => number;
  /** Monotonic clock, ms. */
  readonly clock: () => number;
  readonly random: () => number;
  /** Names the code that decided, for the entry: version and digest of the build. */
  readonly build: string;
}

export function authenticatedBy(services: Services, incoming: IncomingMessage): Principal | Promise<Principal> {
  return services.authenticate(incoming.headers, addressOf(services, incoming));
}

/** Where the request comes from, behind trusted proxies. */
export function addressOf(services: Services, incoming: IncomingMessage): string {
  const forwardedFor = incoming.headers['x-forwarded-for'];
  return services
    .current()
    .addressOf(incoming.socket.remoteAddress, typeof forwardedFor === 'string' ? forwardedFor : undefined);
}
