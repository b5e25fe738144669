import { hash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { PolicyError } from './errors.ts';
import { ruleMetadata } from './fired.ts';
import type { RuleMetadata } from './fired.ts';
import type { JsonValue } from './input.ts';
import { isInputPaths } from './projection.ts';
import type { InputPaths } from './projection.ts';
import { readTar } from './tar.ts';
import type { TarEntry } from './tar.ts';

/**
 * A compiled OPA bundle (openpolicyagent.org/docs/management-bundles): `.manifest`, `data.json` and `policy.wasm`.
 * Other files (the Rego sources) travel along for reviewers and are not evaluated.
 */

/** The rule every bundle answers with. */
export const ENTRYPOINT = 'countersign/main/decision';

/** Stands in entries for the revision a bundle does not have. */
const UNNAMED_REVISION = 'unnamed';

const MAX_INPUT_PATHS = 512;
const MAX_RULES = 16_384;
const MAX_ARCHIVE_BYTES = 16 * 1024 * 1024;
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;
export const BUNDLE_LIMITS = { maxEntries: 2048, maxEntryBytes: 32 * 1024 * 1024 };

/** What identifies a bundle in a ledger entry. Digests are lower hex SHA-256. */
export interface BundleIdentity {
  readonly name: string;
  readonly revision: string;
  /** Over the two digests below and the input paths: what is evaluated the same has the same digest however the archive was packed. */
  readonly digest: string;
  readonly wasm_digest: string;
  /** Over data.json as packed. Tenant parameters are configuration and have a digest of their own. */
  readonly data_digest: string;
}

/** A bundle that was read and checked, not yet compiled. */
export interface Bundle {
  readonly identity: BundleIdentity;
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly data: { readonly [key: string]: JsonValue };
  readonly manifest: BundleManifest;
  /** The parts of an input its rules refer to; null when the manifest does not say, or they look at the whole. */
  readonly inputPaths: InputPaths;
  /** The bytes it was read from. */
  readonly archive: Uint8Array;
  /** What METADATA says about the bodies of its rules; empty when the manifest does not say. */
  readonly rules: readonly RuleMetadata[];
  /** What a decision point calls it where several versions of one name are loaded. Absent: its name. */
  readonly installedAs?: string;
}

const manifestSchema = z.object({
  /** Empty when `opa build` was given none. */
  revision: z.string().max(256),
  roots: z.array(z.string().max(256)).max(256).default(['']),
  rego_version: z.literal(1).optional(),
  wasm: z
    .array(z.object({ entrypoint: z.string(), module: z.string() }))
    .min(1)
    .max(64),
  metadata: z.record(z.string(), z.json()).optional(),
});
/** The manifest as opa writes it, with the compiler that built the bundle in `metadata.compiler` and the input paths in `metadata.input`. */
export type BundleManifest = z.infer<typeof manifestSchema>;

const dataSchema = z.record(z.string(), z.json());

/**
 * Reads a bundle (.tar.gz bytes). `name` is how configuration and ledger entries call it.
 * Throws PolicyError `invalid_bundle` or `bundle_too_large`.
 */
export function loadBundle(bytes: Uint8Array, name: string): Bundle {
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(name))
    throw invalid('bundle', 'its name is not lower case letters and digits');
  const files = new Map(readBundleFiles(bytes, name).map((file) => [file.name, file]));
  for (const path of files.keys()) checkFile(path, name);
  const manifest = readJson(files, '.manifest', manifestSchema, name);
  if (!manifest.wasm.some(isEntrypoint)) throw invalid(name, `no entry point ${ENTRYPOINT} in /policy.wasm`);
  const data = files.has('data.json') ? readJson(files, 'data.json', dataSchema, name) : {};
  if (Object.hasOwn(data, 'tenants')) throw invalid(name, 'data.tenants belongs to the gateway');
  if (!coveredBy(manifest.roots, '', data)) throw invalid(name, 'data.json holds more than the roots of .manifest');
  const wasm = Uint8Array.from(required(files, 'policy.wasm', name).bytes);
  const wasmDigest = hash('sha256', wasm, 'hex');
  const dataDigest = hash('sha256', files.get('data.json')?.bytes ?? Buffer.from('{}'), 'hex');
  const inputPaths = readInputPaths(manifest, name);
  const digest = bundleDigest(wasmDigest, dataDigest, inputPaths);
  return {
    identity: {
      name,
      revision: manifest.revision || UNNAMED_REVISION,
      digest,
      wasm_digest: wasmDigest,
      data_digest: dataDigest,
    },
    wasm,
    data,
    manifest,
    inputPaths,
    archive: bytes,
    rules: readRules(manifest, name),
  };
}

