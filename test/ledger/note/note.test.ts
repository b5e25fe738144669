import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cosign } from '../../../ledger/note/cosignature.ts';
import { formatCheckpoint, originLine, parseCheckpoint } from '../../../ledger/note/checkpoint.ts';
import { createNoteSigner, createVerifierKey, formatVerifierKey, parseVerifierKey } from '../../../ledger/note/key.ts';
import type { NoteSigner } from '../../../ledger/note/key.ts';
import { formatNote, openNote, parseNote, signNote } from '../../../ledger/note/note.ts';

interface Vectors {
  readonly text: string;
  readonly keys: readonly { readonly vkey: string; readonly seed: string; readonly line: string }[];
  readonly checkpoints: readonly { readonly text: string; readonly size: number; readonly root: string }[];
}
const VECTORS = JSON.parse(readFileSync('test/vectors/ledger/notes.json', 'utf8')) as Vectors;
const INVALID = expect.objectContaining({ code: 'invalid_note' }) as Error;
const BAD_KEY = expect.objectContaining({ code: 'checkpoint_key' }) as Error;

const signers = VECTORS.keys.map(({ vkey, seed }) =>
  createNoteSigner(parseVerifierKey(vkey).name, 'ed25519', Buffer.from(seed, 'base64')),
);
const verifiers = VECTORS.keys.map(({ vkey }) => parseVerifierKey(vkey));
const note = `${VECTORS.text}\n${VECTORS.keys.map(({ line }) => line).join('')}`;

describe('signed notes', () => {
  test('the documented examples of golang.org/x/mod/sumdb/note are written and read', () => {
    for (const [index, { vkey }] of VECTORS.keys.entries()) {
      const signer = signers[index] as NoteSigner;
      expect(formatVerifierKey(signer.key)).toBe(vkey);
    }
    expect(signNote(VECTORS.text, signers)).toBe(note);
    const opened = openNote(note, verifiers);
    expect(opened.text).toBe(VECTORS.text);
    expect(opened.verified.map(({ key, timeS }) => [key.name, timeS])).toEqual([
      ['PeterNeumann', null],
      ['EnochRoot', null],
    ]);
  });

  test('a key that is not known is no signature, a known key that did not sign refuses the note', () => {
    const [peter, enoch] = verifiers;
    if (peter === undefined || enoch === undefined) throw new TypeError('two keys');
    expect(openNote(note, [enoch])).toMatchObject({ verified: [{ key: enoch }], unknown: [{ name: 'PeterNeumann' }] });
    const stranger = createNoteSigner('PeterNeumann', 'ed25519', Buffer.alloc(32, 9)).key;
    expect(() => openNote(note, [stranger])).toThrow(INVALID);
    expect(() => openNote(note, [])).toThrow(INVALID);
    // The same key under another name is another key.
    expect(() => openNote(note, [createVerifierKey('peter', 'ed25519', peter.publicKey)])).toThrow(INVALID);
    const other = note.replace('cryptography', 'cryptographY');
    expect(() => openNote(other, [peter])).toThrow(INVALID);
    // Claims to be Peter's line, by name and id, with Enoch's signature: the whole note goes, though Enoch's own line is good.
    const { signatures, text } = parseNote(note);
    const forged = signatures.map((line) => ({ ...line, signature: signatures[1]?.signature ?? Buffer.alloc(0) }));
    expect(() => openNote(formatNote({ text, signatures: forged }), verifiers)).toThrow(INVALID);
  });

  test('a key signs once, whatever the note repeats', () => {
    const { text, signatures } = parseNote(note);
    const doubled = formatNote({ text, signatures: [...signatures, ...signatures] });
    expect(openNote(doubled, verifiers).verified).toHaveLength(2);
  });

  const line = VECTORS.keys[0]?.line ?? '';
  const body = VECTORS.text;
  test.each([
    ['empty', ''],
    ['no signature', `${body}\n`],
    ['no empty line', `${body}${line}`],
    ['no text', `\n${line}`],
    ['no line feed at the end', `${body}\n${line}`.slice(0, -1)],
    ['a hyphen for the dash', `${body}\n${line.replace('\u2014', '-')}`],
    ['no name', `${body}\n${line.replace('PeterNeumann', '')}`],
    ['a plus sign in the name', `${body}\n${line.replace('Neumann', '+Neumann')}`],
    ['a space in the name', `${body}\n${line.replace('Neumann', '\u00a0Neumann')}`],
    ['two spaces', `${body}\n${line.replace(' Peter', '  Peter')}`],
    ['something behind', `${body}\n${line.replace('\n', ' x\n')}`],
    ['other base64', `${body}\n${line.replace('x08go/', 'x08go_')}`],
    ['base64 without padding', `${body}\n${line.replace('=', '')}`],
    ['base64 with stray bits', `${body}\n${line.replace('M=', 'N=')}`],
    ['only a key id', `${body}\n\u2014 PeterNeumann x08goA==\n`],
    ['a carriage return', `${body}\n${line}`.replaceAll('\n', '\r\n')],
    ['a control character', `\u0007${body}\n${line}`],
    ['a lone surrogate', `\ud800${body}\n${line}`],
    ['101 signatures', `${body}\n${line.repeat(101)}`],
    ['more than a megabyte', `${'x'.repeat(1_000_001)}${body}\n${line}`],
  ])('a note with %s is refused', (_, text) => {
    expect(() => parseNote(text)).toThrow(INVALID);
  });

  test('any text and signatures come back as they were', () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 80 }).map((text) => text.replaceAll(/\p{Cc}/gu, '\n'));
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 3 }), (text, count) => {
        const written = signNote(`${text}\n`, Array<NoteSigner>(count).fill(signers[0] as NoteSigner));
        expect(formatNote(parseNote(written))).toBe(written);
        expect(openNote(written, verifiers).text).toBe(`${text}\n`);
      }),
    );
    expect(() => signNote('no line feed', signers)).toThrow(INVALID);
  });
});

