/** Bitcoin addresses: Base58Check (version 0 and 5) and segregated witness (BIP 173, BIP 350). */
import { hash } from 'node:crypto';

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const CONSTANTS: readonly number[] = [1, 0x2bc830a3];
/** Of `bc`: high bits, separator, low bits. */
const PREFIX = [3, 3, 0, 2, 3];

/** True when the checksum holds. */
export function isBitcoinAddress(address: string): boolean {
  if (address.startsWith('1') || address.startsWith('3')) return isBase58Check(address);
  return address.startsWith('bc1') && isBech32(address.slice(3));
}

function isBase58Check(address: string): boolean {
  let value = 0n;
  for (const character of address) {
    const digit = BASE58.indexOf(character);
    if (digit < 0) return false;
    value = value * 58n + BigInt(digit);
  }
  const hex = value.toString(16).padStart(50, '0');
  if (hex.length !== 50) return false;
  const payload = Buffer.from(hex.slice(0, 42), 'hex');
  const digest = hash('sha256', hash('sha256', payload, 'buffer'), 'hex');
  return digest.startsWith(hex.slice(42));
}

function isBech32(data: string): boolean {
  const values = Array.from(data, (character) => BECH32.indexOf(character));
  if (values.length < 6 || values.includes(-1)) return false;
  return CONSTANTS.includes(polynomial([...PREFIX, ...values]));
}

function polynomial(values: readonly number[]): number {
  let check = 1;
  for (const value of values) {
    const top = check >>> 25;
    check = ((check & 0x1ffffff) << 5) ^ value;
    for (const [at, generator] of GENERATOR.entries()) if (((top >>> at) & 1) === 1) check ^= generator;
  }
  return check >>> 0;
}
