/**
 * Reads a request body from the raw Node message: bounded on the wire and after decompression, valid UTF-8 or refused.
 * Trust boundary: every byte in here is chosen by the caller.
 */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { GatewayError } from '../errors.ts';

export interface BodyLimits {
  /** Largest body accepted on the wire, in bytes. */
  readonly bodyBytes: number;
  /** Largest body after decompression, in bytes. */
  readonly decompressedBytes: number;
}

type Decoder = (input: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const gunzip: Decoder = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip);
const DECODERS = new Map<string, Decoder>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['deflate', promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflate)],
  ['br', promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress)],
]);
// Node 20 has no zstd; newer versions do, and then it is accepted.
const zstd: unknown = Reflect.get(zlib, 'zstdDecompress');
if (typeof zstd === 'function') DECODERS.set('zstd', promisify(zstd as typeof zlib.gunzip) as Decoder);

/** The body as text. Throws `request_too_large`, `unsupported_media_type` or `invalid_request`. */
export async function readBody(incoming: IncomingMessage, limits: BodyLimits): Promise<string> {
  checkDeclared(incoming, limits);
  const wire = await collect(incoming, limits.bodyBytes);
  const bytes = await decompress(wire, incoming.headers['content-encoding'], limits);
  if (!isUtf8(bytes)) {
    throw new GatewayError('invalid_request', 'The body is not valid UTF-8. Send the JSON document encoded as UTF-8.');
  }
  return bytes.toString('utf8');
}

function checkDeclared(incoming: IncomingMessage, limits: BodyLimits): void {
  const type = incoming.headers['content-type'];
  if (type !== undefined && !/^application\/(?:[a-z0-9.+-]*\+)?json\s*(?:;|$)/i.test(type)) {
    throw new GatewayError(
      'unsupported_media_type',
      `Expected content-type application/json, found ${JSON.stringify(type.slice(0, 60))}.`,
    );
  }
  if (Number(incoming.headers['content-length'] ?? 0) > limits.bodyBytes) throw tooLarge(limits.bodyBytes);
}

function tooLarge(limit: number): GatewayError {
  return new GatewayError('request_too_large', `The body is larger than the ${limit} bytes this gateway accepts.`);
}

function collect(incoming: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const gone = (cause?: unknown): void => {
      reject(new GatewayError('client_closed', 'The request was cut off.', { cause }));
    };
    // The caller left while its key was looked up: no event will say so again.
    if (incoming.destroyed) gone();
    const chunks: Buffer[] = [];
    let size = 0;
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) {
        chunks.push(chunk);
      } else {
        // Stop keeping bytes but let the socket drain, so that the caller can read the refusal.
        chunks.length = 0;
        reject(tooLarge(limit));
      }
    });
    incoming.on('end', () => {
      const only = chunks[0];
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks));
    });
    incoming.on('error', gone);
    incoming.on('close', () => {
      if (!incoming.readableEnded) gone();
    });
  });
}

async function decompress(wire: Buffer, encoding: string | undefined, limits: BodyLimits): Promise<Buffer> {
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return wire;
  const decoder = DECODERS.get(encoding.trim().toLowerCase());
  if (decoder === undefined) {
    throw new GatewayError(
      'unsupported_media_type',
      `Expected content-encoding ${[...DECODERS.keys()].join(', ')} or identity, found ${JSON.stringify(encoding.slice(0, 40))}.`,
    );
  }
  try {
    return await decoder(wire, { maxOutputLength: limits.decompressedBytes });
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge(limits.decompressedBytes);
    throw new GatewayError('invalid_request', `The body is not valid ${encoding.toLowerCase()} data.`, { cause });
  }
}
