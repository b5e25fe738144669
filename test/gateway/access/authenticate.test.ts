import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { IncomingHttpHeaders } from 'node:http';
import { fetchJsonThrough } from '../../../gateway/access/issuer-keys.ts';
import { createTokenVerifier } from '../../../gateway/access/jwt.ts';
import { createFailureLimiter } from '../../../gateway/access/limiter.ts';
import type { Principal } from '../../../gateway/access/principal.ts';
import { parseConfig } from '../../../gateway/config.ts';
import { createEgress } from '../../../gateway/egress.ts';
import { GatewayError } from '../../../gateway/errors.ts';
import { createAuthenticate, type Authenticate } from '../../../gateway/pipeline/authenticate.ts';
import { TestIssuer } from './issuer.ts';

const GOOD = `cs_${'a'.repeat(12)}_${'b'.repeat(43)}`;
const KEY_PRINCIPAL: Principal = {
  tenant: 'demo',
  type: 'service',
  id: 'key:aaaaaaaaaaaa',
  credential: 'api_key',
  keyId: 'aaaaaaaaaaaa',
  roles: ['caller'],
  groups: [],
  actors: [],
  agent: null,
  models: null,
  claims: {},
  assurance: null,
  budgetScopes: [],
};
const CONFIG = parseConfig('c.yaml', 'providers: { s: { kind: sandbox } }\nmodels: []\ntenants: [{ id: demo }]', {
  env: {},
});

const egress = createEgress();
let issuer: TestIssuer;
beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => {
  await issuer.close();
  await egress.close();
});

function setUp(): Authenticate {
  const config = { ...CONFIG, issuers: [issuer.config()] };
  const tokens = createTokenVerifier({ config, fetchJson: fetchJsonThrough(egress), now: Date.now, clock: () => 0 });
  return createAuthenticate({
    keys: {
      verify: (token) => {
        if (token === GOOD) return KEY_PRINCIPAL;
        throw new GatewayError('invalid_api_key', 'no');
      },
    },
    tokens: () => tokens,
    limiter: createFailureLimiter({ burst: 3, forgiveMs: 60_000 }),
    clock: () => 0,
  });
}

async function codeOf(
  authenticate: Authenticate,
  headers: IncomingHttpHeaders,
  address = '203.0.113.1',
): Promise<string> {
  try {
    return (await authenticate(headers, address)).id;
  } catch (error) {
    return error instanceof GatewayError ? error.code : 'unexpected';
  }
}

describe('credentials', () => {
  test('an API key in any of its headers, without an asynchronous step', () => {
    const authenticate = setUp();
    for (const headers of [
      { authorization: `Bearer ${GOOD}` },
      { authorization: `bearer  ${GOOD}` },
      { 'x-api-key': GOOD },
      { 'api-key': GOOD },
      { authorization: `Bearer ${GOOD}`, 'x-api-key': GOOD },
    ]) {
      expect(authenticate(headers, '')).toBe(KEY_PRINCIPAL);
    }
  });

  test('a bearer token, the second time without an asynchronous step', async () => {
    const authenticate = setUp();
    const headers = { authorization: `Bearer ${await issuer.token()}` };
    expect(await codeOf(authenticate, headers)).toBe('idp:alice');
    expect(authenticate(headers, '')).not.toBeInstanceOf(Promise);
  });

  test('none, malformed, or two different ones', async () => {
    const bad: IncomingHttpHeaders[] = [
      {},
      { authorization: GOOD },
      { authorization: `Basic ${GOOD}` },
      { authorization: `Bearer ${GOOD} x` },
      { authorization: `Bearer ${GOOD}`, 'x-api-key': `${GOOD}x` },
      { authorization: 'Bearer' },
      { 'x-api-key': '' },
    ];
    for (const headers of bad) expect(await codeOf(setUp(), headers)).toBe('invalid_api_key');
  });
});

describe('after too many failures of one source', () => {
  const wrong = { 'x-api-key': `${GOOD}x` };

  test('the answer is to wait, with a time', async () => {
    const authenticate = setUp();
    for (let i = 0; i < 3; i += 1) expect(await codeOf(authenticate, wrong)).toBe('invalid_api_key');
    expect(() => authenticate(wrong, '203.0.113.1')).toThrow(
      expect.objectContaining({ code: 'rate_limited', retryAfterS: 60 }),
    );
    expect(await codeOf(authenticate, wrong, '203.0.113.2')).toBe('invalid_api_key');
  });

  test('a known key of the same source still works; a token gets no signature check', async () => {
    const authenticate = setUp();
    const token = { authorization: `Bearer ${await issuer.token()}` };
    expect(await codeOf(authenticate, token)).toBe('idp:alice');
    for (let i = 0; i < 3; i += 1) await codeOf(authenticate, wrong);
    expect(await codeOf(authenticate, { 'x-api-key': GOOD })).toBe('key:aaaaaaaaaaaa');
    expect(await codeOf(authenticate, token)).toBe('idp:alice');
    expect(await codeOf(authenticate, { authorization: `Bearer ${await issuer.token({ jti: 'new' })}` })).toBe(
      'rate_limited',
    );
  });
});
