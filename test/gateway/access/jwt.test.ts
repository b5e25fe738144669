import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { UnsecuredJWT } from 'jose';
import { fetchJsonThrough } from '../../../gateway/access/issuer-keys.ts';
import { createTokenVerifier, type TokenVerifier } from '../../../gateway/access/jwt.ts';
import { parseConfig, type Config, type JwtIssuer } from '../../../gateway/config.ts';
import { createEgress } from '../../../gateway/egress.ts';
import { GatewayError } from '../../../gateway/errors.ts';
import { TestIssuer } from './issuer.ts';

const CONFIG: Config = parseConfig(
  'c.yaml',
  `providers: { s: { kind: sandbox } }
models: [{ name: m, deployments: [{ provider: s, model: echo }] }]
tenants: [{ id: demo, budget: { daily_usd: "1" } }, { id: other }]`,
  { env: {} },
);

const egress = createEgress();
let issuer: TestIssuer;
let clockMs = 0;
beforeAll(async () => {
  issuer = await TestIssuer.start();
});
beforeEach(() => {
  clockMs = 0;
  issuer.down = false;
  issuer.fetches = 0;
  issuer.keySet = null;
  issuer.discovery = null;
});
afterAll(async () => {
  await issuer.close();
  await egress.close();
});

function verifier(over: Partial<JwtIssuer> = {}, more: JwtIssuer[] = []): TokenVerifier {
  const config = { ...CONFIG, issuers: [issuer.config(over), ...more] };
  return createTokenVerifier({ config, fetchJson: fetchJsonThrough(egress), now: Date.now, clock: () => clockMs });
}

async function refusal(
  token: string | Promise<string>,
  over: Partial<JwtIssuer> = {},
  of?: TokenVerifier,
): Promise<string> {
  const text = await token;
  try {
    await (of ?? verifier(over)).verify(text);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    expect(error.message).not.toContain(text.slice(0, 20));
    return `${error.status} ${error.code}: ${error.message}`;
  }
  return 'accepted';
}

describe('a good token', () => {
  test('becomes a principal by the mapping of its issuer', async () => {
    const token = await issuer.token({
      realm_access: { roles: ['ops', 'unknown'] },
      groups: 'a b',
      azp: 'agent-7',
      dept: 'sales',
      level: 3,
      secret: 'not asked for',
      acr: 'mfa',
      act: { sub: 'bot', act: { sub: 'svc', iss: 'https://elsewhere.example' } },
    });
    expect(await verifier().verify(token)).toEqual({
      tenant: 'demo',
      type: 'user',
      id: 'idp:alice',
      credential: 'jwt',
      keyId: null,
      roles: ['caller', 'key-admin'],
      groups: ['a', 'b'],
      actors: ['idp:bot', 'https://elsewhere.example#svc'],
      agent: { id: 'agent-7' },
      models: null,
      claims: { dept: 'sales', level: '3' },
      assurance: 'mfa',
      budgetScopes: ['tenant:demo'],
    });
  });

  test('is remembered for a short time, never past its end', async () => {
    const tokens = verifier();
    const token = await issuer.token();
    expect(tokens.recall(token)).toBeNull();
    const principal = await tokens.verify(token);
    expect(tokens.recall(token)).toBe(principal);
    expect(tokens.recall(`${token.slice(0, -2)}xx`)).toBeNull();
    clockMs = 30_001;
    expect(tokens.recall(token)).toBeNull();
  });

  test.each(['ES256', 'EdDSA'])('signed with %s', async (alg) => {
    expect(await refusal(issuer.token({}, { key: await issuer.addKey(alg) }))).toBe('accepted');
  });

  test('with the tenant in a claim, mapped or not', async () => {
    const of = (claim: string, map: ReadonlyMap<string, string> | null): Partial<JwtIssuer> => ({
      tenant: { claim, map },
    });
    const tenantOf = async (claims: object, over: Partial<JwtIssuer>): Promise<string> =>
      (await verifier(over).verify(await issuer.token({ ...claims }))).tenant;
    expect(await tenantOf({ org: { id: 'other' } }, of('org.id', null))).toBe('other');
    expect(await tenantOf({ org: 'Acme' }, of('org', new Map([['Acme', 'other']])))).toBe('other');
    expect(await tenantOf({ org: 'root' }, of('org', new Map([['root', '_deployment']])))).toBe('_deployment');
    expect(await refusal(issuer.token({ org: '_deployment' }), of('org', null))).toContain('names no tenant');
    expect(await refusal(issuer.token({ org: 'nobody' }), of('org', null))).toContain('names no tenant');
    expect(await refusal(issuer.token(), of('org', null))).toContain('names no tenant');
    expect(await refusal(issuer.token({ 'constructor.name': 1 }), of('constructor.name', null))).toContain(
      'names no tenant',
    );
  });
});

