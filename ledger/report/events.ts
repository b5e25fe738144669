import type postgres from 'postgres';
import type { JsonValue } from '../canonical.ts';
import type { EntryKind } from '../entry.ts';
import type { KeyRing } from '../keyring.ts';
import { openSections } from '../sections.ts';
import { readEntries } from '../stored.ts';
import { asObject } from '../verify/call-check.ts';

type Members = { readonly [name: string]: JsonValue };

/** An event of a tenant or of the deployment, opened. */
export interface ReadEvent {
  readonly log: string;
  readonly seq: number;
  readonly timeMs: number;
  readonly facts: Members;
  /** Empty when its key is gone. */
  readonly detail: Members;
}

const PAGE = 500;

/** Events of some kinds, in order over all incarnations; in short reads. */
export async function* readEvents(
  sql: postgres.Sql,
  keys: KeyRing,
  tenant: string,
  kinds: readonly EntryKind[],
): AsyncGenerator<ReadEvent> {
  const logs = await sql<{ log: string }[]>`select log from ledger.logs where tenant = ${tenant} order by inc`;
  for (const { log } of logs) {
    for (let after = -1; ;) {
      const rows = await sql<{ seq: string }[]>`
        select seq from ledger.entries where log = ${log} and seq > ${after} and kind = any (${[...kinds]})
        order by seq limit ${PAGE}`;
      for (const { seq } of rows) yield* readOne(sql, keys, tenant, log, Number(seq));
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE) break;
      after = Number(last.seq);
    }
  }
}

async function* readOne(
  sql: postgres.Sql,
  keys: KeyRing,
  tenant: string,
  log: string,
  seq: number,
): AsyncGenerator<ReadEvent> {
  for await (const entry of readEntries(sql, log, seq, seq)) {
    const { sections } = await openSections(entry, tenant, keys);
    const read = (name: string): Members => asObject(JSON.parse(sections.get(name)?.text ?? 'null') as JsonValue);
    yield { log, seq, timeMs: entry.timeMs, facts: read('facts'), detail: read('detail') };
  }
}

export function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

export function textsOf(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

export function utc(ms: number): string {
  return new Date(ms).toISOString();
}
