/**
 * Who asks: an API key or a bearer token becomes a principal. Trust boundary: everything in the headers is the caller's.
 * Known API keys take no asynchronous step.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { INVALID_KEY_MESSAGE, type KeyCache } from '../access/key-cache.ts';
import type { TokenVerifier } from '../access/jwt.ts';
import type { FailureLimiter } from '../access/limiter.ts';
import type { Principal } from '../access/principal.ts';
import { sourceOf } from '../access/source.ts';
import { TOKEN_PREFIX } from '../access/token.ts';
import { GatewayError } from '../errors.ts';

/**
 * The principal of a request; whoever calls it counts the refusal.
 *
 * @param headers of the request, names in lower case
 * @param address of the caller, behind trusted proxies
 * @throws GatewayError `invalid_api_key`, `rate_limited` after too many failures of one source, `ledger_unavailable`
 *   when revocations cannot be known, `upstream_error` (503) when a token issuer's keys cannot be had
 */
export type Authenticate = (headers: IncomingHttpHeaders, address: string) => Principal | Promise<Principal>;

export interface AuthenticateOptions {
  readonly keys: Pick<KeyCache, 'verify'>;
  /** Made anew when the configuration changes. */
  readonly tokens: () => TokenVerifier;
  readonly limiter: FailureLimiter;
  /** Monotonic clock, ms. */
  readonly clock: () => number;
}

export function createAuthenticate(options: AuthenticateOptions): Authenticate {
  return (headers, address) => {
    try {
      const token = presentedToken(headers);
      const principal = token.startsWith(TOKEN_PREFIX)
        ? options.keys.verify(token)
        : (options.tokens().recall(token) ?? verifyToken(options, token, address));
      if (!(principal instanceof Promise)) return principal;
      return principal.catch((error: unknown) => {
        throw afterFailure(options, error, address);
      });
    } catch (error) {
      throw afterFailure(options, error, address);
    }
  };
}

/** A signature check costs a hundred times what refusing does, so a source that keeps failing gets none. */
function verifyToken(options: AuthenticateOptions, token: string, address: string): Promise<Principal> {
  const waitS = options.limiter.blockedForS(sourceOf(address), options.clock());
  if (waitS > 0) throw tooMany(waitS);
  return options.tokens().verify(token);
}

const BEARER = 'Bearer ';

/** The one credential of the request. Two different ones are refused rather than choosing one. */
function presentedToken(headers: IncomingHttpHeaders): string {
  const { authorization } = headers;
  const others = [headers['x-api-key'], headers['api-key']].filter((value) => typeof value === 'string');
  const presented = authorization === undefined ? others : [bearerToken(authorization), ...others];
  const [token] = presented;
  if (token === undefined) {
    throw new GatewayError('invalid_api_key', 'No API key was sent. Send one as "Authorization: Bearer cs_…".');
  }
  if (presented.some((other) => other !== token)) {
    throw new GatewayError('invalid_api_key', 'Different credentials were sent in several headers; send one.');
  }
  return token;
}

/** RFC 6750 §2.1; the scheme's case does not matter (RFC 9110 §11.1), and nearly everybody writes it this way. */
function bearerToken(authorization: string): string {
  const usual = authorization.startsWith(BEARER) ? authorization.slice(BEARER.length) : '';
  if (usual.startsWith(TOKEN_PREFIX)) return usual;
  const token = /^bearer +(\S+)$/i.exec(authorization)?.[1];
  if (token === undefined) throw new GatewayError('invalid_api_key', INVALID_KEY_MESSAGE);
  return token;
}

/** A wrong credential counts against its source; past the limit the answer says to wait instead. */
function afterFailure(options: AuthenticateOptions, error: unknown, address: string): unknown {
  if (!(error instanceof GatewayError) || error.code !== 'invalid_api_key') return error;
  const from = sourceOf(address);
  const nowMs = options.clock();
  const waitS = options.limiter.blockedForS(from, nowMs);
  options.limiter.fail(from, nowMs);
  return waitS > 0 ? tooMany(waitS) : error;
}

function tooMany(retryAfterS: number): GatewayError {
  return new GatewayError('rate_limited', 'Too many failed authentications from this address; wait.', { retryAfterS });
}
