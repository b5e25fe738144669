import type { NoteSigner } from './key.ts';

/** The parts of a timestamped signature: c2sp.org/tlog-cosignature, Ed25519. */
export interface Cosignature {
  /** Unix seconds. */
  readonly timeS: number;
  readonly signature: Uint8Array;
}

const BYTES = 8 + 64;

/** What a witness signs: two lines of its own, then the checkpoint's text. */
export function cosignedMessage(text: Uint8Array, timeS: number): Buffer {
  return Buffer.concat([Buffer.from(`cosignature/v1\ntime ${String(timeS)}\n`, 'latin1'), text]);
}

/** Null when the bytes have another length, or a time beyond what a number holds. */
export function readCosignature(bytes: Uint8Array): Cosignature | null {
  if (bytes.length !== BYTES) return null;
  const timeS = Buffer.from(bytes).readBigUInt64BE(0);
  if (timeS > BigInt(Number.MAX_SAFE_INTEGER)) return null;
  return { timeS: Number(timeS), signature: bytes.subarray(8) };
}

/** The bytes that follow the key id in a witness's line under a checkpoint's text. */
export function cosign(signer: NoteSigner, text: string, timeS: number): Uint8Array {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(timeS));
  return Buffer.concat([time, signer.sign(cosignedMessage(Buffer.from(text, 'utf8'), timeS))]);
}
