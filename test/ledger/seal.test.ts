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

function blob(base64: string | null): Buffer {
  return Buffer.from(base64 ?? '', 'base64');
}

describe('a sealed body', () => {
  test('commits to every section of its kind, absent ones included', () => {
    const body = sealBody(entry, sections, keys, random);
    const leaves = body.leaves.match(/.{64}/g) ?? [];
    expect(leaves).toHaveLength(sectionNames('decision').length);
    expect(merkleRoot(leaves)).toBe(body.root);
    expect(leaves[0]).toBe(sectionLeaf(body.factsSalt, '{"effect":"allow"}'));
    expect(leaves[2]).toBe(sectionLeaf('', 'null'));
  });

  test('opens to the same texts with the same key only', () => {
    const body = sealBody(entry, sections, keys, random);
    const opened = openBlob(entry, 'sections', blob(body.sealed), keys);
    expect(opened?.authentic).toBe(true);
    const content = '{"text":"line one\\nline two"}';
    expect(opened?.sections.map(({ text }) => text)).toEqual([
      '{"id":"ada"}',
      'null',
      '{"version":1}',
      'null',
      content,
    ]);
    const leaves = body.leaves.match(/.{64}/g) ?? [];
    expect(opened?.sections.map(({ salt, text }) => sectionLeaf(salt, text))).toEqual(leaves.slice(1));
    const other = createSealKeys(Buffer.alloc(32, 2), '2');
    const sealed = blob(body.sealed);
    expect(openBlob(entry, 'sections', sealed, other)?.authentic).toBe(false);
    expect(openBlob(entry, 'content', sealed, keys)?.authentic).toBe(false);
    expect(openBlob({ ...entry, call: 'cs-2' }, 'sections', sealed, keys)?.authentic).toBe(false);
    expect(openBlob({ ...entry, tenant: 'other' }, 'sections', sealed, keys)?.authentic).toBe(false);
    expect(openBlob(entry, 'sections', Buffer.from('01'), keys)).toBeNull();
  });

  test('long content has a blob of its own', () => {
    const long = { text: 'x'.repeat(5000) };
    const body = sealBody(entry, { ...sections, content: long }, keys, random);
    expect(openBlob(entry, 'sections', blob(body.sealed), keys)?.sections).toHaveLength(4);
    const [content] = openBlob(entry, 'content', blob(body.content), keys)?.sections ?? [];
    expect(content?.text).toBe(JSON.stringify(long));
    expect(sectionLeaf(content?.salt ?? '', content?.text ?? '')).toBe(body.leaves.slice(-64));
    expect(sealBody(entry, { content: long }, keys, random).sealed).toBeNull();
  });

  test('after a changed byte every other section still opens, so that the changed one can be named', () => {
    const body = sealBody(entry, sections, keys, random);
    const damaged = blob(body.sealed);
    const inputAt = 29 + `\0["${'s'.repeat(32)}",{"id":"ada"}]\0\0["${'s'.repeat(32)}",{"`.length;
    damaged[inputAt] = (damaged[inputAt] ?? 0) ^ 1;
    const opened = openBlob(entry, 'sections', damaged, keys);
    expect(opened?.authentic).toBe(false);
    expect(opened?.sections[0]?.text).toBe('{"id":"ada"}');
    expect(opened?.sections[2]?.text).not.toBe('{"version":1}');
  });

  test('nothing hidden gives no blob, and no two entries share a salt or a nonce', () => {
    const body = sealBody({ ...entry, kind: 'stop', class: 'event' }, { facts: { a: 1 } }, keys, random);
    expect(body.sealed).toBeNull();
    expect(body.content).toBeNull();
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (content) => {
        if (content.includes('\u0000')) return;
        const [a, b] = [1, 2].map(() => sealBody(entry, { content }, keys, random));
        expect(a?.sealed).not.toBe(b?.sealed);
        expect(a?.root).not.toBe(b?.root);
        expect(a?.factsSalt).not.toBe(b?.factsSalt);
      }),
    );
  });
});
