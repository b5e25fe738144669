import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type TsaKey = 'rsa' | 'ec';

export interface TestAuthority {
  readonly url: string;
  readonly dir: string;
  /** PEM of the CA that issued the authority's certificate, and its own. */
  readonly ca: string;
  readonly certificate: string;
  /** Answers of a request, as the authority gives them. */
  reply(query: Uint8Array): Buffer;
  /** While set, the authority answers with this status instead. */
  failing: number | null;
  close(): Promise<void>;
}

const CONFIG = `
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[stamping]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
[mixed]
extendedKeyUsage = critical,timeStamping,serverAuth
[tsa]
default_tsa = here
[here]
serial = ./serial
crypto_device = builtin
signer_cert = ./tsa.pem
certs = ./tsa.pem
signer_key = ./tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = ESS_DIGEST
`;

/** `openssl ts` as an authority, with a certificate of a CA of its own. */
export async function startAuthority(
  options: { readonly key?: TsaKey; readonly essDigest?: 'sha1' | 'sha256' } = {},
): Promise<TestAuthority> {
  const dir = mkdtempSync(join(tmpdir(), 'countersign-tsa-'));
  const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  writeFileSync(join(dir, 'ts.cnf'), CONFIG.replace('ESS_DIGEST', options.essDigest ?? 'sha256'));
  writeFileSync(join(dir, 'serial'), '01\n');
  const algorithm =
    options.key === 'ec' ? ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] : ['-newkey', 'rsa:2048'];
  openssl('req', '-x509', ...algorithm, '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Test CA', '-days', '30', '-config', 'ts.cnf', '-extensions', 'ca'); // prettier-ignore
  openssl('req', '-new', ...algorithm, '-nodes', '-keyout', 'tsa.key', '-out', 'tsa.csr', '-subj', '/CN=Test TSA', '-config', 'ts.cnf'); // prettier-ignore
  for (const [out, extensions] of [['tsa.pem', 'stamping'], ['mixed.pem', 'mixed']] as const)
    openssl('x509', '-req', '-in', 'tsa.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-out', out, '-days', '20', '-extfile', 'ts.cnf', '-extensions', extensions); // prettier-ignore
  const reply = (query: Uint8Array): Buffer => {
    writeFileSync(join(dir, 'query.tsq'), query);
    openssl('ts', '-reply', '-queryfile', 'query.tsq', '-config', 'ts.cnf', '-out', 'reply.tsr');
    return readFileSync(join(dir, 'reply.tsr'));
  };
  const authority = {
    dir,
    ca: readFileSync(join(dir, 'ca.pem'), 'utf8'),
    certificate: readFileSync(join(dir, 'tsa.pem'), 'utf8'),
    reply,
    failing: null as number | null,
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const right = request.headers['content-type'] === 'application/timestamp-query' && authority.failing === null;
      response.writeHead(right ? 200 : (authority.failing ?? 400), { 'content-type': 'application/timestamp-reply' });
      response.end(right ? reply(Buffer.concat(chunks)) : '');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(authority, {
    url: `http://127.0.0.1:${String(port)}/tsr`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(dir, { recursive: true, force: true });
    },
  });
}
