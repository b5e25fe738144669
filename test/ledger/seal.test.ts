import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sectionNames } from '../../ledger/index.ts';
import { merkleRoot } from '../../ledger/merkle.ts';
import { createRandomHex } from '../../ledger/random.ts';
import { createSealKeys, openBlob, sealBody, sectionLeaf } from '../../ledger/seal.ts';

const keys = createSealKeys(Buffer.alloc(32, 1), '1');
const random = createRandomHex();
const entry = { tenant: 'demo', kind: 'decision', class: 'decision', call: 'cs-1' };
const sections = {
  facts: { effect: 'allow' },
  subject: { id: 'ada' },
  input: { version: 1 },
  content: { text: 'line one\nline two' },
};

function blob(hex: string | null): Buffer {
  return Buffer.from(hex ?? '', 'hex');
}

describe('a sealed body', () => {
  test('commits to every section of its kind, absent ones included', () => {
    const body = sealBody(entry, sections, keys, random);
    const leaves = body.leaves.match(/.{64}/g) ?? [];
    expect(leaves).toHaveLength(sectionNames('decision').length);
    expect(merkleRoot(leaves)).toBe(body.root);
    expect(leaves[0]).toBe(sectionLeaf(body.factsSalt, '{"effect":"allow"}'));
    expect(leaves[2]).toBe(sectionLeaf(keys.salt('cs-1', 'decision', 'request'), 'null'));
  });

  test('opens to the same texts with the same key only', () => {
    const body = sealBody(entry, sections, keys, random);
    expect(openBlob(entry, 'sections', blob(body.sealed), keys)).toEqual({
      authentic: true,
      texts: ['{"id":"ada"}', 'null', '{"version":1}', 'null'],
    });
    expect(openBlob(entry, 'content', blob(body.content), keys)).toEqual({
      authentic: true,
      texts: ['{"text":"line one\\nline two"}'],
    });
    const other = createSealKeys(Buffer.alloc(32, 2), '2');
    expect(openBlob(entry, 'content', blob(body.content), other)?.authentic).toBe(false);
    expect(openBlob({ ...entry, call: 'cs-2' }, 'content', blob(body.content), keys)?.authentic).toBe(false);
    expect(openBlob({ ...entry, tenant: 'other' }, 'content', blob(body.content), keys)?.authentic).toBe(false);
    expect(openBlob(entry, 'sections', Buffer.from('01'), keys)).toBeNull();
  });

  test('after a changed byte every other section still opens, so that the changed one can be named', () => {
    const body = sealBody(entry, sections, keys, random);
    const damaged = blob(body.sealed);
    const inputAt = 29 + '{"id":"ada"}\nnull\n'.length + 2;
    damaged[inputAt] = (damaged[inputAt] ?? 0) ^ 1;
    const opened = openBlob(entry, 'sections', damaged, keys);
    expect(opened?.authentic).toBe(false);
    expect(opened?.texts[0]).toBe('{"id":"ada"}');
    expect(opened?.texts[2]).not.toBe('{"version":1}');
  });

  test('nothing hidden gives no blob, and no two entries share a salt or a nonce', () => {
    const body = sealBody({ ...entry, kind: 'stop', class: 'event' }, { facts: { a: 1 } }, keys, random);
    expect(body.sealed).toBeNull();
    expect(body.content).toBeNull();
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (content) => {
        if (content.includes('\u0000')) return;
        const [a, b] = [1, 2].map(() => sealBody(entry, { content }, keys, random));
        expect(a?.content).not.toBe(b?.content);
        expect(a?.factsSalt).not.toBe(b?.factsSalt);
      }),
    );
  });
});
