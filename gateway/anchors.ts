/** Connections of the anchoring job: witnesses, timestamp authorities and archives see checkpoints, never content. */
import type { AnchorSend } from '../ledger/index.ts';
import type { Egress } from './egress.ts';

const TIMEOUT_MS = 15_000;

export function sendThrough(egress: Pick<Egress, 'request'>): AnchorSend {
  return (request) => egress.request({ ...request, timeoutMs: TIMEOUT_MS });
}
