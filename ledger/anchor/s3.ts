import { createHash, createHmac } from 'node:crypto';
import { LedgerError } from '../error.ts';
import type { AnchorSend } from './send.ts';

/** A bucket of an S3-compatible store. */
export interface Bucket {
  /** Address without the bucket: requests are path-style. */
  readonly url: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** One object to be written. */
export interface StoredObject {
  /** Characters A-Z a-z 0-9 . _ - and / only. */
  readonly key: string;
  readonly body: Uint8Array;
  /** How long nobody may delete or replace this version; null: no lock. */
  readonly lock: { readonly mode: 'COMPLIANCE' | 'GOVERNANCE'; readonly untilMs: number } | null;
}

const MAX_ANSWER_BYTES = 65_536;
const MAX_KEYS = 200;
const MAX_LIST_BYTES = 1_048_576;
const KEY = /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/;

/**
 * Writes an object, locked against deletion (S3 PutObject with x-amz-object-lock headers). Writing the same again makes another
 * version; none is lost.
 *
 * @param nowMs unix ms; stores refuse requests signed a quarter of an hour off
 * @throws {LedgerError} `archive`
 */
export async function putObject(send: AnchorSend, bucket: Bucket, object: StoredObject, nowMs: number): Promise<void> {
  const { key, body, lock } = object;
  if (!KEY.test(key) || key.split('/').some((part) => part === '.' || part === '..'))
    throw new LedgerError('archive', 'expected a plain key for an object, found another form');
  const url = `${bucket.url}/${bucket.bucket}/${key}`;
  const headers: Record<string, string> = {
    'content-md5': createHash('md5').update(body).digest('base64'),
    'content-type': 'application/octet-stream',
  };
  if (lock !== null) {
    headers['x-amz-object-lock-mode'] = lock.mode;
    // Whole seconds: not every store reads fractions.
    headers['x-amz-object-lock-retain-until-date'] = new Date(lock.untilMs).toISOString().replace(/\.\d{3}/, '');
  }
  const signed = signRequest({ method: 'PUT', url, headers, body }, bucket, nowMs);
  const { status } = await send({
    purpose: 'archive',
    method: 'PUT',
    url,
    headers: signed,
    body,
    maxBytes: MAX_ANSWER_BYTES,
  });
  if (status !== 200)
    throw new LedgerError(
      'archive',
      `expected the archive to take an object, found status ${String(status)}; check bucket, rights and object lock`,
    );
}

/**
 * Keys in the order of their names, at most a page of them (S3 ListObjectsV2).
 *
 * @param after only keys that come later
 * @throws {LedgerError} `archive`
 */
export async function listObjects(
  send: AnchorSend,
  bucket: Bucket,
  { prefix, after }: { readonly prefix: string; readonly after: string },
  nowMs: number,
): Promise<string[]> {
  const query = { 'list-type': '2', 'max-keys': String(MAX_KEYS), prefix, 'start-after': after };
  const asked = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  const url = `${bucket.url}/${bucket.bucket}?${asked.toSorted().join('&')}`;
  const xml = Buffer.from(await read(send, bucket, url, MAX_LIST_BYTES, nowMs)).toString('utf8');
  return [...xml.matchAll(/<Key>([A-Za-z0-9._/-]+)<\/Key>/g)].map(([, key]) => key ?? '');
}

/** An object's newest version. @throws {LedgerError} `archive` */
export function getObject(send: AnchorSend, bucket: Bucket, key: string, nowMs: number): Promise<Uint8Array> {
  return read(send, bucket, `${bucket.url}/${bucket.bucket}/${key}`, MAX_ANSWER_BYTES, nowMs);
}

async function read(
  send: AnchorSend,
  bucket: Bucket,
  url: string,
  maxBytes: number,
  nowMs: number,
): Promise<Uint8Array> {
  const body = new Uint8Array();
  const headers = signRequest({ method: 'GET', url, headers: {}, body }, bucket, nowMs);
  const reply = await send({ purpose: 'archive', method: 'GET', url, headers, body, maxBytes });
  if (reply.status === 200) return reply.body;
  throw new LedgerError(
    'archive',
    `expected the archive to show what it keeps, found status ${String(reply.status)}; the access key has to be allowed to list and read`,
  );
}

/** A request as it is signed; path and query are as they are sent, the query's members in the order of their names. */
export interface SignableRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * The headers with those of AWS Signature Version 4: every header given is signed, and the body by its digest.
 * Source: AWS General Reference, "Signature Version 4 signing process".
 */
export function signRequest(
  { method, url, headers, body }: SignableRequest,
  { region, accessKeyId, secretAccessKey }: Pick<Bucket, 'region' | 'accessKeyId' | 'secretAccessKey'>,
  nowMs: number,
): Record<string, string> {
  const { host, pathname, search } = new URL(url);
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const digest = sha256(body);
  const all: Record<string, string> = { ...headers, host, 'x-amz-content-sha256': digest, 'x-amz-date': time };
  const names = Object.keys(all).toSorted();
  const list = names.join(';');
  const lines = names.map((name) => `${name}:${all[name]?.trim() ?? ''}\n`).join('');
  const canonical = [method, pathname, search.slice(1), lines, list, digest].join('\n');
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(Buffer.from(canonical, 'utf8'))].join('\n');
  const steps = [time.slice(0, 8), region, 's3', 'aws4_request'];
  const key = steps.reduce<string | Buffer>((secret, step) => hmac(secret, step), `AWS4${secretAccessKey}`);
  const signature = hmac(key, text).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${list}, Signature=${signature}`;
  const { host: _set, ...sent } = all;
  return { ...sent, authorization };
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
