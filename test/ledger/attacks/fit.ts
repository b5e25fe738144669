import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { JsonValue } from '../../../ledger/canonical.ts';
import { parseHeader } from '../../../ledger/header.ts';
import { DerivedFiles } from '../../../ledger/export/derived.ts';
import { readLine } from '../../../ledger/export/line.ts';
import { readManifest } from '../../../ledger/export/manifest.ts';
import type { ExportedLog } from '../../../ledger/export/manifest.ts';
import type { OutFile, OutFolder } from '../../../ledger/export/out.ts';
import { readAsked } from '../../../ledger/verify/asked-file.ts';
import { openFolder } from '../../../ledger/verify/files.ts';
import { lastSize, noteSize } from '../../../ledger/verify/log-files.ts';
import { TileCheck } from '../../../ledger/verify/tile-check.ts';
import type { BundleEditor } from './editor.ts';

/** Writes over whatever is there, as nobody should. */
class Overwriting implements OutFolder {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  open(path: string): Promise<OutFile> {
    const parts: Uint8Array[] = [];
    const write = (data: string | Uint8Array): Promise<void> => Promise.resolve(void parts.push(Buffer.from(data)));
    return Promise.resolve({ write, close: () => this.write(path, Buffer.concat(parts)) });
  }

  write(path: string, data: string | Uint8Array): Promise<void> {
    mkdirSync(dirname(join(this.#dir, path)), { recursive: true });
    return Promise.resolve(writeFileSync(join(this.#dir, path), data));
  }
}

/** What an attacker does who knows the format: every file that follows from the entries is made again, and the manifest fits. */
export async function fitAll(bundle: BundleEditor): Promise<void> {
  const { dir } = bundle;
  const files = openFolder(dir);
  const manifest = readManifest(readFileSync(join(dir, 'manifest.json'), 'utf8'));
  if (manifest === null) return fitDigests(bundle);
  const out = new Overwriting(dir);
  const { asked, logEntries } = await readAsked(files, manifest);
  const derived = await DerivedFiles.open(out, asked, () => false);
  for (const log of manifest.logs) await fitLog(bundle, log, { out, derived });
  await derived.close();
  await derived.finish(
    manifest.logs.map((log) => {
      const end = log.first + log.entries;
      return { ...log, logEntries: asked.range === null ? end : (logEntries.get(log.log) ?? end) };
    }),
  );
  bundle.manifest((written) => {
    written['kinds'] = Object.fromEntries(derived.tally.kinds);
    // An open call that somebody forgot stays forgotten.
    written['open_calls'] = manifest.openCalls.filter((call) => derived.tally.open.has(call));
  });
  fitDigests(bundle);
}

async function fitLog(
  bundle: BundleEditor,
  log: ExportedLog,
  { out, derived }: { readonly out: OutFolder; readonly derived: DerivedFiles },
): Promise<void> {
  rmSync(bundle.path(log.log, 'tile'), { recursive: true, force: true });
  const tiles = new TileCheck(out, log.log, await lastSize(openFolder(bundle.dir), log));
  for (const text of bundle.texts(log.log, 'entries.jsonl')) {
    const entry = readLine(text);
    const header = parseHeader(entry?.header ?? '');
    if (entry === null || header === null) break;
    const { seq, kind, call, wid, t } = header;
    const facts = entry.sections.get('facts')?.text ?? '';
    const viewed = { log: log.log, seq, hash: entry.hash, timeMs: t, kind, call, wid, facts };
    await derived.add(log.tenant ?? '', viewed, facts === '' ? null : (JSON.parse(facts) as JsonValue), entry);
    await tiles.add(entry.header, entry.hash);
  }
  if (log.role !== 'deployment') return;
  for (const line of bundle.lines<{ note: string; vkey: string }>(log.log, 'checkpoints.jsonl'))
    derived.history.addCheckpoint({ ...line, size: noteSize(line.note) });
  await out.write(`logs/${log.log}/checkpoint`, derived.history.newest?.note ?? '');
}

/** Lengths and digests of the files that are there. */
export function fitDigests(bundle: BundleEditor): void {
  const { dir } = bundle;
  if (readManifest(readFileSync(join(dir, 'manifest.json'), 'latin1')) === null) return;
  bundle.manifest(({ files }) => {
    for (const [path, file] of Object.entries(files)) {
      if (statSync(join(dir, path), { throwIfNoEntry: false })?.isFile() !== true) continue;
      const bytes = readFileSync(join(dir, path));
      Object.assign(file, { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
    }
  });
}
