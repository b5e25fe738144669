import { createHmac } from 'node:crypto';
import { canonicalJson } from '../canonical.ts';
import { leafHash, nodeHash } from '../merkle.ts';

/** The head of one tenant's log, as an epoch binds it. Hashes lower hex. */
export interface SlotHead {
  readonly slot: number;
  readonly log: string;
  /** Entries; 0 for a log that was just made. */
  readonly size: number;
  /** RFC 6962 tree head over the entries' leaf hashes. */
  readonly root: string;
}

/** A slot opened: with its nonce the leaf can be computed, without it nobody can tell what it binds. */
export interface SlotOpening extends SlotHead {
  /** 32 bytes, lower hex, fresh in every epoch. */
  readonly nonce: string;
}

/** The tree of one epoch. */
export interface SlotTree {
  readonly root: string;
  /** From the slot's sibling up to the root's child. */
  path(slot: number): string[];
}

const MIN_SLOTS = 16;

/** A power of two, so that all paths are of one length and the number of tenants shows only to the next power of two. */
export function slotCount(used: number): number {
  let count = MIN_SLOTS;
  while (count < used) count *= 2;
  return count;
}

/**
 * The leaf of a slot in use: RFC 6962 leaf hash of canonical {log, nonce, root, size, slot}. The log's id is a hash over its
 * slot, so one log has one place in an epoch, and one head.
 */
export function slotLeaf({ log, nonce, root, size, slot }: SlotOpening): string {
  return leafHash(canonicalJson({ log, nonce, root, size, slot }));
}

/** What blinds a slot in one epoch. @param secret 32 random bytes, of this epoch only */
export function slotNonce(secret: Uint8Array, slot: number): string {
  return mac(secret, `nonce\n${String(slot)}`);
}

/** Leaves of slots not in use look like any other: 32 bytes nobody can predict. */
export function buildSlotTree(slots: number, heads: readonly SlotHead[], secret: Uint8Array): SlotTree {
  const used = new Map(heads.map((head) => [head.slot, head]));
  const leaves = Array.from({ length: slots }, (_, slot) => {
    const head = used.get(slot);
    return head === undefined
      ? mac(secret, `empty\n${String(slot)}`)
      : slotLeaf({ ...head, nonce: slotNonce(secret, slot) });
  });
  const rows = [leaves];
  for (let row = leaves; row.length > 1; rows.push(row)) {
    const below = row;
    row = Array.from({ length: below.length / 2 }, (_, i) => nodeHash(below[2 * i] ?? '', below[2 * i + 1] ?? ''));
  }
  return {
    root: rows.at(-1)?.[0] ?? '',
    path: (slot) => rows.slice(0, -1).map((row, level) => row[Math.floor(slot / 2 ** level) ^ 1] ?? ''),
  };
}

function mac(secret: Uint8Array, text: string): string {
  return createHmac('sha256', secret).update(text, 'latin1').digest('hex');
}
