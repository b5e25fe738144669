import type { SignatureToCheck, VerifyMany } from '../../verify/writer-check.ts';

const encoder = new TextEncoder();

/** The browser's own Ed25519, which is some ten times faster than the page's; undefined where it has none. */
export async function findVerifyMany(): Promise<VerifyMany | undefined> {
  const keys = new Map<string, Promise<CryptoKey | null>>();
  const keyOf = (raw: string): Promise<CryptoKey | null> => {
    const known = keys.get(raw) ?? importKey(raw);
    keys.set(raw, known);
    return known;
  };
  const one = async ({ key: raw, text, signature }: SignatureToCheck): Promise<boolean> => {
    const key = await keyOf(raw);
    if (key === null) return false;
    return crypto.subtle.verify('Ed25519', key, bytesOf(signature), encoder.encode(text)).catch(() => false);
  };
  // The base point of RFC 8032, a key like any other.
  const isThere = (await keyOf(`WGZm${'ZmZm'.repeat(9)}ZmY`)) !== null;
  return isThere ? (checks) => Promise.all(checks.map(one)) : undefined;
}

async function importKey(raw: string): Promise<CryptoKey | null> {
  try {
    return await crypto.subtle.importKey('raw', bytesOf(raw), 'Ed25519', false, ['verify']);
  } catch {
    return null;
  }
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(base64url, 'base64url'));
}
