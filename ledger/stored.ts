import type postgres from 'postgres';

/** A row of ledger.entries. Hashes and leaves are lower hex. */
export interface StoredEntry {
  readonly log: string;
  readonly seq: number;
  readonly kind: string;
  readonly class: string;
  readonly call: string;
  readonly header: string;
  readonly hash: string;
  readonly timeMs: number;
  readonly dbTimeMs: number;
  readonly wid: string;
  readonly wseq: number;
  readonly leaves: string;
  readonly facts: string;
  readonly factsSalt: string;
  readonly sealed: Uint8Array | null;
  readonly content: Uint8Array | null;
  readonly keyRef: string | null;
  readonly booked: bigint | null;
  readonly receipt: StoredSignature | null;
}

export interface StoredSignature {
  readonly wid: string;
  readonly digest: string;
  readonly signature: string;
}

interface Row {
  readonly log: string;
  readonly seq: string;
  readonly kind: string;
  readonly class: string;
  readonly call: string;
  readonly header: string;
  readonly hash: string;
  readonly t: string;
  readonly dbt: string;
  readonly wid: string;
  readonly wseq: string;
  readonly leaves: string;
  readonly facts: string;
  readonly facts_salt: string;
  readonly sealed: Buffer | null;
  readonly content: Buffer | null;
  readonly content_bytes: number | null;
  readonly key: string | null;
  readonly booked: string | null;
  readonly receipt_wid: string | null;
  readonly digest: string | null;
  readonly sig: string | null;
}

const PAGE = 250;
/** Larger contents are fetched one at a time, so that a page stays small. */
const INLINE_BYTES = 65_536;

/** A log's entries with from <= seq <= to, in order, in short reads; without their large contents when nobody asks for them. */
export async function* readEntries(
  sql: postgres.Sql,
  log: string,
  from: number,
  to: number,
  contents = true,
): AsyncGenerator<StoredEntry> {
  let next = from;
  while (next <= to) {
    const page = await sql<Row[]>`
      select e.log, e.seq, e.kind, e.class, e.call, e.header, encode(e.hash, 'hex') as hash, e.t, e.dbt, e.wid, e.wseq,
        encode(e.leaves, 'hex') as leaves, e.facts, e.facts_salt, e.sealed, e.key, e.booked,
        case when ${contents} and octet_length(e.content) <= ${INLINE_BYTES} then e.content end as content,
        octet_length(e.content) as content_bytes,
        r.wid as receipt_wid, r.digest, r.sig
      from ledger.entries e left join ledger.receipts r on r.log = e.log and r.seq = e.seq
      where e.log = ${log} and e.seq >= ${next} and e.seq <= ${to} order by e.seq limit ${PAGE}`;
    for (const row of page) yield toEntry(row, contents ? await contentOf(sql, row) : null);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    next = Number(last.seq) + 1;
  }
}

/** All entries of one call, by sequence. */
export async function readCallEntries(sql: postgres.Sql, log: string, call: string): Promise<StoredEntry[]> {
  const rows = await sql<{ seq: string }[]>`
    select seq from ledger.entries where log = ${log} and call = ${call} order by seq`;
  const entries: StoredEntry[] = [];
  for (const { seq } of rows) {
    for await (const entry of readEntries(sql, log, Number(seq), Number(seq))) entries.push(entry);
  }
  return entries;
}

async function contentOf(sql: postgres.Sql, row: Row): Promise<Buffer | null> {
  if (row.content !== null || row.content_bytes === null) return row.content;
  const [found] = await sql<{ content: Buffer | null }[]>`
    select content from ledger.entries where log = ${row.log} and seq = ${row.seq}`;
  return found?.content ?? null;
}

function toEntry(row: Row, content: Buffer | null): StoredEntry {
  const receipt =
    row.sig === null ? null : { wid: row.receipt_wid ?? '', digest: row.digest ?? '', signature: row.sig };
  return {
    log: row.log,
    seq: Number(row.seq),
    kind: row.kind,
    class: row.class,
    call: row.call,
    header: row.header,
    hash: row.hash,
    timeMs: Number(row.t),
    dbTimeMs: Number(row.dbt),
    wid: row.wid,
    wseq: Number(row.wseq),
    leaves: row.leaves,
    facts: row.facts,
    factsSalt: row.facts_salt,
    sealed: row.sealed,
    content,
    keyRef: row.key,
    booked: row.booked === null ? null : BigInt(row.booked),
    receipt,
  };
}
