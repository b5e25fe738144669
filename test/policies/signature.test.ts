import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPdp, loadBundle, packFolder, PolicyError, verifyBundle } from '../../policies/index.ts';
import type { SignatureKey } from '../../policies/index.ts';
import { readBundleFiles } from '../../policies/bundle.ts';
import { writeTar } from '../../policies/tar.ts';
import type { TarEntry } from '../../policies/tar.ts';
import { buildBundle } from '../../policies/testing.ts';
import { requestInput } from './facts.ts';
import { findTools, required, withFolder } from './toolchain.ts';

/** Bundles that the stock opa built and signed, and opa's opinion of ours. */
const tools = await findTools();
const run = test.skipIf(tools === null);

const REGO = `package countersign.main

decision := {"effect": "allow", "reasons": [], "obligations": [], "user_message": data.countersign.words.greeting}
`;
const DATA = {
  countersign: { words: { greeting: 'naïve \u2028 <&>', zß: [1.5, -1e21, 1, { b: null, a: [] }], 'a\u0001': true } },
};
const DATA_TEXT = JSON.stringify(DATA).replace('1.5', '1.50');

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = (key: typeof rsa.privateKey): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicPem = (key: typeof rsa.publicKey): string => key.export({ type: 'spki', format: 'pem' }).toString();

interface Keys {
  readonly algorithm: SignatureKey['algorithm'];
  readonly signing: string;
  readonly verifying: string;
}
const KEYS: readonly Keys[] = [
  { algorithm: 'RS256', signing: pem(rsa.privateKey), verifying: publicPem(rsa.publicKey) },
  { algorithm: 'PS384', signing: pem(rsa.privateKey), verifying: publicPem(rsa.publicKey) },
  { algorithm: 'ES256', signing: pem(ec.privateKey), verifying: publicPem(ec.publicKey) },
  { algorithm: 'HS512', signing: 'a secret of some length, at least 64 bytes for HS512, as it is said', verifying: '' },
];

function opa(dir: string, ...args: string[]): void {
  execFileSync(required(tools).opa, args, { cwd: dir, stdio: 'pipe' });
}

async function sources(dir: string): Promise<void> {
  await mkdir(join(dir, 'src/countersign'), { recursive: true });
  await writeFile(join(dir, 'src/main.rego'), REGO);
  await writeFile(join(dir, 'src/countersign/data.json'), DATA_TEXT.slice('{"countersign":'.length, -1));
  await writeFile(
    join(dir, 'src/.manifest'),
    JSON.stringify({ revision: 'r1', roots: ['countersign'], metadata: { n: 1.0 } }),
  );
}

const BUILD = [
  'build',
  '--target',
  'wasm',
  '--entrypoint',
  'countersign/main/decision',
  '--output',
  'b.tar.gz',
  '--bundle',
];

async function stockBundle(dir: string, ...args: string[]): Promise<Buffer> {
  await sources(dir);
  opa(dir, ...BUILD, ...args, 'src');
  return readFile(join(dir, 'b.tar.gz'));
}

async function greeting(bytes: Uint8Array): Promise<unknown> {
  const pdp = await createPdp({ bundles: [loadBundle(bytes, 'own')], tenantData: {} });
  const evaluation = pdp.evaluate(['own'], requestInput());
  return evaluation.outcome === 'decided' ? evaluation.decision.user_message : evaluation;
}

function verifying({ algorithm, signing, verifying: key }: Keys, scope = ''): SignatureKey {
  return { keyId: 'k1', algorithm, key: key === '' ? signing : key, scope };
}

describe('bundles of the stock opa', () => {
  run('load as they are, without a manifest, and from their folder', async () => {
    await withFolder(async (dir) => {
      const bytes = await stockBundle(dir);
      expect(await greeting(bytes)).toBe(DATA.countersign.words.greeting);
      expect(loadBundle(bytes, 'own').identity.revision).toBe('r1');
      await mkdir(join(dir, 'unpacked/src'), { recursive: true });
      execFileSync('tar', ['-xzf', join(dir, 'b.tar.gz'), '-C', join(dir, 'unpacked')], { stdio: 'pipe' });
      await writeFile(join(dir, 'unpacked/README.md'), 'left out');
      const folder = await packFolder(join(dir, 'unpacked'));
      expect(loadBundle(folder, 'own').identity).toEqual(loadBundle(bytes, 'own').identity);
      opa(dir, ...BUILD.slice(0, -1), 'src/main.rego', 'src/countersign/data.json');
      const plain = loadBundle(await readFile(join(dir, 'b.tar.gz')), 'own');
      expect(plain.identity.revision).toBe('unnamed');
    });
  });

  run('with further entry points and with the capabilities of the product', async () => {
    await withFolder(async (dir) => {
      const more = ['--entrypoint', 'countersign/main', '--capabilities', required(tools).capabilities];
      expect(await greeting(await stockBundle(dir, ...more))).toBe(DATA.countersign.words.greeting);
    });
  });

  run('are refused with data that nobody merged, data outside of the roots, and as a delta', async () => {
    await withFolder(async (dir) => {
      const files = readBundleFiles(await stockBundle(dir), 'own');
      const refusal = (changed: TarEntry): string => {
        const rest = files.filter(({ name }) => name !== changed.name);
        try {
          loadBundle(gzipSync(writeTar([...rest, changed])), 'own');
          return 'accepted';
        } catch (error) {
          return error instanceof PolicyError ? error.message : String(error);
        }
      };
      const file = (name: string, text: string): TarEntry => ({ name, bytes: Buffer.from(text) });
      expect(refusal(file('more/data.json', '{}'))).toContain('more/data.json is not merged');
      expect(refusal(file('data.yaml', '{}'))).toContain('not merged');
      expect(refusal(file('patch.json', '{}'))).toContain('delta');
      expect(refusal(file('data.json', '{"other": 1}'))).toContain('more than the roots');
      expect(refusal(file('data.json', '{"countersign": 1}'))).toBe('accepted');
    });
  });
});

