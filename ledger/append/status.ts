import type { LedgerStatus } from '../ledger.ts';
import type { AppendQueue } from './queue.ts';

/** What a queue says of its ledger. @param clockMs monotonic; nowMs unix ms at the same moment */
export function queueStatus(
  queue: AppendQueue,
  { clockMs, nowMs, closed }: { readonly clockMs: number; readonly nowMs: number; readonly closed: boolean },
): Omit<LedgerStatus, 'wid' | 'openCalls' | 'last'> {
  const downForMs = queue.downSinceMs === null ? null : clockMs - queue.downSinceMs;
  return {
    state: closed ? 'closed' : stateOf(queue),
    fork: queue.fork?.message ?? null,
    downSinceMs: downForMs === null ? null : nowMs - Math.round(downForMs),
    queued: queue.waiting,
    inFlight: queue.inFlight,
    ...queue.counts,
    late: queue.late,
  };
}

function stateOf(queue: AppendQueue): LedgerStatus['state'] {
  if (queue.fork !== null) return 'forked';
  if (queue.isFenced) return 'fenced';
  return queue.downSinceMs === null ? 'up' : 'down';
}
