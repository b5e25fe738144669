import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { verifyProof } from '../../../ledger/epoch/proof-text.ts';
import { slotCount, slotLeaf, slotNonce } from '../../../ledger/epoch/slots.ts';
import { parseVerifierKey } from '../../../ledger/note/key.ts';

test('the published vectors hold', () => {
  const slots = JSON.parse(readFileSync('test/vectors/ledger/slots.json', 'utf8')) as {
    secret: string;
    slot: number;
    nonce: string;
    log: string;
    size: number;
    root: string;
    leaf: string;
  };
  expect(slotNonce(Buffer.from(slots.secret, 'hex'), slots.slot)).toBe(slots.nonce);
  expect(slotLeaf(slots)).toBe(slots.leaf);
  expect(readFileSync('docs/ledger-format.md', 'utf8')).toContain(slots.leaf);
  const vector = JSON.parse(readFileSync('test/vectors/ledger/proof.json', 'utf8')) as {
    vkey: string;
    log: string;
    seq: number;
    hash: string;
    epoch: number;
    checkpoint: { size: number; root: string };
    proof: string;
  };
  const { log, seq, hash, epoch, checkpoint } = vector;
  const proven = verifyProof(vector.proof, [parseVerifierKey(vector.vkey)]);
  expect(proven).toMatchObject({ hash, epoch, checkpoint, header: { log, seq } });
});

test('slots are a power of two with room for all logs', () => {
  expect([1, 16, 17, 32, 33, 1000].map(slotCount)).toEqual([16, 16, 32, 32, 64, 1024]);
});
