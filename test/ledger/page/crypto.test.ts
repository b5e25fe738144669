import * as node from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeDer } from '../../../ledger/anchor/der.ts';
import { Buffer as PageBuffer } from '../../../ledger/page/buffer.ts';
import * as page from '../../../ledger/page/node-crypto.ts';
import { readPublicKey } from '../../../ledger/page/public-key.ts';
import { startAuthority } from '../../support/timestamp-authority.ts';

const bytes = fc.uint8Array({ maxLength: 400 });

describe('the page\u2019s own functions answer as Node\u2019s', () => {
  test('for digests', () => {
    fc.assert(
      fc.property(bytes, fc.constantFrom('sha1', 'sha256', 'sha384', 'sha512'), (data, name) => {
        expect(page.hash(name, data)).toBe(node.hash(name, data, 'hex'));
      }),
      { numRuns: 300 },
    );
    // In pieces of any size, as files come.
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 150 }), { maxLength: 8 }), (pieces) => {
        const hash = page.createHash('sha256');
        for (const piece of pieces) hash.update(piece);
        expect(Buffer.from(hash.digest() as Uint8Array).toString('hex')).toBe(node.hash('sha256', Buffer.concat(pieces), 'hex')); // prettier-ignore
      }),
      { numRuns: 300 },
    );
    expect(page.hash('sha256', 'Grüße 😀')).toBe(node.hash('sha256', 'Grüße 😀', 'hex'));
  });

  test('for buffers', () => {
    const encodings = ['utf8', 'latin1', 'hex', 'base64', 'base64url'] as const;
    fc.assert(
      fc.property(
        bytes,
        fc.string({ unit: 'binary', maxLength: 80 }),
        fc.constantFrom(...encodings),
        (data, text, encoding) => {
          expect(PageBuffer.from(data).toString(encoding)).toBe(Buffer.from(data).toString(encoding));
          if (encoding === 'utf8' || encoding === 'latin1')
            expect([...PageBuffer.from(text, encoding)]).toEqual([...Buffer.from(text, encoding)]);
          const written = Buffer.from(data).toString(encoding);
          expect([...PageBuffer.from(written, encoding)]).toEqual([...Buffer.from(written, encoding)]);
          expect(PageBuffer.compare(data, Buffer.from(text))).toBe(Buffer.compare(data, Buffer.from(text)));
        },
      ),
      { numRuns: 500 },
    );
  });
});

type Pair = { readonly publicKey: node.KeyObject; readonly privateKey: node.KeyObject };
const PAIRS: readonly (readonly [string, Pair, readonly ('sha256' | 'sha384' | 'sha512' | null)[]])[] = [
  ['Ed25519', node.generateKeyPairSync('ed25519'), [null]],
  ['P-256', node.generateKeyPairSync('ec', { namedCurve: 'P-256' }), ['sha256', 'sha384', 'sha512']],
  ['P-384', node.generateKeyPairSync('ec', { namedCurve: 'P-384' }), ['sha256', 'sha384']],
  ['RSA', node.generateKeyPairSync('rsa', { modulusLength: 2048 }), ['sha256', 'sha384', 'sha512']],
];

describe('signatures', () => {
  test.each(PAIRS)('%s: a good one is good, and a changed one, of another message or key is not', (_, pair, names) => {
    const key = readPublicKey(pair.publicKey.export({ format: 'der', type: 'spki' }));
    expect(key.asymmetricKeyType).toBe(pair.publicKey.asymmetricKeyType);
    for (const name of names) {
      for (let run = 0; run < 3; run += 1) {
        const message = node.randomBytes(50 * run);
        const signature = node.sign(name, message, pair.privateKey);
        expect(page.verify(name, message, key, signature)).toBe(true);
        expect(page.verify(name, Buffer.concat([message, Buffer.of(0)]), key, signature)).toBe(false);
        const changed = Buffer.from(signature);
        const at = changed.length - 1 - run * 3;
        changed[at] = (changed[at] ?? 0) ^ 1;
        expect(page.verify(name, message, key, changed)).toBe(false);
        expect(page.verify(name, message, key, signature.subarray(1))).toBe(false);
      }
    }
  });

  test('of Ed25519 with a number beyond the order are refused, as Node refuses them', () => {
    const pair = node.generateKeyPairSync('ed25519');
    const x = String(pair.publicKey.export({ format: 'jwk' })['x']);
    const key = page.createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x } });
    const signature = node.sign(null, Buffer.from('m'), pair.privateKey);
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order;
    const high = Buffer.concat([
      signature.subarray(0, 32),
      Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse(),
    ]);
    expect(node.verify(null, Buffer.from('m'), pair.publicKey, high)).toBe(false);
    expect(page.verify(null, Buffer.from('m'), key, high)).toBe(false);
    expect(page.verify(null, Buffer.from('m'), key, signature)).toBe(true);
  });
});

test('certificates say what Node says of them', async () => {
  for (const kind of ['rsa', 'ec'] as const) {
    const authority = await startAuthority({ key: kind });
    const [ca, own] = [authority.ca, authority.certificate].map((pem) => {
      const both = new node.X509Certificate(pem);
      return { node: both, page: new page.X509Certificate(both.raw) };
    });
    await authority.close();
    if (ca === undefined || own === undefined) throw new TypeError('two certificates');
    for (const each of [ca, own]) {
      expect(each.page.ca).toBe(each.node.ca);
      expect(Date.parse(each.page.validFrom)).toBe(Date.parse(each.node.validFrom));
      expect(Date.parse(each.page.validTo)).toBe(Date.parse(each.node.validTo));
      for (const other of [ca, own]) {
        expect(each.page.checkIssued(other.page)).toBe(each.node.checkIssued(other.node));
        expect(each.page.verify(other.page.publicKey)).toBe(each.node.verify(other.node.publicKey));
      }
    }
  }
  expect(() => new page.X509Certificate(writeDer(0x30))).toThrow(TypeError);
});
