/** Policy bundles as the configuration names them: archives, folders, and the copies kept of HTTP bundle services. */
import { readFile, stat } from 'node:fs/promises';
import { loadBundle, packFolder, verifyBundle } from '../policies/index.ts';
import type { Bundle } from '../policies/index.ts';
import type { BundlePlaces, Config } from './config.ts';
import { bundleFiles } from './config.ts';
import { GatewayError } from './errors.ts';

/** @throws GatewayError `conflict` for what cannot be read, PolicyError for what is no bundle or not signed as configured */
export async function loadBundles(config: Config, places: BundlePlaces): Promise<Bundle[]> {
  const files = [...bundleFiles(config, places)];
  return Promise.all(
    files.map(async ([name, path]) => openBundle(await readSource(name, path), name, { config, places })),
  );
}

export interface BundleRules {
  readonly config: Pick<Config, 'bundleSignatures'>;
  readonly places: Pick<BundlePlaces, 'resolvePath'>;
}

/** Reads a bundle's bytes, and checks its signature when the configuration has a key for it. */
export async function openBundle(bytes: Uint8Array, name: string, { config, places }: BundleRules): Promise<Bundle> {
  const signature = config.bundleSignatures.get(name);
  if (signature !== undefined) {
    const path = places.resolvePath(signature.keyFile);
    const key = await readFile(path, 'utf8').catch((cause: unknown) => {
      throw missing(`the key of the policy bundle ${name}`, path, `policies.signatures.${name}.key_file`, cause);
    });
    await verifyBundle(bytes, name, { ...signature, key });
  }
  return loadBundle(bytes, name);
}

async function readSource(name: string, path: string): Promise<Uint8Array> {
  try {
    return (await stat(path)).isDirectory() ? await packFolder(path) : await readFile(path);
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'PolicyError') throw cause;
    throw missing(`the policy bundle ${name}`, path, `policies.bundles.${name}`, cause);
  }
}

function missing(what: string, path: string, setting: string, cause: unknown): GatewayError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  return new GatewayError(
    'conflict',
    `Expected ${what} at ${path}, found none that can be read (${code}). Make it available, or correct ${setting}.`,
    { cause },
  );
}
