import { createHmac, hash } from 'node:crypto';
import { Unsupported, ofTexts } from './builtin.ts';
import type { HostBuiltin } from './builtin.ts';

export const ENCODING_BUILTINS: Readonly<Record<string, HostBuiltin>> = {
  'crypto.md5': ofTexts(1, (text) => hash('md5', text, 'hex')),
  'crypto.sha1': ofTexts(1, (text) => hash('sha1', text, 'hex')),
  'crypto.sha256': ofTexts(1, (text) => hash('sha256', text, 'hex')),
  'crypto.hmac.md5': hmac('md5'),
  'crypto.hmac.sha1': hmac('sha1'),
  'crypto.hmac.sha256': hmac('sha256'),
  'crypto.hmac.sha512': hmac('sha512'),
  'crypto.hmac.equal': ofTexts(2, (one, other) => one === other),
  'hex.encode': ofTexts(1, (text) => Buffer.from(text).toString('hex')),
  'hex.decode': ofTexts(1, (text) =>
    /^(?:[0-9a-fA-F]{2})*$/.test(text) ? readText(Buffer.from(text, 'hex')) : undefined,
  ),
  'base64url.encode_no_pad': ofTexts(1, (text) => Buffer.from(text).toString('base64url')),
  'urlquery.encode': ofTexts(1, encodeQuery),
  'urlquery.decode': ofTexts(1, decodeQuery),
};

function hmac(algorithm: string): HostBuiltin {
  return ofTexts(2, (text, key) => createHmac(algorithm, key).update(text).digest('hex'));
}

/** opa's texts can hold any bytes, ours only Unicode. */
function readText(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (Buffer.compare(Buffer.from(text), bytes) !== 0) throw new Unsupported('a text that is not UTF-8');
  return text;
}

/** Go's url.QueryEscape. */
function encodeQuery(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[^A-Za-z0-9\-_.~]/g, (byte) =>
      byte === ' ' ? '+' : `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    );
}

function decodeQuery(text: string): string | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return undefined;
  const bytes = Buffer.from(text)
    .toString('latin1')
    .replaceAll('+', ' ')
    .replace(/%(..)/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return readText(Buffer.from(bytes, 'latin1'));
}