describe('a bad token is a 401 with a safe reason', () => {
  const nowS = Math.floor(Date.now() / 1000);
  const cases: [string, () => string | Promise<string>, string][] = [
    ['another audience', () => issuer.token({ aud: 'countersign.example' }), 'its claim aud is not accepted'],
    ['no audience', () => issuer.token({ aud: [] }), 'its claim aud is not accepted'],
    ['expired', () => issuer.token({ exp: nowS - 61 }), 'it has expired'],
    ['not yet valid', () => issuer.token({ nbf: nowS + 120 }), 'its claim nbf is not accepted'],
    ['too old', () => issuer.token({ iat: nowS - 3700 }), 'it has expired'],
    ['no subject', () => issuer.token({ sub: '' }), 'the claim sub is missing'],
    ['a subject with control characters', () => issuer.token({ sub: 'a\u0000b' }), 'the claim sub is missing'],
    ['another issuer', () => issuer.token({ iss: 'https://evil.example' }), 'its issuer is not accepted'],
    ['the issuer with a slash', () => issuer.token({ iss: `${issuer.url}/` }), 'its issuer is not accepted'],
    ['no issuer', () => issuer.token({ iss: '' }), 'its issuer is not accepted'],
    ['another type', () => issuer.token({}, { typ: 'logout+jwt' }), 'it is a token of another type'],
    ['sender-constrained', () => issuer.token({ cnf: { jkt: 'x' } }), 'possession cannot be proved'],
    ['an unknown key', () => issuer.token({}, { kid: 'nope' }), 'it is signed with an unknown key'],
    ['too many roles', () => issuer.token({ realm_access: { roles: Array<string>(65).fill('a') } }), 'roles or groups'],
    ['malformed roles', () => issuer.token({ realm_access: { roles: [1] } }), 'roles or groups'],
    ['a malformed act', () => issuer.token({ act: 'bot' }), 'act claim'],
    ['too long', async () => issuer.token({ pad: 'x'.repeat(9000) }), 'longer than'],
    ['not a token', () => 'a.b.c', 'it is malformed'],
    ['garbage', () => 'x', 'it is malformed'],
  ];
  test.each(cases)('%s', async (_name, token, message) => {
    const answer = await refusal(token());
    expect(answer).toContain('401 invalid_api_key');
    expect(answer).toContain(message);
  });

  test('an act chain that is too deep', async () => {
    let act: object = { sub: 'a' };
    for (let i = 0; i < 8; i += 1) act = { sub: 'a', act };
    expect(await refusal(issuer.token({ act }))).toContain('act claim');
  });

  test('unsigned, and signed with the public key as a shared secret', async () => {
    const unsigned = new UnsecuredJWT({ iss: issuer.url, aud: 'countersign', sub: 'alice' })
      .setIssuedAt()
      .setExpirationTime('5m');
    expect(await refusal(unsigned.encode())).toContain('401 invalid_api_key');
    const [, payload = ''] = (await issuer.token()).split('.');
    const head = Buffer.from(JSON.stringify({ alg: 'HS256', kid: 'k0' })).toString('base64url');
    const mac = createHmac('sha256', JSON.stringify(issuer.keys[0]?.jwk))
      .update(`${head}.${payload}`)
      .digest('base64url');
    expect(await refusal(`${head}.${payload}.${mac}`)).toContain('its algorithm is not accepted');
  });

  test('an algorithm that is not on the list', async () => {
    expect(await refusal(issuer.token(), { algorithms: ['ES256'] })).toContain('its algorithm is not accepted');
  });

  test('a changed payload', async () => {
    const [head = '', , signature = ''] = (await issuer.token()).split('.');
    const payload = Buffer.from(
      JSON.stringify({ iss: issuer.url, aud: 'countersign', sub: 'root', exp: 9e9, iat: nowS }),
    );
    expect(await refusal(`${head}.${payload.toString('base64url')}.${signature}`)).toContain('its signature is wrong');
  });

  test('a token of one issuer under the name of another', async () => {
    const second = await TestIssuer.start();
    const tokens = verifier({}, [second.config({ name: 'second' })]);
    expect(await refusal(second.token({ iss: issuer.url }), {}, tokens)).toContain('signature is wrong');
    expect((await tokens.verify(await second.token())).id).toBe('second:alice');
    await second.close();
  });
});

describe('keys of the issuer', () => {
  test('are fetched once, again for a new key after the cooldown, and at most once per cooldown', async () => {
    const tokens = verifier();
    await tokens.verify(await issuer.token());
    await tokens.verify(await issuer.token({ jti: '2' }));
    expect(issuer.fetches).toBe(2);
    const fresh = await issuer.addKey('RS256');
    const token = await issuer.token({}, { key: fresh });
    expect(await refusal(token, {}, tokens)).toContain('unknown key');
    clockMs = 30_001;
    expect(await refusal(token, {}, tokens)).toBe('accepted');
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => refusal(issuer.token({}, { kid: `no${i}` }), {}, tokens)),
    );
    expect(issuer.fetches).toBe(4);
  });

  test('a configured address needs no discovery', async () => {
    expect(await refusal(issuer.token(), { jwksUri: `${issuer.url}/keys` })).toBe('accepted');
    expect(issuer.fetches).toBe(1);
  });

  test('an issuer that is down is 503, not 401, and known keys work on for a while', async () => {
    issuer.down = true;
    expect(await refusal(issuer.token())).toContain('503 upstream_error');
    issuer.down = false;
    const tokens = verifier();
    await tokens.verify(await issuer.token());
    issuer.down = true;
    clockMs = 1_800_000;
    expect(await refusal(issuer.token(), {}, tokens)).toBe('accepted');
    clockMs = 3_600_001;
    expect(await refusal(issuer.token(), {}, tokens)).toContain('503 upstream_error');
  });

  test('a discovery document of another issuer, or that points to a forbidden address, is not followed', async () => {
    issuer.discovery = () => ({ issuer: 'https://evil.example', jwks_uri: `${issuer.url}/keys` });
    expect(await refusal(issuer.token())).toContain('503');
    issuer.discovery = () => ({ issuer: issuer.url, jwks_uri: 'http://169.254.169.254/keys' });
    expect(await refusal(issuer.token())).toContain('503');
  });

  test('symmetric keys in a key set are ignored', async () => {
    const secret = Buffer.alloc(32, 7);
    issuer.keySet = () => ({ keys: [{ kty: 'oct', kid: 'k0', alg: 'HS256', k: secret.toString('base64url') }] });
    expect(await refusal(issuer.token())).toContain('unknown key');
    issuer.keySet = () => ({ keys: 'none' });
    expect(await refusal(issuer.token())).toContain('503');
  });
});
