/** Bearer tokens of the configured issuers, verified with jose (RFC 7519, RFC 8725, RFC 9068). */
import { hash } from 'node:crypto';
import { decodeJwt, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import type { Config, JwtIssuer } from '../config.ts';
import { GatewayError } from '../errors.ts';
import { principalFromClaims } from './claims.ts';
import { createIssuerKeys, type FetchJson } from './issuer-keys.ts';
import type { Principal } from './principal.ts';

export interface TokenVerifier {
  /** The principal of a token verified moments ago, without doing the work again. */
  recall(token: string): Principal | null;
  /** @throws GatewayError `invalid_api_key`; `upstream_error` (503) when the issuer's keys cannot be had */
  verify(token: string): Promise<Principal>;
}

export interface TokenVerifierOptions {
  readonly config: Pick<Config, 'issuers' | 'organisation' | 'tenants'>;
  readonly fetchJson: FetchJson;
  /** Wall clock, unix ms: for the times in tokens. */
  readonly now: () => number;
  /** Monotonic clock, ms: for ages of what is cached. */
  readonly clock: () => number;
}

export const MAX_TOKEN_LENGTH = 8192;
/** How long a verification is believed: bounds the use of a key its issuer withdrew. */
const REMEMBER_MS = 30_000;
const MAX_REMEMBERED = 10_000;
/** A plain JWT or an OAuth access token; not a logout token, a security event, a DPoP proof. */
const TOKEN_TYPES = new Set(['jwt', 'at+jwt', 'application/at+jwt']);

interface Trusted {
  readonly issuer: JwtIssuer;
  readonly keys: JWTVerifyGetKey;
}

export function createTokenVerifier({ config, fetchJson, now, clock }: TokenVerifierOptions): TokenVerifier {
  const trusted = new Map<string, Trusted>(
    config.issuers.map((issuer) => [
      issuer.issuer,
      { issuer, keys: createIssuerKeys({ issuer: issuer.issuer, jwksUri: issuer.jwksUri, fetchJson, clock }) },
    ]),
  );
  const remembered = new Map<string, { principal: Principal; expiresMs: number; untilClockMs: number }>();

  return {
    recall(token) {
      const found = remembered.get(hash('sha256', token, 'hex'));
      return found !== undefined && clock() < found.untilClockMs && now() < found.expiresMs ? found.principal : null;
    },
    async verify(token) {
      const from = trusted.get(claimedIssuer(token));
      if (from === undefined) throw refused('its issuer is not accepted here');
      const { principal, expiresMs } = await verifyToken(token, from, config, now());
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      remembered.set(hash('sha256', token, 'hex'), { principal, expiresMs, untilClockMs: clock() + REMEMBER_MS });
      return principal;
    },
  };
}

/** Only chooses whose keys are tried; believed after the signature was verified. */
function claimedIssuer(token: string): string {
  if (token.length > MAX_TOKEN_LENGTH) throw refused(`it is longer than ${MAX_TOKEN_LENGTH} characters`);
  try {
    return decodeJwt(token).iss ?? '';
  } catch {
    throw refused('it is malformed');
  }
}

async function verifyToken(
  token: string,
  { issuer, keys }: Trusted,
  config: TokenVerifierOptions['config'],
  nowMs: number,
): Promise<{ principal: Principal; expiresMs: number }> {
  const { payload, protectedHeader } = await jwtVerify(token, keys, {
    issuer: issuer.issuer,
    audience: [...issuer.audience],
    algorithms: [...issuer.algorithms],
    clockTolerance: issuer.clockToleranceS,
    maxTokenAge: issuer.maxAgeS,
    requiredClaims: ['exp', 'iat'],
    currentDate: new Date(nowMs),
  }).catch((error: unknown) => {
    throw error instanceof GatewayError ? error : refused(explain(error));
  });
  if (protectedHeader.typ !== undefined && !TOKEN_TYPES.has(protectedHeader.typ.toLowerCase())) {
    throw refused('it is a token of another type');
  }
  // RFC 7800: taking a sender-constrained token as a plain bearer would undo its protection.
  if (payload['cnf'] !== undefined) throw refused('it is bound to a key whose possession cannot be proved here');
  const principal = principalFromClaims(payload, issuer, config);
  if ('problem' in principal) throw refused(principal.problem);
  return { principal, expiresMs: (payload.exp ?? 0) * 1000 };
}

/** jose's message may quote the token; its code and the name of the claim do not. */
function explain(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    return `its claim ${/^[a-z]{1,8}$/.test(error.claim) ? error.claim : ''} is not accepted`;
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its algorithm is not accepted';
  if (error instanceof errors.JWKSNoMatchingKey) return 'it is signed with an unknown key';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong';
  return 'it is malformed';
}

function refused(reason: string): GatewayError {
  return new GatewayError('invalid_api_key', `The bearer token is not valid: ${reason}.`);
}
