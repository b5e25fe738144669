/** Bitcoin addresses: Base58Check (version 0 and 5) and segregated witness (BIP 173, BIP 350). */
import { base58Check } from '../../base58.ts';

const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const NO_VALUE = 255;
const VALUES = new Uint8Array(128).fill(NO_VALUE);
for (const [value, char] of Array.from(BECH32).entries()) VALUES[char.charCodeAt(0)] = value;
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const CONSTANTS: readonly number[] = [1, 0x2bc830a3];
/** What high bits, separator and low bits of `bc` make of the sum. */
const PREFIX = [3, 3, 0, 2, 3].reduce(add, 1);
const ADDRESS_BYTES = 25;

/** True when the checksum holds. */
export function isBitcoinAddress(address: string): boolean {
  if (address.startsWith('1') || address.startsWith('3')) return base58Check(address, ADDRESS_BYTES) !== null;
  return address.startsWith('bc1') && isBech32(address.slice(3));
}

function isBech32(data: string): boolean {
  if (data.length < 6) return false;
  let check = PREFIX;
  for (let at = 0; at < data.length; at++) {
    const value = VALUES[data.charCodeAt(at)] ?? NO_VALUE;
    if (value === NO_VALUE) return false;
    check = add(check, value);
  }
  return CONSTANTS.includes(check >>> 0);
}

/** The sum with one more value: a step of division by the polynomial of BIP 173. */
function add(check: number, value: number): number {
  const top = check >>> 25;
  let sum = ((check & 0x1ffffff) << 5) ^ value;
  for (let bit = 0; bit < GENERATOR.length; bit++) if (((top >>> bit) & 1) === 1) sum ^= GENERATOR[bit] ?? 0;
  return sum;
}
