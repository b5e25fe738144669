import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { canonicalJson, parseCanonical } from '../../ledger/index.ts';
import type { JsonValue } from '../../ledger/index.ts';

interface Files {
  readonly files: readonly { readonly name: string; readonly input: string; readonly outhex: string }[];
}
interface Numbers {
  /** IEEE 754 bits, hex. */
  readonly first: readonly string[];
  readonly sha256: Readonly<Record<string, string>>;
}
const { files } = JSON.parse(readFileSync('test/vectors/jcs/files.json', 'utf8')) as Files;
const numbers = JSON.parse(readFileSync('test/vectors/jcs/numbers.json', 'utf8')) as Numbers;
const REFUSED = expect.objectContaining({ code: 'invalid_value' }) as Error;

/** Fractions and exponents are outside of the ledger's profile, and one of the files is about them. */
describe('the files of RFC 8785\u2019s author', () => {
  test.each(files)('$name', ({ name, input, outhex }) => {
    const value = JSON.parse(input) as JsonValue;
    const expected = Buffer.from(outhex, 'hex').toString('utf8');
    if (name === 'values') {
      expect(() => canonicalJson(value)).toThrow(REFUSED);
      expect(() => parseCanonical(expected)).toThrow(REFUSED);
      const { string, literals } = value as { [key: string]: JsonValue };
      const written = canonicalJson({ string: string ?? null, literals: literals ?? null });
      expect(written).toBe(expected.replace(/,"numbers":\[[^\]]*\]/, ''));
      return;
    }
    expect(canonicalJson(value)).toBe(expected);
    expect(canonicalJson(parseCanonical(expected))).toBe(expected);
  });
});

describe('the numbers of RFC 8785\u2019s author', () => {
  /** The generator that the vectors describe: listed values, a run of small ones, then the bytes of a hash chain. */
  function* generate(count: number): Generator<number> {
    const bits = new BigUint64Array(1);
    const float = new Float64Array(bits.buffer);
    const of = (value: bigint): number => {
      bits[0] = value;
      return float[0] ?? 0;
    };
    let given = 0;
    for (const each of numbers.first) if (given++ < count) yield of(BigInt(`0x${each}`));
    for (let i = 0n; i < 2000n && given < count; i += 1n, given += 1) yield of(0x0010000000000000n + i);
    for (let block = Buffer.alloc(32); given < count;) {
      block = createHash('sha256').update(block).digest();
      for (let at = 0; at < 32 && given < count; at += 8) {
        const value = block.readDoubleLE(at);
        if (value === 0 || !Number.isFinite(value)) continue;
        given += 1;
        yield value;
      }
    }
  }

  function hexOf(value: number): string {
    const bits = Buffer.alloc(8);
    bits.writeDoubleBE(value);
    return bits.readBigUInt64BE(0).toString(16);
  }

  test('are written as they should be where the profile has them, and refused where not', () => {
    const hash = createHash('sha256');
    const seen = new Map<string, string>();
    let count = 0;
    let written = 0;
    for (const value of generate(100_000)) {
      const inside = Number.isSafeInteger(value) && !Object.is(value, -0);
      // What RFC 8785 asks for is what String gives: the checksums below say that for every number there is.
      const text = String(value);
      if (inside) expect(canonicalJson(value)).toBe(text);
      else if (count % 100 === 0) expect(() => canonicalJson(value)).toThrow(REFUSED);
      if (inside) written += 1;
      hash.update(`${hexOf(value)},${text}\n`);
      count += 1;
      if (numbers.sha256[String(count)] !== undefined) seen.set(String(count), hash.copy().digest('hex'));
    }
    expect(Object.fromEntries(seen)).toEqual(numbers.sha256);
    expect(written).toBeGreaterThan(20);
  });
});
