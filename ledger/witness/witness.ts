import { LedgerError } from '../error.ts';
import { merkleRoot } from '../merkle.ts';
import { parseCheckpoint } from '../note/checkpoint.ts';
import type { Checkpoint } from '../note/checkpoint.ts';
import { cosign } from '../note/cosignature.ts';
import type { NoteSigner, VerifierKey } from '../note/key.ts';
import { formatNote, openNote, parseNote } from '../note/note.ts';
import { verifyConsistency } from '../tree/proof.ts';
import type { TrustPolicy } from './policy.ts';
import { checkpointPath } from './newest.ts';
import { parseAddCheckpoint } from './request.ts';
import type { AddCheckpoint } from './request.ts';
import type { WitnessState } from './state.ts';

/** An answer over HTTP. */
export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422;
  readonly contentType: string;
  readonly body: string;
}

/** A witness: it cosigns checkpoints that continue what it cosigned before, and nothing else. */
export interface Witness {
  readonly key: VerifierKey;
  /** Answers the body of an add-checkpoint request. Rejects when its state cannot be read or written: nothing was signed. */
  addCheckpoint(body: Uint8Array): Promise<WitnessAnswer>;
  /** The newest checkpoint it cosigned of the log that a path of `checkpointPath` names, as the log signed it. */
  checkpoint(path: string): Promise<WitnessAnswer>;
}

/** What a witness is made of. */
export interface WitnessOptions {
  /** Key of algorithm `cosignature`. */
  readonly signer: NoteSigner;
  /** Its logs are witnessed. */
  readonly policy: Pick<TrustPolicy, 'logs'>;
  readonly state: WitnessState;
  /** Unix ms. */
  readonly now: () => number;
}

const TEXT = 'text/plain; charset=utf-8';
const SIZE = 'text/x.tlog.size';

/** A witness of c2sp.org/tlog-witness. Requests of one log are answered one after the other. */
export function createWitness(options: WitnessOptions): Witness {
  const queues = new Map<string, Promise<unknown>>();
  return {
    key: options.signer.key,
    checkpoint: async (path) => {
      const log = options.policy.logs.find(({ key }) => checkpointPath(key.name) === path);
      const note = log === undefined ? null : await options.state.latest(log.key.name);
      return note === null ? refuse(404, 'no checkpoint') : { status: 200, contentType: TEXT, body: note };
    },
    addCheckpoint: async (body) => {
      const request = parseAddCheckpoint(body);
      const origin = request?.note.slice(0, request.note.indexOf('\n')) ?? '';
      if (request === null || origin === '') return refuse(400, 'expected an add-checkpoint request');
      const keys = options.policy.logs.flatMap(({ key }) => (key.name === origin ? [key] : []));
      if (keys.length === 0) return refuse(404, 'unknown log');
      // Between reading the state and replacing it nobody else may: else an older checkpoint could replace a newer one.
      const turn = (): Promise<WitnessAnswer> => decide(options, request, origin, keys);
      const answer = (queues.get(origin) ?? Promise.resolve()).then(turn, turn);
      queues.set(origin, answer);
      return answer;
    },
  };
}

async function decide(
  options: WitnessOptions,
  request: AddCheckpoint,
  origin: string,
  keys: readonly VerifierKey[],
): Promise<WitnessAnswer> {
  const { oldSize, proof, note } = request;
  const checkpoint = attempt(() => parseCheckpoint(parseNote(note).text));
  if (checkpoint === null) return refuse(400, 'expected a checkpoint');
  const opened = attempt(() => openNote(note, keys));
  if (opened === null) return refuse(403, 'expected a signature of a known key over the checkpoint');
  if (oldSize > checkpoint.size) return refuse(400, 'expected an old size up to that of the checkpoint');
  const known = await lastCosigned(options.state, origin, keys);
  if (oldSize !== known.size) return conflict(known.size);
  const isOther = known.size === checkpoint.size && known.root !== checkpoint.root;
  if (isOther || !continues(known, checkpoint, proof)) {
    await options.state.keepContradiction(origin, note);
    return isOther ? conflict(known.size) : refuse(422, 'expected a checkpoint that continues the last one');
  }
  // First durable, then signed: after a crash in between the log asks again from the new size, and nothing was forgotten.
  if (checkpoint.size !== known.size || !known.kept) await options.state.keep(origin, note);
  return { status: 200, contentType: TEXT, body: cosignatureLine(options, opened.text) };
}

interface Known {
  readonly size: number;
  readonly root: string;
  /** False before the first. */
  readonly kept: boolean;
}

/** State that is not what the log signed throws: who has lost its memory must not start anew. */
async function lastCosigned(state: WitnessState, origin: string, keys: readonly VerifierKey[]): Promise<Known> {
  const note = await state.latest(origin);
  if (note === null) return { size: 0, root: merkleRoot([]), kept: false };
  const checkpoint = parseCheckpoint(openNote(note, keys).text);
  if (checkpoint.origin === origin) return { size: checkpoint.size, root: checkpoint.root, kept: true };
  throw new LedgerError('witness', `expected a checkpoint of ${origin} in the state, found one of another log`);
}

/** From size 0 every tree follows, and its proof is empty. */
function continues(known: Known, { size, root }: Checkpoint, proof: readonly string[]): boolean {
  if (known.size === 0) return proof.length === 0 && (size > 0 || root === known.root);
  return verifyConsistency({ oldSize: known.size, oldRoot: known.root, size, root, proof });
}

function cosignatureLine({ signer, now }: WitnessOptions, text: string): string {
  const { name, id } = signer.key;
  const signature = cosign(signer, text, Math.floor(now() / 1000));
  return formatNote({ text: '', signatures: [{ name, id, signature }] }).trimStart();
}

function conflict(size: number): WitnessAnswer {
  return { status: 409, contentType: SIZE, body: `${String(size)}\n` };
}

function refuse(status: 400 | 403 | 404 | 422, message: string): WitnessAnswer {
  return { status, contentType: TEXT, body: `${message}\n` };
}

/** Null for what is no note, no checkpoint, or signed by nobody known. */
function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof LedgerError) return null;
    throw error;
  }
}
