import { execFile } from 'node:child_process';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { loadBundle } from '../bundle.ts';
import type { Bundle } from '../bundle.ts';
import { compileBundle } from '../compiler/build.ts';
import type { Toolchain } from '../compiler/build.ts';
import { PolicyError } from '../errors.ts';
import { readTar } from '../tar.ts';
import { parseFolder } from './syntax.ts';
import type { RegoFile } from './syntax.ts';

/** One side of a review: sources, as parsed, and the bundle they compile to. */
export interface Side {
  /** As it was asked for: a path or a revision. */
  readonly label: string;
  /** Folder of its Rego; of a bundle or a revision, a copy below the work folder. */
  readonly dir: string;
  readonly files: readonly RegoFile[];
  readonly bundle: Bundle;
}

const LIMITS = { maxEntries: 4096, maxEntryBytes: 32 * 1024 * 1024 };
const MAX_UNPACKED = 64 * 1024 * 1024;

/** Stands for the base of a bundle that is new: it has no rules, and objects to nothing. */
export const NO_BASE = 'none';
const NO_OBJECTION = `package countersign.main

decision := {"effect": "allow", "reasons": [], "obligations": [], "user_message": ""}
`;

const run = promisify(execFile);

/** A folder of Rego, compiled. Throws PolicyError `compiler_failed`. */
export async function openFolder(label: string, dir: string, name: string, tools: Toolchain): Promise<Side> {
  const { bytes } = await compileBundle(dir, tools, { revision: label.slice(0, 256), name });
  return { label, dir, files: await parseFolder(tools.opa, dir), bundle: loadBundle(bytes, name) };
}

/**
 * What a change is compared with: a bundle file, a folder, a git revision of the head's folder, or NO_BASE. `work` is an empty
 * folder for copies. Throws PolicyError.
 */
export async function openBase(
  spec: string,
  head: string,
  work: string,
  name: string,
  tools: Toolchain,
): Promise<Side> {
  const found = await stat(spec).catch(() => null);
  if (found?.isDirectory() === true) return openFolder(spec, resolve(spec), name, tools);
  if (found !== null) {
    const bytes = await readFile(spec);
    const bundle = loadBundle(bytes, name);
    await unpack(gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED }), work);
    return { label: spec, dir: work, files: await parseFolder(tools.opa, work), bundle };
  }
  if (spec === NO_BASE) {
    await writeFile(join(work, 'main.rego'), NO_OBJECTION);
    return { ...(await openFolder(spec, work, name, tools)), files: [] };
  }
  await unpack(await gitFolder(spec, head), work);
  return openFolder(spec, work, name, tools);
}

/**
 * The tree of the folder at a revision, as tar. A tree has no commit comment, which our reader would refuse. git looks for the
 * current folder inside of what it archives, so it is asked from the top.
 */
async function gitFolder(revision: string, dir: string): Promise<Uint8Array> {
  try {
    const { stdout: places } = await run('git', ['rev-parse', '--show-toplevel', '--show-prefix'], { cwd: dir });
    const [top = '', prefix = ''] = places.split('\n');
    const tree = ['rev-parse', '--verify', '--end-of-options', `${revision}:${prefix}`];
    const { stdout } = await run('git', tree, { cwd: top });
    const archive = ['archive', '--format=tar', stdout.trim()];
    return (await run('git', archive, { cwd: top, encoding: 'buffer', maxBuffer: MAX_UNPACKED })).stdout;
  } catch (cause) {
    const expected = `expected --base to be a bundle file, a folder or a git revision that has ${dir}`;
    throw new PolicyError('compiler_failed', `${expected}, found "${revision.slice(0, 100)}"`, { cause });
  }
}

async function unpack(archive: Uint8Array, dir: string): Promise<void> {
  for (const { name, bytes } of readTar(archive, LIMITS)) {
    if (!/\.rego$|(^|\/)data\.json$/.test(name)) continue;
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), bytes);
  }
}