/** SHA-256 over the Rego that travels with a bundle, by name: what a reviewer read. Lower hex. */
export function sourceDigest({ archive, identity }: Pick<Bundle, 'archive' | 'identity'>): string {
  const sources = readBundleFiles(archive, identity.name).filter(({ name }) => name.endsWith('.rego'));
  const lines = sources.map(({ name, bytes }) => `${hash('sha256', bytes, 'hex')}  ${name}\n`).toSorted();
  return hash('sha256', `countersign/source/v1\n${lines.join('')}`, 'hex');
}

/** The files of a bundle's archive. Throws PolicyError `invalid_bundle` or `bundle_too_large`. */
export function readBundleFiles(bytes: Uint8Array, name: string): TarEntry[] {
  return readTar(unpack(bytes, name), BUNDLE_LIMITS);
}

/** Whether a file's name means something in a bundle; OPA leaves out all others too. */
export function isBundleFile(path: string): boolean {
  return /(?:^|\/)(?:\.manifest|\.signatures\.json|data\.json|data\.ya?ml|patch\.json|policy\.wasm|[^/]+\.rego)$/.test(
    path,
  );
}

/** What would have to be merged into the data: `opa build` does that, and a policy must not be decided without it. */
function checkFile(path: string, name: string): void {
  const unmerged = /\/data\.json$|(?:^|\/)data\.ya?ml$/.test(path);
  if (unmerged) throw invalid(name, `${path} is not merged into data.json`);
  if (path === 'patch.json') throw invalid(name, 'it is a delta bundle');
}

/** Whether everything in the data lies below a root (`a/b`; the empty root is all of it). */
function coveredBy(roots: readonly string[], path: string, value: JsonValue): boolean {
  if (roots.some((root) => root === '' || root === path || path.startsWith(`${root}/`))) return true;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  if (path !== '' && !roots.some((root) => root.startsWith(`${path}/`))) return false;
  return Object.entries(value).every(([key, item]) => coveredBy(roots, path === '' ? key : `${path}/${key}`, item));
}

/** One digest over all that a decision depends on, with a label so that it cannot be mistaken for another hash of the same bytes. */
function bundleDigest(wasmDigest: string, dataDigest: string, inputPaths: InputPaths): string {
  const shown = inputPaths === null ? '*' : inputPaths.join(' ');
  return hash('sha256', `countersign/bundle/v2\n${wasmDigest}\n${dataDigest}\n${shown}\n`, 'hex');
}

function readInputPaths({ metadata }: BundleManifest, name: string): InputPaths {
  const paths = metadata?.['input'] ?? null;
  if (paths === null) return null;
  const known = z.array(z.string()).max(MAX_INPUT_PATHS).safeParse(paths);
  if (known.success && isInputPaths(known.data)) return known.data;
  throw invalid(name, 'the input paths of .manifest have another form than this build writes');
}

function readRules({ metadata }: BundleManifest, name: string): RuleMetadata[] {
  const known = z
    .array(ruleMetadata)
    .max(MAX_RULES)
    .safeParse(metadata?.['rules'] ?? []);
  if (known.success) return known.data;
  throw invalid(name, 'the rules of .manifest have another form than this build writes');
}

function isEntrypoint(entry: { entrypoint: string; module: string }): boolean {
  return entry.entrypoint === ENTRYPOINT && entry.module === '/policy.wasm';
}

function unpack(bytes: Uint8Array, name: string): Uint8Array {
  if (bytes.length > MAX_ARCHIVE_BYTES) {
    throw new PolicyError('bundle_too_large', `${name}: ${bytes.length} bytes, at most ${MAX_ARCHIVE_BYTES} allowed`);
  }
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new PolicyError('bundle_too_large', `${name}: more than ${MAX_UNPACKED_BYTES} bytes when unpacked`);
    }
    throw invalid(name, 'it is not gzip', cause);
  }
}

function required(files: ReadonlyMap<string, TarEntry>, path: string, name: string): TarEntry {
  const file = files.get(path);
  if (file === undefined) throw invalid(name, `it has no ${path}`);
  return file;
}

function readJson<T>(files: ReadonlyMap<string, TarEntry>, path: string, schema: z.ZodType<T>, name: string): T {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(required(files, path, name).bytes).toString('utf8'));
  } catch (cause) {
    if (cause instanceof PolicyError) throw cause;
    throw invalid(name, `${path} is not JSON`, cause);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw invalid(name, `${path}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong shape'}`);
}

function invalid(name: string, found: string, cause?: unknown): PolicyError {
  const message = `${name}: expected an OPA bundle with .manifest, data.json and policy.wasm; ${found}; build it again`;
  return new PolicyError('invalid_bundle', message, cause === undefined ? undefined : { cause });
}
