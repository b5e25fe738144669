/** The files of a bundle that follow from its entries, written by the product's own code as an export writes them. */
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

interface OutFile {
  write(data: string): Promise<void>;
  close(): Promise<void>;
}
interface Derived {
  add(tenant: string, entry: object, facts: unknown, disclosed: object): Promise<void>;
  close(): Promise<void>;
  finish(logs: readonly object[]): Promise<void>;
  readonly tally: { readonly kinds: ReadonlyMap<string, number> };
}
interface Entry {
  readonly header: string;
  readonly hash: string;
  readonly sections: ReadonlyMap<string, { readonly text: string }>;
}
export interface Parts {
  DerivedFiles: { open(out: object, asked: object, answers: () => boolean): Promise<Derived> };
  readonly readLine: (line: string) => Entry | null;
  VERIFY_NOTE: string;
}
type Log = Readonly<Record<string, unknown>> & {
  readonly log: string;
  readonly role: string;
  readonly entries: number;
};

const BUFFER_CHARS = 1_000_000;

async function openFile(dir: string, path: string): Promise<OutFile> {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  const handle = await open(join(dir, path), 'wx');
  let pending = '';
  const flush = async (): Promise<void> => {
    await handle.write(pending);
    pending = '';
  };
  return {
    write: async (data) => {
      pending += data;
      if (pending.length > BUFFER_CHARS) await flush();
    },
    close: async () => {
      await flush();
      await handle.close();
    },
  };
}

/** @param root folder of the project; its dist must be built */
export async function loadParts(root: string): Promise<Parts> {
  const load = (name: string): Promise<unknown> =>
    import(pathToFileURL(join(root, 'dist', 'ledger', 'export', name)).href);
  const parts = await Promise.all(['derived.js', 'line.js', 'verify-note.js'].map(load));
  return Object.assign({}, ...(parts as object[])) as Parts;
}

export async function deriveFiles({ DerivedFiles, readLine, VERIFY_NOTE }: Parts, dir: string): Promise<void> {
  const manifest = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')) as Record<string, unknown> & { logs: Log[] }; // prettier-ignore
  const write = async (path: string, data: string): Promise<void> => {
    const file = await openFile(dir, path);
    await file.write(data);
    await file.close();
  };
  const asked = { tenant: manifest['tenant'], disclose: 'all', withheld: [], range: null, sample: null, control: null };
  const derived = await DerivedFiles.open({ open: (path: string) => openFile(dir, path), write }, asked, () => false);
  for (const { log, role } of manifest.logs) {
    const tenant = role === 'tenant' ? String(manifest['tenant']) : '_deployment';
    for await (const line of createInterface({ input: createReadStream(join(dir, 'logs', log, 'entries.jsonl')) })) {
      const entry = readLine(line);
      if (entry === null) throw new TypeError('a line that is an entry');
      const { seq, kind, call, wid, t } = JSON.parse(entry.header) as Record<string, unknown>;
      const facts = entry.sections.get('facts')?.text ?? '';
      const viewed = { log, seq, hash: entry.hash, timeMs: t, kind, call, wid, facts };
      await derived.add(tenant, viewed, facts === '' ? null : JSON.parse(facts), entry);
    }
    if (role === 'deployment') await write(`logs/${log}/anchors.jsonl`, '');
  }
  await derived.close();
  await derived.finish(manifest.logs.map((log) => ({ ...log, tenant: log.role === 'tenant' ? manifest['tenant'] : '_deployment', logEntries: log.entries }))); // prettier-ignore
  await write('VERIFY.md', VERIFY_NOTE);
  const files: Record<string, object> = {};
  for (const path of readdirSync(dir, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const name = relative(dir, join(dir, path));
    const { size } = statSync(join(dir, path));
    if (name === 'manifest.json' || !statSync(join(dir, path)).isFile()) continue;
    const digest = createHash('sha256');
    for await (const chunk of createReadStream(join(dir, path))) digest.update(chunk as Buffer);
    files[name] = { bytes: size, sha256: digest.digest('hex') };
  }
  const kinds = Object.fromEntries([...derived.tally.kinds].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  // Members in the order of canonical JSON.
  const whole = Object.entries({ ...manifest, files, kinds, views: 1 }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(join(dir, 'manifest.json'), `${JSON.stringify(Object.fromEntries(whole))}\n`);
}
