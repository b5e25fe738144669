import type postgres from 'postgres';
import { parseVerifierKey } from '../note/key.ts';
import { meetsQuorum } from '../witness/policy.ts';
import type { TrustPolicy } from '../witness/policy.ts';
import { newestCheckpoint } from './job.ts';

/** Kinds of outside anchors. */
export type AnchorKind = 'witness' | 'tsa' | 'archive';

/** How far an anchor reaches. */
export interface AnchorMark {
  /** Entries of the deployment's log. */
  readonly size: number;
  /** Unix ms that the anchor states; of a copy, when it was taken. */
  readonly timeMs: number;
}

/** Who anchors, how far, and who is failing. Null is never. */
export interface AnchorStatus {
  /** Size of the newest checkpoint. */
  readonly checkpointSize: number | null;
  /** The newest checkpoint anchored by each kind; of witnesses, by as many as the policy asks for. */
  readonly newest: Readonly<Record<AnchorKind, AnchorMark | null>>;
  readonly targets: readonly {
    readonly id: string;
    readonly newest: AnchorMark | null;
    /** In a row. */
    readonly failures: number;
    readonly nextTryMs: number | null;
    readonly problem: string | null;
    /** A witness that has seen another history of this log. */
    readonly forked: boolean;
  }[];
}

interface MarkRow {
  readonly id: string;
  readonly size: string;
  readonly time: Date;
}

/** Checkpoints that are searched for a quorum, from the newest back. */
const MAX_SEARCHED = 500;

/** @param policy whose quorum counts; null: any one witness does */
export async function readAnchorStatus(sql: postgres.Sql, policy: TrustPolicy | null): Promise<AnchorStatus> {
  const checkpoint = await newestCheckpoint(sql);
  const log = checkpoint?.log ?? '';
  const marks = await sql<MarkRow[]>`
    (select distinct on (vkey) 'witness:' || split_part(vkey, '+', 1) || '+' || split_part(vkey, '+', 2) as id, size, stated as time
      from ledger.cosignatures where log = ${log} order by vkey, size desc)
    union all (select distinct on (authority) 'tsa:' || authority, size, stated
      from ledger.timestamps where log = ${log} order by authority, size desc)
    union all (select distinct on (place) 'archive:' || place, size, stored
      from ledger.copies where log = ${log} order by place, size desc)`;
  const tries = await sql<{ target: string; failures: number; next: Date; problem: string | null; forked: boolean }[]>`
    select target, failures, next_try as next, problem, forked from ledger.anchor_tries order by target`;
  const known = new Map(marks.map(({ id, size, time }) => [id, { size: Number(size), timeMs: time.getTime() }]));
  const tried = new Map(tries.map((each) => [each.target, each]));
  const newestOf = (kind: AnchorKind): AnchorMark | null =>
    [...known].filter(([id]) => id.startsWith(`${kind}:`)).reduce<AnchorMark | null>(
      (best, [, mark]) => (best === null || mark.size > best.size ? mark : best), null,
    ); // prettier-ignore
  const quorum = policy?.quorum === null || policy === null ? newestOf('witness') : await readQuorum(sql, log, policy);
  return {
    checkpointSize: checkpoint?.size ?? null,
    newest: { witness: quorum, tsa: newestOf('tsa'), archive: newestOf('archive') },
    targets: [...new Set([...known.keys(), ...tried.keys()])].toSorted().map((id) => {
      const { failures = 0, next, problem = null, forked = false } = tried.get(id) ?? {};
      const nextTryMs = failures === 0 ? null : (next?.getTime() ?? null);
      return { id, newest: known.get(id) ?? null, failures, nextTryMs, problem, forked };
    }),
  };
}

/** The newest checkpoint that enough witnesses cosigned, and when the last of them did. */
async function readQuorum(sql: postgres.Sql, log: string, policy: TrustPolicy): Promise<AnchorMark | null> {
  const rows = await sql<{ size: string; vkeys: string[]; time: Date }[]>`
    select size, array_agg(vkey) as vkeys, max(stated) as time from ledger.cosignatures
    where log = ${log} group by size order by size desc limit ${MAX_SEARCHED}`;
  for (const { size, vkeys, time } of rows) {
    const signed = new Set(vkeys.map((vkey) => Buffer.from(parseVerifierKey(vkey).publicKey).toString('hex')));
    const isMet = meetsQuorum(policy, ({ publicKey }) => signed.has(Buffer.from(publicKey).toString('hex')));
    if (isMet) return { size: Number(size), timeMs: time.getTime() };
  }
  return null;
}
