import { describe, expect, test } from 'vitest';
import { createVerifierKey, formatVerifierKey } from '../../../ledger/note/key.ts';
import type { NoteAlgorithm } from '../../../ledger/note/key.ts';
import { meetsQuorum, parsePolicy } from '../../../ledger/witness/policy.ts';

const vkey = (name: string, seed: number, algorithm: NoteAlgorithm = 'cosignature'): string =>
  formatVerifierKey(createVerifierKey(name, algorithm, Buffer.alloc(32, seed)));
const witness = (name: string, seed: number): string => `witness ${name} ${vkey(`${name}.test`, seed)}`;

/** The example of c2sp.org/tlog-policy. */
const EXAMPLE = [
  `log ${vkey('log.test/0', 99, 'ed25519')} https://log.test/`,
  '',
  '\t # witnesses of one organisation',
  witness('X1', 1), witness('X2', 2), ` ${witness('X3', 3)}  https://x3.test/submit \t`,
  'group X-witnesses 2 X1 X2 X3',
  witness('Y1', 4), witness('Y2', 5), witness('Y3', 6),
  'group Y-witnesses any Y1 Y2 Y3',
  'group X-and-Y all X-witnesses Y-witnesses',
  'quorum X-and-Y',
].join('\n'); // prettier-ignore

describe('a trust policy', () => {
  const policy = parsePolicy(EXAMPLE);

  test('names logs and witnesses with their addresses', () => {
    expect(policy.logs.map(({ key, url }) => [key.name, url])).toEqual([['log.test/0', 'https://log.test/']]);
    expect(policy.witnesses.map(({ name, url }) => [name, url])).toEqual(
      ['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3'].map((name) => [name, name === 'X3' ? 'https://x3.test/submit' : null]),
    );
  });

  test.each([
    [['X1', 'X2', 'Y1'], true],
    [['X1', 'X3', 'Y3'], true],
    [['X1', 'X2', 'X3'], false],
    [['X1', 'Y1', 'Y2', 'Y3'], false],
    [[], false],
  ])('%j is a quorum: %s', (names, expected) => {
    const signed = new Set(names.map((name) => `${name}.test`));
    expect(meetsQuorum(policy, ({ name }) => signed.has(name))).toBe(expected);
  });

  test('that asks for nobody is met by nobody', () => {
    expect(meetsQuorum(parsePolicy('quorum none\n'), () => true)).toBe(false);
  });

  test.each([
    ['no quorum', witness('a', 1)],
    ['two', 'quorum none\nquorum none'],
    ['an unknown name', 'quorum a'],
    ['a name before its line', `quorum a\n${witness('a', 1)}`],
    ['none as a member', `${witness('a', 1)}\ngroup g any a none\nquorum g`],
    ['none as a name', `${witness('none', 1)}\nquorum none`],
    ['a taken name', `${witness('a', 1)}\n${witness('a', 2)}\nquorum a`],
    ['one witness twice', `${witness('a', 1)}\n${witness('b', 1)}\nquorum a`],
    ['one log twice', `log ${vkey('a', 1, 'ed25519')}\nlog ${vkey('b', 1, 'ed25519')}\nquorum none`],
    ['a member twice', `${witness('a', 1)}\ngroup g any a a\nquorum g`],
    ['a member of two groups', `${witness('a', 1)}\ngroup g any a\ngroup h any a\nquorum g`],
    ['no member', `group g any\nquorum none`],
    ['more than there are', `${witness('a', 1)}\ngroup g 2 a\nquorum g`],
    ['none of them', `${witness('a', 1)}\ngroup g 0 a\nquorum g`],
    ['another number', `${witness('a', 1)}\ngroup g +1 a\nquorum g`],
    ['a key of the other kind', `log ${vkey('a', 1)}\nquorum none`],
    ['a log key as a witness', `witness a ${vkey('a', 1, 'ed25519')}\nquorum a`],
    ['a broken key', 'witness a b+c+d\nquorum a'],
    ['a control character', 'quorum none\r\n'],
    ['a word too many', `${witness('a', 1)} https://a.test/ more\nquorum a`],
    ['another word', 'trust me\nquorum none'],
    ['a prototype name', `${witness('a', 1)}\ngroup g constructor a\nquorum g`],
    ['an endless file', `${'#\n'.repeat(5000)}quorum none`],
  ])('with %s is refused', (_name, text) => {
    expect(() => parsePolicy(text)).toThrow(expect.objectContaining({ code: 'trust_policy' }) as Error);
  });
});