describe('verifier keys', () => {
  const [vkey = ''] = VECTORS.keys.map((each) => each.vkey);
  test.each([
    ['another id', vkey.replace('c74f20a3', 'c74f20a4')],
    ['an upper case id', vkey.replace('c74f20a3', 'C74F20A3')],
    ['no name', vkey.replace('PeterNeumann', '')],
    ['a space in the name', vkey.replace('Peter', 'Peter ')],
    ['another algorithm', vkey.replace('+ARpc', '+Bhpc')],
    ['less material', vkey.slice(0, -4)],
    ['more material', `${vkey}AAAA`],
    ['nothing', ''],
  ])('with %s is refused', (_, text) => {
    expect(() => parseVerifierKey(text)).toThrow(BAD_KEY);
  });

  test('names and keys have a form', () => {
    for (const name of ['', 'a b', 'a+b', 'a\nb', 'a\u2003b', 'x'.repeat(257), '\ud800'])
      expect(() => createVerifierKey(name, 'ed25519', Buffer.alloc(32)), name).toThrow(BAD_KEY);
    expect(() => createVerifierKey('a', 'ed25519', Buffer.alloc(31))).toThrow(BAD_KEY);
    expect(() => createNoteSigner('a', 'ed25519', Buffer.alloc(33))).toThrow(BAD_KEY);
  });
});

describe('checkpoints', () => {
  test('are three lines', () => {
    for (const { text, size, root } of VECTORS.checkpoints) {
      const parsed = parseCheckpoint(text);
      expect(parsed).toMatchObject({ size, root });
      expect(formatCheckpoint(parsed)).toBe(text);
    }
    expect(originLine('countersign.test/ledger', 1)).toBe('countersign.test/ledger/1');
  });

  const text = VECTORS.checkpoints[0]?.text ?? '';
  test.each([
    ['no origin', text.replace(/^[^\n]+/, '')],
    ['a leading zero', text.replace('20852163', '020852163')],
    ['a sign', text.replace('20852163', '+20852163')],
    ['an inexact size', text.replace('20852163', '9007199254740993')],
    ['a short root', text.replace('CsUYap', 'CsUY')],
    ['another base64', text.replace('om/X', 'om_X')],
    ['an empty extension', `${text}\n`],
    ['no line feed', text.slice(0, -1)],
    ['two lines', text.split('\n').slice(0, 2).join('\n')],
    ['nothing', ''],
  ])('with %s are refused', (_, bad) => {
    expect(() => parseCheckpoint(bad)).toThrow(INVALID);
  });
});

describe('cosignatures', () => {
  const witness = createNoteSigner('witness.test/w1', 'cosignature', Buffer.alloc(32, 3));
  const [log = witness] = signers;
  const text = VECTORS.checkpoints[0]?.text ?? '';
  const signed = parseNote(signNote(text, [log]));
  const line = (signature: Uint8Array): string =>
    formatNote({ text, signatures: [...signed.signatures, { name: witness.key.name, id: witness.key.id, signature }] });

  test('a witness signs text and time', () => {
    const opened = openNote(line(cosign(witness, text, 1_763_000_000)), [log.key, witness.key]);
    expect(opened.verified).toMatchObject([{ timeS: null }, { key: witness.key, timeS: 1_763_000_000 }]);
  });

  test('another time, another text or another type of key is no cosignature', () => {
    const good = Buffer.from(cosign(witness, text, 1_763_000_000));
    const later = Buffer.from(good);
    later.writeBigUInt64BE(1_763_000_001n);
    const beyond = Buffer.from(good);
    beyond.writeBigUInt64BE(2n ** 63n);
    const plain = witness.sign(Buffer.from(text));
    const elsewhere = cosign(witness, `${text}extension\n`, 1_763_000_000);
    for (const bad of [later, beyond, plain, elsewhere, good.subarray(0, 71)])
      expect(() => openNote(line(bad), [witness.key])).toThrow(INVALID);
    const asLog = createVerifierKey(witness.key.name, 'ed25519', witness.key.publicKey);
    expect(asLog.id).not.toBe(witness.key.id);
    expect(() => openNote(line(good), [asLog])).toThrow(INVALID);
    expect(parseVerifierKey(formatVerifierKey(witness.key))).toEqual(witness.key);
  });
});