describe('signatures', () => {
  run.each(KEYS)('$algorithm: what opa signed we accept, what we sign opa accepts', async (keys) => {
    await withFolder(async (dir) => {
      await writeFile(join(dir, 'key'), keys.signing);
      await writeFile(join(dir, 'pub'), verifying(keys).key);
      const alg = ['--signing-alg', keys.algorithm];
      const bytes = await stockBundle(dir, '--signing-key', 'key', ...alg, '--verification-key-id', 'k1');
      const { keyId, algorithm } = verifying(keys);
      await verifyBundle(bytes, 'own', { ...verifying(keys), keyId: signedKeyId(bytes) });
      await expect(verifyBundle(bytes, 'own', verifying(keys, 'other'))).rejects.toMatchObject({
        code: 'invalid_signature',
      });

      const signature = { keyId, algorithm, key: keys.signing, scope: 'write' };
      await buildBundle(join(dir, 'src'), join(dir, 'ours.tar.gz'), required(tools), { revision: 'x', signature });
      const ours = await readFile(join(dir, 'ours.tar.gz'));
      await verifyBundle(ours, 'own', verifying(keys, 'write'));
      await writeFile(join(dir, 'key-id'), '');
      const check = ['--verification-key', 'pub', '--verification-key-id', 'k1', '--signing-alg', keys.algorithm];
      opa(dir, 'build', '--bundle', ...check, '--scope', 'write', '--output', 'again.tar.gz', 'ours.tar.gz');
    });
  });

  run('any change, addition, removal, other key, scope, algorithm, or no signature at all is refused', async () => {
    await withFolder(async (dir) => {
      await sources(dir);
      const [keys, , other] = KEYS;
      if (keys === undefined || other === undefined) throw new TypeError('no keys');
      const signature = { keyId: 'k1', algorithm: keys.algorithm, key: keys.signing, scope: '' };
      await buildBundle(join(dir, 'src'), join(dir, 'b.tar.gz'), required(tools), { revision: 'x', signature });
      const bytes = await readFile(join(dir, 'b.tar.gz'));
      const key = verifying(keys);
      await verifyBundle(bytes, 'b', key);
      const files = readBundleFiles(bytes, 'b');
      const refused = async (list: readonly TarEntry[], with_: SignatureKey = key): Promise<string> =>
        verifyBundle(gzipSync(writeTar(list)), 'b', with_).then(
          () => 'accepted',
          (error: unknown) => (error instanceof PolicyError ? error.code : String(error)),
        );
      expect(await refused(files)).toBe('accepted');
      for (const [at, { name, bytes: content }] of files.entries()) {
        const without = files.filter((_, i) => i !== at);
        expect(await refused(without), `without ${name}`).toBe('invalid_signature');
        await fc.assert(
          fc.asyncProperty(fc.nat(content.length - 1), fc.integer({ min: 1, max: 255 }), async (place, flip) => {
            const changed = Uint8Array.from(content);
            changed[place] = (changed[place] ?? 0) ^ flip;
            const outcome = await refused([...without, { name, bytes: changed }]);
            // Space between the members of a JSON file means nothing; everything else is noticed.
            const insignificant = sameJson(name, content, changed);
            if (!insignificant) expect(outcome, `${name} at ${place}`).not.toBe('accepted');
          }),
          { numRuns: 15 },
        );
      }
      expect(await refused([...files, { name: 'more.rego', bytes: Buffer.from('') }])).toBe('invalid_signature');
      expect(await refused(files, verifying(other))).toBe('invalid_signature');
      expect(await refused(files, { ...key, keyId: 'k2' })).toBe('invalid_signature');
      expect(await refused(files, { ...key, algorithm: 'RS512' })).toBe('invalid_signature');
      expect(await refused(files, { ...key, algorithm: 'HS256' })).toBe('invalid_signature');
      expect(await refused(files.filter(({ name }) => name !== '.signatures.json'))).toBe('invalid_signature');
    });
  });
});

function sameJson(name: string, before: Uint8Array, after: Uint8Array): boolean {
  if (!/\.manifest$|\.json$/.test(name)) return false;
  try {
    const [one, other] = [before, after].map((bytes) => JSON.stringify(JSON.parse(Buffer.from(bytes).toString())));
    return one === other;
  } catch {
    return false;
  }
}

/** opa names the key in the token only when it is told to with claims. */
function signedKeyId(bytes: Uint8Array): string {
  const file = readBundleFiles(bytes, 'b').find(({ name }) => name === '.signatures.json');
  const { signatures } = JSON.parse(Buffer.from(file?.bytes ?? []).toString()) as { signatures: string[] };
  const [header = ''] = (signatures[0] ?? '').split('.');
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid?: string };
  return kid ?? 'k1';
}
