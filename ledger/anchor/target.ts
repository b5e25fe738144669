import type postgres from 'postgres';
import { readConsistency } from '../epoch/tree-reader.ts';
import { LedgerError } from '../error.ts';
import { formatVerifierKey } from '../note/key.ts';
import type { VerifierKey } from '../note/key.ts';
import type { OutsideMemory } from '../fork/outside.ts';
import { askWitness } from '../witness/client.ts';
import { askNewest } from '../witness/newest.ts';
import type { TokenCertificate } from './certificate.ts';
import type { AnchorSend } from './send.ts';
import { readTimestampResponse, timestampRequest, verifyTimestamp } from './timestamp.ts';

/** A published checkpoint of the deployment's log, to be anchored. */
export interface AnchorCheckpoint {
  readonly log: string;
  readonly size: number;
  /** The note as the log signed it. */
  readonly note: string;
}

/** Somebody outside who is asked to remember checkpoints. */
export interface AnchorTarget {
  /** `witness:<key name>+<key id>`, `tsa:<name>` or `archive:<place>`; names its failures in the database. */
  readonly id: string;
  /** Has this checkpoint, or one young enough, been anchored here? */
  readonly isDone: (sql: postgres.Sql, checkpoint: AnchorCheckpoint) => Promise<boolean>;
  /** Anchors and stores what came back. @throws {LedgerError} or whatever the connection does */
  readonly anchor: (sql: postgres.Sql, checkpoint: AnchorCheckpoint) => Promise<void>;
  /** What it remembers that the database does not know of; absent where nobody could tell. */
  readonly newest?: OutsideMemory['newest'];
}

/** A witness that is asked for a cosignature under every checkpoint. */
export function witnessTarget(
  witness: { readonly name: string; readonly key: VerifierKey; readonly url: string },
  send: AnchorSend,
): AnchorTarget {
  const vkey = formatVerifierKey(witness.key);
  return {
    id: `witness:${vkey.split('+', 2).join('+')}`,
    isDone: async (sql, { log, size }) =>
      (await sql`select 1 from ledger.cosignatures where log = ${log} and size = ${size} and vkey = ${vkey}`).length >
      0,
    anchor: async (sql, { log, size, note }) => {
      const [last] = await sql<{ size: string }[]>`
        select size from ledger.cosignatures where log = ${log} and vkey = ${vkey} order by size desc limit 1`;
      const proof = (oldSize: number): Promise<string[]> => readConsistency(sql, log, oldSize, size);
      const { line, timeS } = await askWitness({ send, witness, note, size, lastSize: Number(last?.size ?? 0), proof });
      await sql`select ledger.store_cosignature(${log}, ${size}, ${vkey}, ${line}, ${new Date(timeS * 1000)})`;
    },
    newest: (known) => askNewest({ send, witness }, known),
  };
}

/** A timestamp authority (RFC 3161) and how often it is asked. */
export interface AuthorityOptions {
  readonly name: string;
  readonly url: string;
  /** From one timestamp to the next, ms. */
  readonly everyMs: number;
  /** With these, an answer that no reader could verify is a failure at once; null: whatever it answers is kept. */
  readonly trusted: readonly TokenCertificate[] | null;
  /** Cryptographically random bytes. */
  readonly random: (bytes: number) => Uint8Array;
}

const MAX_RESPONSE_BYTES = 131_072;

/** An authority that stamps the newest checkpoint from time to time. What is stamped are the exact bytes of its note. */
export function authorityTarget(authority: AuthorityOptions, send: AnchorSend): AnchorTarget {
  const { name, url, everyMs, trusted, random } = authority;
  return {
    id: `tsa:${name}`,
    isDone: async (sql, { log, size }) =>
      (
        await sql`
          select 1 from ledger.timestamps where log = ${log} and authority = ${name}
          and (size = ${size} or stored > clock_timestamp() - ${everyMs} * interval '1 millisecond') limit 1`
      ).length > 0,
    anchor: async (sql, { log, size, note }) => {
      const message = Buffer.from(note, 'utf8');
      const nonce = random(8);
      const { status, body } = await send({
        purpose: 'timestamp',
        method: 'POST',
        url,
        headers: { 'content-type': 'application/timestamp-query' },
        body: timestampRequest(message, nonce),
        maxBytes: MAX_RESPONSE_BYTES,
      });
      if (status !== 200)
        throw new LedgerError('timestamp', `expected a timestamp of ${name}, found status ${String(status)}`);
      const { token, timeMs } = readTimestampResponse(body, message, nonce);
      if (trusted !== null) verifyTimestamp(token, message, trusted);
      await sql`select ledger.store_timestamp(${log}, ${size}, ${name}, ${token}, ${new Date(timeMs)})`;
    },
  };
}
