/**
 * Signing keys of a token issuer: found by OpenID Connect discovery, cached, fetched again when they grow old or when a
 * token names a key that is not among them. However many such tokens arrive, the issuer is asked at most once per
 * cooldown.
 */
import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { endpointProblem, normaliseEndpoint } from '../config/endpoint.ts';
import type { Egress } from '../egress.ts';
import { GatewayError } from '../errors.ts';

/** Fetches a JSON document; rejects when there is none. */
export type FetchJson = (url: string) => Promise<unknown>;

const FETCH_TIMEOUT_MS = 5000;
const MAX_DOCUMENT_BYTES = 262_144;
const COOLDOWN_MS = 30_000;
/** After a failed fetch, so that an issuer that is down is not asked for every token. */
const RETRY_MS = 2000;
const MAX_AGE_MS = 600_000;
/** How long known keys are used when the issuer cannot be reached. */
const MAX_STALE_MS = 3_600_000;
const MAX_KEYS = 100;

/** Documents of issuers through the product's own way out. */
export function fetchJsonThrough(egress: Pick<Egress, 'request'>): FetchJson {
  return async (url) => {
    const headers = { accept: 'application/json' };
    const reply = await egress.request({
      purpose: 'jwks',
      url,
      headers,
      timeoutMs: FETCH_TIMEOUT_MS,
      maxBytes: MAX_DOCUMENT_BYTES,
    });
    if (reply.status !== 200) throw unreachable(`status ${reply.status}`);
    return JSON.parse(reply.body.toString('utf8')) as unknown;
  };
}

const DISCOVERY = z.looseObject({ issuer: z.string(), jwks_uri: z.string() });
// Symmetric keys would let whoever can read the public key set sign tokens; keys of other kinds are left out.
const KEY_SET = z.looseObject({
  keys: z.array(z.looseObject({ kty: z.string() })).max(MAX_KEYS),
});

export interface IssuerKeysOptions {
  /** Exact issuer; the discovery document must repeat it. */
  readonly issuer: string;
  /** Null = by discovery. */
  readonly jwksUri: string | null;
  readonly fetchJson: FetchJson;
  /** Monotonic clock, ms. */
  readonly clock: () => number;
}

/**
 * A key resolver for `jwtVerify`. Rejects with GatewayError `upstream_error` (status 503) when no usable keys can be had.
 */
export function createIssuerKeys(options: IssuerKeysOptions): JWTVerifyGetKey {
  const { clock } = options;
  let keys: JWTVerifyGetKey | null = null;
  let fetchedMs = Number.NEGATIVE_INFINITY;
  let nextFetchMs = Number.NEGATIVE_INFINITY;
  let fetching: Promise<void> | null = null;

  const fetchKeys = async (): Promise<void> => {
    nextFetchMs = clock() + RETRY_MS;
    keys = createLocalJWKSet(await readKeySet(options));
    fetchedMs = clock();
    nextFetchMs = fetchedMs + COOLDOWN_MS;
  };
  const fetchShared = (): Promise<void> => {
    if (fetching === null && clock() < nextFetchMs) return Promise.resolve();
    fetching ??= fetchKeys().finally(() => {
      fetching = null;
    });
    return fetching;
  };
  const currentKeys = async (): Promise<JWTVerifyGetKey> => {
    if (clock() - fetchedMs > MAX_AGE_MS) await fetchShared().catch(() => undefined);
    if (keys === null || clock() - fetchedMs > MAX_STALE_MS) throw unreachable('no current keys');
    return keys;
  };

  return async (header, token) => {
    const current = await currentKeys();
    try {
      return await current(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await fetchShared().catch(() => undefined);
      // Without newer keys the same answer again: no such key.
      return (keys ?? current)(header, token);
    }
  };
}

async function readKeySet(options: IssuerKeysOptions): Promise<{ keys: { kty: string }[] }> {
  const uri = options.jwksUri ?? (await discover(options));
  const parsed = KEY_SET.safeParse(await options.fetchJson(uri));
  if (!parsed.success) throw unreachable('no key set');
  return { keys: parsed.data.keys.filter(({ kty }) => kty === 'RSA' || kty === 'EC' || kty === 'OKP') };
}

/** OpenID Connect Discovery 1.0 §4. */
async function discover({ issuer, fetchJson }: IssuerKeysOptions): Promise<string> {
  const document = DISCOVERY.safeParse(
    await fetchJson(`${normaliseEndpoint(issuer)}/.well-known/openid-configuration`),
  );
  if (!document.success || document.data.issuer !== issuer)
    throw unreachable('another issuer in its discovery document');
  const problem = endpointProblem(document.data.jwks_uri);
  if (problem !== null) throw unreachable(`a key set address that is not ${problem}`);
  return document.data.jwks_uri;
}

function unreachable(found: string): GatewayError {
  const message = `Tokens of this issuer cannot be checked at the moment (${found}). Try again later.`;
  return new GatewayError('upstream_error', message, { status: 503 });
}
