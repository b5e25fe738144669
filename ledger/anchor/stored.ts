import type postgres from 'postgres';

/** What others outside said of one checkpoint, as it is stored. */
export interface StoredAnchors {
  readonly size: number;
  /** Signature lines of witnesses, without their line feed. */
  readonly cosignatures: readonly string[];
  /** RFC 3161 tokens, base64. */
  readonly timestamps: readonly string[];
}

const PAGE = 500;

/** Anchors of a log's checkpoints up to `lastSize`, in order, those without any left out; in short reads. */
export async function* readAnchors(sql: postgres.Sql, log: string, lastSize: number): AsyncGenerator<StoredAnchors> {
  for (let after = 0; ;) {
    const rows = await sql<{ size: string; lines: string[] | null; tokens: string[] | null }[]>`
      select c.size, s.lines, t.tokens from ledger.checkpoints c
      left join lateral (select array_agg(x.line order by x.vkey) as lines
        from ledger.cosignatures x where x.log = c.log and x.size = c.size) s on true
      left join lateral (select array_agg(encode(x.token, 'hex') order by x.authority) as tokens
        from ledger.timestamps x where x.log = c.log and x.size = c.size) t on true
      where c.log = ${log} and c.size > ${after} and c.size <= ${lastSize} order by c.size limit ${PAGE}`;
    for (const { size, lines, tokens } of rows) {
      if (lines === null && tokens === null) continue;
      yield {
        size: Number(size),
        cosignatures: (lines ?? []).map((line) => line.trimEnd()),
        timestamps: (tokens ?? []).map((token) => Buffer.from(token, 'hex').toString('base64')),
      };
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = Number(last.size);
  }
}

/** Anchors of one checkpoint; empty lists when there are none. */
export async function readAnchorsAt(sql: postgres.Sql, log: string, size: number): Promise<StoredAnchors> {
  const lines = await sql<{ line: string }[]>`
    select line from ledger.cosignatures where log = ${log} and size = ${size} order by vkey`;
  const tokens = await sql<{ token: Buffer }[]>`
    select token from ledger.timestamps where log = ${log} and size = ${size} order by authority`;
  return {
    size,
    cosignatures: lines.map(({ line }) => line.trimEnd()),
    timestamps: tokens.map(({ token }) => token.toString('base64')),
  };
}
