/**
 * What people decided about policies, in memory: a call asks a map. What could not be refreshed for too long is not believed,
 * because a kill switch may have been thrown meanwhile.
 */
import type { Sql } from 'postgres';
import { DEPLOYMENT } from '../../ledger/index.ts';
import type { PolicyInput } from '../../policies/index.ts';
import { ChangeWatch } from '../change-watch.ts';
import { GatewayError } from '../errors.ts';
import type { ChangeKeys } from './change.ts';
import { readChanges } from './change.ts';
import type { GovernanceState, TenantState } from './state.ts';
import { applyChange, stateOf } from './state.ts';

/** Whom and what a call is about, as scopes name it. */
export interface CallScope {
  readonly agent: string | null;
  readonly principal: string;
  readonly model: string | null;
}

/** The parts of a policy input that come from here; empty where nobody decided anything. */
export type GovernanceFacts = Partial<Pick<PolicyInput, 'mode' | 'waivers' | 'kill_switches'>>;

export interface Governance {
  /**
   * Null while it is known what is in force; else resolves when it is, after a read.
   *
   * @throws GatewayError `ledger_unavailable`
   */
  ready(): Promise<void> | null;
  /** As it was heard last. */
  facts(tenant: string, scope: CallScope): GovernanceFacts;
  readonly state: GovernanceState;
  /** What is to be done, from now on, when other bundles were released; tried again until it succeeds. */
  onReleases(follow: () => Promise<void>): void;
  /** Reads what changed; concurrent calls share one read. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

export interface GovernanceOptions {
  readonly sql: Sql;
  readonly keys: ChangeKeys;
  /** Wall clock, unix ms: for expiry. */
  readonly now: () => number;
  /** Monotonic clock, ms: for the age of what is known. */
  readonly clock: () => number;
  readonly onError: (error: unknown) => void;
}

const CHANNEL = 'countersign_governance';
const NO_FACTS: GovernanceFacts = Object.freeze({});

/** Reads everything, then keeps it current until closed. Rejects when the database cannot be read. */
export async function openGovernance(options: GovernanceOptions): Promise<Governance> {
  const governance = new Watch(options);
  await governance.refresh();
  await governance.start();
  return governance;
}

class Watch implements Governance {
  readonly #options: GovernanceOptions;
  readonly #watch: ChangeWatch;
  #state: GovernanceState = new Map();
  #revision = '0';
  #follow: (() => Promise<void>) | null = null;
  #released = false;

  constructor(options: GovernanceOptions) {
    const { sql, clock, onError } = options;
    this.#options = options;
    this.#watch = new ChangeWatch({
      sql,
      channel: CHANNEL,
      clock,
      onError,
      read: () => this.#read(),
      follow: () => this.#followReleases(),
    });
  }

  get state(): GovernanceState {
    return this.#state;
  }

  ready(): Promise<void> | null {
    return this.#watch.isFresh ? null : this.#refreshed();
  }

  async #refreshed(): Promise<void> {
    if (await this.#watch.refreshed()) return;
    throw new GatewayError(
      'ledger_unavailable',
      'Kill switches cannot be checked at the moment; nothing was sent. Try again.',
    );
  }

  facts(tenant: string, scope: CallScope): GovernanceFacts {
    if (this.#state.size === 0) return NO_FACTS;
    return factsOf(stateOf(this.#state, tenant), stateOf(this.#state, DEPLOYMENT), scope, this.#options.now());
  }

  onReleases(follow: () => Promise<void>): void {
    this.#follow = follow;
  }

  refresh(): Promise<void> {
    return this.#watch.refresh();
  }

  async #read(): Promise<void> {
    const { sql, keys, onError } = this.#options;
    let last: string | null;
    do {
      const page = await readChanges(sql, keys, this.#revision, (id) =>
        onError(new GatewayError('conflict', `The governance change ${id} was not made by this deployment.`)),
      );
      for (const change of page.changes) {
        this.#state = applyChange(this.#state, change);
        this.#released ||= change.kind === 'release' || change.kind === 'shadow';
      }
      last = page.last;
      this.#revision = last ?? this.#revision;
    } while (last !== null);
  }

  /** The state a process starts with is built into its policies before anybody follows. */
  async #followReleases(): Promise<void> {
    if (!this.#released) return;
    this.#released = false;
    await this.#follow?.().catch((error: unknown) => {
      this.#released = true;
      this.#options.onError(error);
    });
  }

  start(): Promise<void> {
    return this.#watch.start();
  }

  close(): Promise<void> {
    return this.#watch.close();
  }
}

function factsOf(own: TenantState, everywhere: TenantState, scope: CallScope, nowMs: number): GovernanceFacts {
  const switches = [...everywhere.switches, ...own.switches];
  const waivers = [...own.waivers].filter(([, { expires_ms: expiresMs }]) => expiresMs > nowMs);
  return {
    ...(own.observation !== null && own.observation.until_ms > nowMs ? { mode: 'observe' as const } : {}),
    ...(switches.length === 0
      ? {}
      : { kill_switches: switches.map(([id, { kind, target }]) => ({ id, kind, target })) }),
    ...(waivers.length === 0
      ? {}
      : {
          waivers: waivers.map(([id, waiver]) => ({
            id,
            rule: waiver.rule,
            scope: waiver.scope,
            expires_unix_ms: waiver.expires_ms,
            break_glass: waiver.break_glass,
            applies: covers(waiver.scope, scope),
          })),
        }),
  };
}

/** `tenant`, or one kind of name and the name. */
export function covers(scope: string, call: CallScope): boolean {
  if (scope === 'tenant') return true;
  return (
    scope === `principal:${call.principal}` ||
    (call.agent !== null && scope === `agent:${call.agent}`) ||
    (call.model !== null && scope === `model:${call.model}`)
  );
}
