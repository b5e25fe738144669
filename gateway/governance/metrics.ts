/** Governance as metrics: what is out of the ordinary, and alarms about releases. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { GovernanceState } from './state.ts';

export interface GovernanceSeries {
  /** What is in force at a time, unix ms. */
  set(state: GovernanceState, nowMs: number): void;
  /** The rate of denials changed after a release. @param tenant a label value */
  drift(tenant: string): void;
}

export function createGovernanceSeries(registry: Registry): GovernanceSeries {
  const registers = [registry];
  const gauge = (name: string, help: string): Gauge => new Gauge({ name: `countersign_${name}`, help, registers });
  const waivers = gauge('waivers_in_force', 'Waivers and broken glass in force.');
  const unreviewed = gauge('broken_glass_to_review', 'Broken glass that nobody has reviewed yet.');
  const switches = gauge('kill_switches_thrown', 'Kill switches that are thrown.');
  const observing = gauge('tenants_observing', 'Tenants whose denials are recorded and not applied.');
  const drifts = new Counter({
    name: 'countersign_policy_drift_total',
    help: 'Releases after which the rate of denials changed, by tenant.',
    labelNames: ['tenant'],
    registers,
  });
  return {
    set: (state, nowMs) => {
      const all = [...state.values()];
      const made = all.flatMap((tenant) => [...tenant.waivers.values()]);
      waivers.set(made.filter(({ expires_ms: expiresMs }) => expiresMs > nowMs).length);
      unreviewed.set(made.filter((waiver) => waiver.break_glass && waiver.reviewed_by === null).length);
      switches.set(all.reduce((sum, tenant) => sum + tenant.switches.size, 0));
      observing.set(all.filter(({ observation }) => observation !== null && observation.until_ms > nowMs).length);
    },
    drift: (tenant) => drifts.inc({ tenant }),
  };
}
