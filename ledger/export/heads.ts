import { canonicalJson, parseCanonical } from '../canonical.ts';
import type { JsonValue } from '../canonical.ts';
import type { OpenedHead } from '../epoch/check.ts';
import { isHash } from '../epoch/record.ts';
import type { StoredCheckpoint } from '../epoch/stored.ts';
import { asObject } from '../verify/call-check.ts';

/** Beside a tenant's entries: what every epoch that changed the log says of it, and the newest epoch in any case. */
export const EPOCHS_FILE = 'epochs.jsonl';
/** Beside the deployment's entries: its published checkpoints. */
export const CHECKPOINTS_FILE = 'checkpoints.jsonl';
/** A line of either file. */
export const MAX_HEAD_CHARS = 1_100_000;

const MAX_PATH = 64;

export function writeOpening({ epoch, nonce, path, root, size }: OpenedHead): string {
  return `${canonicalJson({ epoch, nonce, path: [...path], root, size })}\n`;
}

/** Null when the line has another form. */
export function readOpening(line: string): OpenedHead | null {
  const { epoch, nonce, path, root, size } = asObject(parse(line));
  if (!isCount(epoch) || !isCount(size) || !isHash(nonce) || !isHash(root)) return null;
  if (!Array.isArray(path) || path.length > MAX_PATH || !path.every(isHash)) return null;
  return { epoch, nonce, path, root, size };
}

export function writeCheckpoint({ note, vkey }: Omit<StoredCheckpoint, 'size'>): string {
  return `${canonicalJson({ note, vkey })}\n`;
}

/** Null when the line has another form. */
export function readCheckpoint(line: string): Omit<StoredCheckpoint, 'size'> | null {
  const { note, vkey } = asObject(parse(line));
  return typeof note === 'string' && typeof vkey === 'string' ? { note, vkey } : null;
}

function parse(line: string): JsonValue {
  try {
    return parseCanonical(line);
  } catch {
    return null;
  }
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && value >= 0;
}
