import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadBundle } from '../../policies/index.ts';
import type { Bundle } from '../../policies/index.ts';
import { buildBundle, policyToolchain } from '../../policies/testing.ts';
import type { Toolchain } from '../../policies/testing.ts';
import { readFile } from 'node:fs/promises';

export const ROOT = process.cwd();

/**
 * The pinned opa, found or built (which takes minutes, once). Without one the tests that need it are skipped and say so;
 * with COUNTERSIGN_NO_SKIP, as CI sets it, they fail instead.
 */
export async function findTools(): Promise<Toolchain | null> {
  try {
    return await policyToolchain({ root: ROOT, log: (line) => process.stderr.write(`${line}\n`) });
  } catch (error) {
    if ((process.env['COUNTERSIGN_NO_SKIP'] ?? '') !== '') throw error;
    process.stderr.write(`skipped, because the policy compiler is missing: ${String(error)}\n`);
    return null;
  }
}

/** The compiler, for a test that is skipped when there is none. */
export function required(tools: Toolchain | null): Toolchain {
  if (tools === null) throw new TypeError('this test needs the policy compiler');
  return tools;
}

export async function withFolder<T>(use: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'countersign-policies-'));
  try {
    return await use(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Compiles one Rego file for real. `rego` is the body of package countersign.main. */
export async function compileRego(tools: Toolchain, name: string, rego: string, data: object = {}): Promise<Bundle> {
  return withFolder(async (dir) => {
    const source = `package countersign.main\n\n${rego}\n`;
    await writeFile(join(dir, 'main.rego'), source);
    await writeFile(join(dir, 'data.json'), JSON.stringify(data));
    const out = join(dir, 'out', `${name}.tar.gz`);
    await buildBundle(dir, out, tools, { revision: 'test' });
    return loadBundle(await readFile(out), name);
  });
}

/** A bundle of policies/dist. */
export async function shipped(name: string): Promise<Bundle> {
  return loadBundle(await readFile(join(ROOT, 'policies/dist', `${name}.tar.gz`)), name);
}

export async function baseline(): Promise<Bundle> {
  return shipped('baseline');
}
