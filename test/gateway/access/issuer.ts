import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';
import type { JwtIssuer } from '../../../gateway/config.ts';

interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

/** A token issuer with discovery and a key set on a real socket. */
export class TestIssuer {
  readonly #server: Server;
  readonly keys: SigningKey[] = [];
  /** Replaces the whole answer of the key set. */
  keySet: (() => unknown) | null = null;
  discovery: (() => unknown) | null = null;
  down = false;
  fetches = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<TestIssuer> {
    const server = createServer();
    const issuer = new TestIssuer(server);
    server.on('request', (request, response) => {
      issuer.fetches += 1;
      const answer = issuer.#answer(request.url ?? '');
      response.writeHead(answer === null ? 404 : issuer.down ? 500 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await issuer.addKey('RS256');
    return issuer;
  }

  #answer(path: string): unknown {
    if (path === '/.well-known/openid-configuration') {
      return this.discovery?.() ?? { issuer: this.url, jwks_uri: `${this.url}/keys` };
    }
    return path === '/keys' ? (this.keySet?.() ?? { keys: this.keys.map((key) => key.jwk) }) : null;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async addKey(alg: string): Promise<SigningKey> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const kid = `k${this.keys.length}`;
    const key = { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
    this.keys.push(key);
    return key;
  }

  /** A good token of this issuer unless told otherwise. */
  async token(claims: JWTPayload = {}, header: { key?: SigningKey; typ?: string; kid?: string } = {}): Promise<string> {
    const key = header.key ?? this.keys[0];
    if (key === undefined) return '';
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ iss: this.url, aud: 'countersign', sub: 'alice', iat: now, exp: now + 300, ...claims })
      .setProtectedHeader({ alg: key.alg, kid: header.kid ?? key.kid, typ: header.typ ?? 'at+jwt' })
      .sign(key.privateKey);
  }

  config(over: Partial<JwtIssuer> = {}): JwtIssuer {
    return {
      name: 'idp',
      issuer: this.url,
      audience: ['countersign'],
      jwksUri: null,
      algorithms: ['RS256', 'ES256', 'EdDSA'],
      clockToleranceS: 60,
      maxAgeS: 3600,
      tenant: { fixed: 'demo' },
      subjectClaim: 'sub',
      type: 'user',
      rolesClaim: 'realm_access.roles',
      roleMap: new Map([
        ['ops', ['key-admin']],
        ['second', ['approver']],
        ['audit', ['auditor']],
      ]),
      defaultRoles: ['caller'],
      groupsClaim: 'groups',
      agentClaim: 'azp',
      claims: ['dept', 'level'],
      ...over,
    };
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
