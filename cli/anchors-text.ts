import type { AnchorKind, AnchorMark, AnchorStatus } from '../ledger/index.ts';

const KINDS: Readonly<Record<AnchorKind, string>> = {
  witness: 'cosigned by enough witnesses',
  tsa: 'timestamped',
  archive: 'copied to an archive',
};

/** Anchors outside as lines: how far each kind reaches, then who anchored or failed. */
export function anchorsText({ newest, targets }: AnchorStatus, nowMs: number): string {
  const reached = (Object.keys(KINDS) as AnchorKind[]).map(
    (kind) => `  ${KINDS[kind]}: ${markText(newest[kind], nowMs)}`,
  );
  const each = targets.map(({ id, newest: mark, failures, problem, forked }) => {
    const state =
      failures === 0 ? markText(mark, nowMs) : `failed ${String(failures)} times in a row: ${problem ?? ''}`;
    return `  ${forked ? 'FORKED ' : ''}${id}: ${state}`;
  });
  return ['Anchors outside:', ...(targets.length === 0 ? ['  none'] : [...reached, ...each])].join('\n');
}

function markText(mark: AnchorMark | null, nowMs: number): string {
  if (mark === null) return 'never';
  const seconds = Math.max(0, Math.round((nowMs - mark.timeMs) / 1000));
  return `${String(mark.size)} entries, ${new Date(mark.timeMs).toISOString()}, ${String(seconds)} s ago`;
}
