import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../ledger/canonical.ts';
import { ENTRY_KINDS } from '../../ledger/entry.ts';
import { leafHash, leafHashBytes, merkleRoot } from '../../ledger/merkle.ts';
import { sectionLeaf } from '../../ledger/seal.ts';
import { logId } from '../../ledger/verify/log-check.ts';

// The eight leaves of transparency-dev/merkle testonly/constants.go, and the roots of their first n.
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

test('roots of RFC 6962 trees of one to eight leaves', () => {
  const leaves = LEAVES.map((hex) => leafHashBytes(Buffer.from(hex, 'hex')));
  for (const [index, root] of ROOTS.entries()) expect(merkleRoot(leaves.slice(0, index + 1))).toBe(root);
  // SHA-256 of nothing.
  expect(merkleRoot([])).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('a text hashes as its UTF-8 bytes', () => {
  expect(leafHash('Grüße 😀')).toBe(leafHashBytes(Buffer.from('Grüße 😀', 'utf8')));
});

test('the vectors of docs/ledger-format.md hold', () => {
  const text = readFileSync('docs/ledger-format.md', 'utf8');
  const salt = '00112233445566778899aabbccddeeff';
  expect(text).toContain(sectionLeaf(salt, canonicalJson({ effect: 'allow' })));
  expect(text).toContain(
    logId({ log: '', tenant: null, inc: 0, origin: 'countersign.test/ledger', slot: 1, nonce: salt }),
  );
  expect(text).toContain(ROOTS.at(-1));
  expect(text).toContain(canonicalJson({ b: [1, true, null], a: 'ü' }));
  for (const kind of ENTRY_KINDS) expect(text, kind).toContain(kind);
});
