/** Series about anchors: made when there is one to speak of, so that a deployment without them shows nothing. */
import { Gauge, type Registry } from 'prom-client';
import type { AnchorKind, AnchorStatus } from '../ledger/index.ts';

const KINDS: readonly AnchorKind[] = ['witness', 'tsa', 'archive'];

/** Never anchored is an infinite age, which every alarm on an age notices. */
export function createAnchorSeries(
  registry: Registry,
): (status: AnchorStatus, kinds: ReadonlySet<string>, nowMs: number) => void {
  let series: ReturnType<typeof gauges> | null = null;
  return ({ newest, targets }, kinds, nowMs) => {
    series ??= gauges(registry);
    for (const kind of KINDS.filter((each) => kinds.has(each))) {
      const mark = newest[kind];
      series.age.set({ kind }, mark === null ? Number.POSITIVE_INFINITY : Math.max(0, nowMs - mark.timeMs) / 1000);
    }
    series.failing.set(targets.filter(({ failures }) => failures > 0).length);
    series.forked.set(targets.filter(({ forked }) => forked).length);
  };
}

function gauges(registry: Registry): { age: Gauge<'kind'>; failing: Gauge; forked: Gauge } {
  const registers = [registry];
  return {
    age: new Gauge({
      name: 'countersign_ledger_anchor_age_seconds',
      help: 'Age of the newest checkpoint anchored outside, by kind; of witnesses, by a quorum. +Inf: never.',
      labelNames: ['kind'],
      registers,
    }),
    failing: new Gauge({
      name: 'countersign_ledger_anchors_failing',
      help: 'Witnesses, authorities and archives that did not anchor when last asked.',
      registers,
    }),
    forked: new Gauge({
      name: 'countersign_ledger_witnesses_forked',
      help: 'Witnesses that have seen another history of this ledger. Anything but 0 is an alarm.',
      registers,
    }),
  };
}
