import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { ENTRYPOINT, loadBundle } from '../bundle.ts';
import type { BundleIdentity } from '../bundle.ts';
import { PolicyError } from '../errors.ts';
import { inputPaths } from '../projection.ts';
import type { InputPaths } from '../projection.ts';
import { signFiles } from '../signature.ts';
import type { SignatureKey } from '../signature.ts';
import { readTar, writeTar } from '../tar.ts';
import type { TarEntry } from '../tar.ts';
import { compilePolicy, createInstance } from '../wasm/instance.ts';
import { meterModule } from '../wasm/meter.ts';
import type { RuleBody } from '../wasm/meter.ts';
import { OPA_VERSION } from './opa.ts';
import { explainRefused } from './refused.ts';
import { readRuleMetadata } from './rules.ts';
import { runOpa } from './run.ts';

/** A pinned opa with what it is told to accept. */
export interface Toolchain {
  /** Path of the executable, from findOpa. */
  readonly opa: string;
  /** Path of policies/compiler/capabilities.json. */
  readonly capabilities: string;
  /** Path of policies/compiler/go.sum, whose line for opa goes into every manifest. */
  readonly goSum: string;
  /** Path of policies/schema/input.schema.json; references to fields it does not have are errors. */
  readonly inputSchema: string;
}

export interface BuiltBundle {
  readonly bytes: Uint8Array;
  readonly identity: BundleIdentity;
}

export interface BuildOptions {
  readonly revision: string;
  readonly name: string;
  /** Absent: the bundle is not signed. */
  readonly signature?: SignatureKey;
}

const BUNDLE_LIMITS = { maxEntries: 2048, maxEntryBytes: 32 * 1024 * 1024 };
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Compiles a folder of Rego into a bundle and proves that the gateway accepts it. The same sources give the same
 * entries on every machine: opa sees relative names only, and the archive is packed again without times and owners.
 * Throws PolicyError `rules_refused` with opa's own report.
 */
export async function compileBundle(dir: string, tools: Toolchain, options: BuildOptions): Promise<BuiltBundle> {
  const work = await mkdtemp(join(tmpdir(), 'countersign-build-'));
  try {
    const out = join(work, 'bundle.tar.gz');
    const args = ['build', '--bundle', '--target', 'wasm', '--entrypoint', ENTRYPOINT, '--ignore', '*_test.rego'];
    const built = await runOpa(tools.opa, [...args, '--capabilities', tools.capabilities, '--output', out, '.'], dir);
    if (built.exit !== 0) {
      const report = await explainRefused(`${built.stderr}${built.stdout}`.trim().slice(0, 4000).split('\n'), dir);
      throw new PolicyError('rules_refused', `opa could not build ${dir}: ${report.join('\n')}`);
    }
    const unpacked = gunzipSync(await readFile(out), { maxOutputLength: MAX_BYTES });
    const entries = readTar(unpacked, BUNDLE_LIMITS);
    const metadata = {
      compiler: await compilerOf(tools),
      input: await referencedInput(dir, tools),
      rules: await readRuleMetadata(dir, tools.opa, tools.capabilities, bodiesOf(entries)),
    };
    const files = repack(entries, options.revision, metadata);
    const signatures = options.signature === undefined ? [] : [await signFiles(files, options.signature)];
    // opa finds a module only by the name its manifest has, which begins with a slash.
    const packed = [...signatures, ...files].map((file) => ({ ...file, name: `/${file.name}` }));
    const bytes = gzipSync(writeTar(packed), { level: 9 });
    const bundle = loadBundle(bytes, options.name);
    await tryBundle(bundle.wasm, bundle.data);
    return { bytes, identity: bundle.identity };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function bodiesOf(entries: readonly TarEntry[]): readonly RuleBody[] {
  const module = entries.find(({ name }) => name === 'policy.wasm');
  return module === undefined ? [] : meterModule(module.bytes).bodies;
}

function repack(entries: readonly TarEntry[], revision: string, metadata: object): TarEntry[] {
  const sorted = entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return sorted.map((entry) => {
    if (entry.name !== '.manifest') return entry;
    const manifest = JSON.parse(Buffer.from(entry.bytes).toString('utf8')) as Record<string, unknown>;
    const stamped = { ...manifest, revision, metadata };
    return { name: entry.name, bytes: Buffer.from(`${JSON.stringify(stamped, null, 2)}\n`) };
  });
}

async function compilerOf(tools: Toolchain): Promise<object> {
  return { opa: OPA_VERSION, module_sum: await moduleSum(tools.goSum) };
}

/** What opa finds the entry point to refer to in `input`, through every rule and function it may call. */
async function referencedInput(dir: string, tools: Toolchain): Promise<InputPaths> {
  const query = `data.${ENTRYPOINT.replaceAll('/', '.')}`;
  const listed = await runOpa(
    tools.opa,
    ['deps', '--format', 'json', '--ignore', '*_test.rego', '--data', '.', query],
    dir,
  );
  if (listed.exit !== 0) {
    const report = `${listed.stderr}${listed.stdout}`.trim().slice(0, 4000);
    throw new PolicyError('compiler_failed', `opa could not list the references of ${dir}: ${report}`);
  }
  const { base } = dependencies.parse(JSON.parse(listed.stdout));
  const references = base.map((reference) => reference.map((term) => term.value));
  return inputPaths(references.filter(([root]) => root === 'input').map((reference) => reference.slice(1)));
}

/** As `opa deps --format json` prints them: a reference is a list of terms. */
const dependencies = z.object({
  base: z.array(z.array(z.object({ type: z.string(), value: z.unknown() }))).default([]),
});

/** Go's digest of the compiler's source, the same on every platform. */
async function moduleSum(path: string): Promise<string> {
  const prefix = `github.com/open-policy-agent/opa v${OPA_VERSION} `;
  const line = (await readFile(path, 'utf8')).split('\n').find((text) => text.startsWith(prefix));
  if (line === undefined)
    throw new PolicyError('compiler_version', `expected opa ${OPA_VERSION} in ${path}; run go mod tidy`);
  return line.slice(prefix.length).trim();
}

async function tryBundle(wasm: Uint8Array, data: object): Promise<void> {
  const policy = await compilePolicy(wasm);
  createInstance(policy, JSON.stringify({ ...data, tenants: {} }), { fuel: 1_000_000, maximumPages: 1024 });
}
