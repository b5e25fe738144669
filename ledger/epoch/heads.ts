import type postgres from 'postgres';
import { DEPLOYMENT } from '../entry.ts';
import { LedgerError } from '../error.ts';
import { CompactRange } from '../tree/range.ts';

/** A tenant's log as the next epoch finds it. */
export interface LogHead {
  readonly log: string;
  readonly slot: number;
  /** Entries that are durable. */
  readonly size: number;
  /** What the last epoch that changed it knew. */
  readonly known: { readonly size: number; readonly root: string; readonly nodes: string } | null;
}

/** A head that changed, with its tree continued to it. */
export interface GrownHead extends LogHead {
  readonly range: CompactRange;
}

interface HeadRow {
  readonly log: string;
  readonly slot: string;
  readonly tail: string | null;
  readonly size: string | null;
  readonly root: string | null;
  readonly frontier: string | null;
}

/** Hashes read at once: 320 kB. */
const READ_HASHES = 10_000;
const TILES_AT_ONCE = 32;

/** All tenants' logs, by slot; one that was just made has no entries. Every visible entry is durable: PostgreSQL shows no commit before its WAL is. */
export async function readHeads(sql: postgres.Sql): Promise<LogHead[]> {
  const rows = await sql<HeadRow[]>`
    select l.log, l.slot, t.seq as tail, h.size, encode(h.root, 'hex') as root, encode(h.frontier, 'hex') as frontier
    from ledger.logs l
    left join lateral (select x.seq from ledger.entries x where x.log = l.log order by x.seq desc limit 1) t on true
    left join lateral (select x.size, x.root, x.frontier from ledger.epoch_heads x where x.log = l.log order by x.epoch desc limit 1) h on true
    where l.tenant <> ${DEPLOYMENT} order by l.slot`;
  return rows.map(({ log, slot, tail, size, root, frontier }) => ({
    log,
    slot: Number(slot),
    size: Number(tail ?? -1) + 1,
    known: size === null ? null : { size: Number(size), root: root ?? '', nodes: frontier ?? '' },
  }));
}

/**
 * Continues the trees of logs that grew, by one node hash per new entry on average, and builds the tiles they filled. Many
 * small logs are read together, a large one in parts.
 *
 * @throws {LedgerError} `forked` when a log is shorter than an epoch has bound it
 */
export async function growHeads(sql: postgres.Sql, heads: readonly LogHead[]): Promise<GrownHead[]> {
  const grown = heads.flatMap((head): GrownHead[] => {
    const { known, size } = head;
    if (known !== null && known.size > size) {
      throw new LedgerError(
        'forked',
        `expected log ${head.log} with at least ${String(known.size)} entries, found ${String(size)}; was the database restored?`,
      );
    }
    if ((known?.size ?? 0) === size) return [];
    const range = known === null ? CompactRange.empty() : CompactRange.restore(known.size, known.nodes);
    return range === null ? [{ ...head, range: CompactRange.empty() }] : [{ ...head, range }];
  });
  const isReady = ({ range, size }: GrownHead): boolean => range.size === size;
  for (let rest = grown; rest.length > 0; rest = rest.filter((head) => !isReady(head))) await readSome(sql, rest);
  for (const { log, size, known } of grown) {
    if (Math.floor(size / 256) > Math.floor((known?.size ?? 0) / 256)) await buildTiles(sql, log, size);
  }
  return grown;
}

/** One read of up to READ_HASHES hashes, for as many logs as fit. */
async function readSome(sql: postgres.Sql, heads: readonly GrownHead[]): Promise<void> {
  const spans: { head: GrownHead; from: number; to: number }[] = [];
  let room = READ_HASHES;
  for (const head of heads) {
    const from = head.range.size;
    const to = Math.min(head.size, from + room);
    spans.push({ head, from, to });
    room -= to - from;
    if (room === 0) break;
  }
  const rows = await sql<{ n: string; hashes: string }[]>`
    select u.n, x.hashes
    from unnest(${spans.map(({ head }) => head.log)}::text[], ${spans.map(({ from }) => from)}::bigint[],
      ${spans.map(({ to }) => to)}::bigint[]) with ordinality u(log, from_, to_, n)
    cross join lateral (select encode(string_agg(e.hash, '' order by e.seq), 'hex') as hashes
      from ledger.entries e where e.log = u.log and e.seq >= u.from_ and e.seq < u.to_) x`;
  for (const { n, hashes } of rows) {
    const span = spans[Number(n) - 1];
    const leaves = hashes.match(/.{64}/g) ?? [];
    if (span === undefined || leaves.length !== span.to - span.from) throw missing(span?.head.log ?? '');
    for (const leaf of leaves) span.head.range.append(leaf);
  }
}

function missing(log: string): LedgerError {
  return new LedgerError(
    'forked',
    `expected all entries of log ${log} to be there, found some missing; run ledger verify`,
  );
}

/** Full tiles up to a size, in short transactions. Doing it twice, or by two processes, gives the same tiles. */
export async function buildTiles(sql: postgres.Sql, log: string, size: number): Promise<void> {
  for (let built = 1; built > 0;) {
    const [row] = await sql<{ built: number }[]>`select ledger.build_tiles(${log}, ${size}, ${TILES_AT_ONCE}) as built`;
    built = row?.built ?? 0;
  }
}
