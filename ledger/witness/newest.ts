import { hash } from 'node:crypto';
import type { AnchorSend } from '../anchor/send.ts';
import { LedgerError } from '../error.ts';
import { originsOf, rememberedNote } from '../fork/outside.ts';
import type { KnownCheckpoint, Remembered } from '../fork/outside.ts';
import { originLine } from '../note/checkpoint.ts';
import { readSize } from './client.ts';
import { formatAddCheckpoint } from './request.ts';

interface WitnessPlace {
  readonly send: AnchorSend;
  readonly witness: { readonly name: string; readonly url: string };
}

const MAX_ANSWER_BYTES = 65_536;

/** Where a witness of ours shows the newest checkpoint of a log: a name out of a digest, so that an origin needs no escapes. */
export function checkpointPath(origin: string): string {
  return `/checkpoint/${hash('sha256', origin, 'hex')}`;
}

/**
 * The newest checkpoint that a witness cosigned, when it is not the database's. Ours are asked for it. Any other is asked to cosign the
 * database's own newest once more, which continues nothing (c2sp.org/tlog-witness): one that has seen a larger tree answers 409 with its size.
 *
 * @throws {LedgerError} `witness` for an answer that says nothing
 */
export async function askNewest(place: WitnessPlace, known: KnownCheckpoint): Promise<Remembered | null> {
  for (const origin of originsOf(known)) {
    const reply = await place.send({
      purpose: 'witness',
      method: 'GET',
      url: base(place) + checkpointPath(origin),
      headers: {},
      body: new Uint8Array(),
      maxBytes: MAX_ANSWER_BYTES,
    });
    if (reply.status === 200) return rememberedNote(Buffer.from(reply.body).toString('utf8'), origin);
  }
  return known.note === null ? null : probe(place, known, known.note);
}

async function probe(
  place: WitnessPlace,
  { name, inc, size }: KnownCheckpoint,
  note: string,
): Promise<Remembered | null> {
  const { status, body } = await place.send({
    purpose: 'witness',
    method: 'POST',
    url: `${base(place)}/add-checkpoint`,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: Buffer.from(formatAddCheckpoint({ oldSize: size, proof: [], note }), 'utf8'),
    maxBytes: MAX_ANSWER_BYTES,
  });
  const seen = status === 409 ? readSize(Buffer.from(body).toString('utf8')) : null;
  if (seen !== null && seen >= size) return { origin: originLine(name, inc), size: seen, root: null, note: null };
  if (seen !== null || status === 200) return null;
  throw new LedgerError(
    'witness',
    `expected ${place.witness.name} to know a checkpoint, found status ${String(status)}`,
  );
}

function base({ witness }: WitnessPlace): string {
  return witness.url.replace(/\/+$/, '');
}
