/** What the changes add up to, by tenant. Pure. */
import type { KillSwitch, Observation, Release, StoredChange } from './change.ts';
import type { Waiver } from './waiver.ts';

/** Everything that people decided about one tenant; keys are those of the changes. */
export interface TenantState {
  readonly releases: ReadonlyMap<string, Release>;
  readonly shadows: ReadonlyMap<string, Release>;
  readonly observation: Observation | null;
  readonly waivers: ReadonlyMap<string, Waiver>;
  readonly switches: ReadonlyMap<string, KillSwitch>;
}

const NOTHING: TenantState = {
  releases: new Map(),
  shadows: new Map(),
  observation: null,
  waivers: new Map(),
  switches: new Map(),
};

export type GovernanceState = ReadonlyMap<string, TenantState>;

/** The state of a tenant nothing was decided about, too. */
export function stateOf(state: GovernanceState, tenant: string): TenantState {
  return state.get(tenant) ?? NOTHING;
}

export function applyChange(state: GovernanceState, change: StoredChange): GovernanceState {
  return new Map(state).set(change.tenant, changed(stateOf(state, change.tenant), change));
}

function changed(before: TenantState, change: StoredChange): TenantState {
  switch (change.kind) {
    case 'release':
      return { ...before, releases: put(before.releases, change.key, change.value) };
    case 'shadow':
      return { ...before, shadows: put(before.shadows, change.key, change.value) };
    case 'observe':
      return { ...before, observation: change.value };
    case 'waiver':
      return { ...before, waivers: put(before.waivers, change.key, change.value) };
    case 'switch':
      return { ...before, switches: put(before.switches, change.key, change.value) };
  }
}

function put<Value>(map: ReadonlyMap<string, Value>, key: string, value: Value | null): ReadonlyMap<string, Value> {
  const next = new Map(map);
  if (value === null) next.delete(key);
  else next.set(key, value);
  return next;
}
