import { canonicalJson, parseCanonical } from '../canonical.ts';
import type { JsonValue } from '../canonical.ts';
import { DEPLOYMENT } from '../entry.ts';
import { isHash } from '../epoch/record.ts';
import type { EvidenceLog } from '../verify/evidence.ts';
import type { WrittenFile } from './out.ts';
import { isObject } from './line.ts';

export const EXPORT_FORMAT = 'countersign/export/v1';

/** One log of an export. */
export interface ExportedLog extends EvidenceLog {
  /** Exported entries. */
  readonly entries: number;
  /** Sequence of the first of them; 0 unless a part was exported. */
  readonly first: number;
  /** Leaf hash of the last exported entry. */
  readonly head: string | null;
  /** `tenant`: the exported log, its facts all disclosed. `deployment`: only what is needed to know writers and logs. */
  readonly role: 'tenant' | 'deployment';
}

export interface Manifest {
  readonly tenant: string;
  readonly disclose: 'all' | 'facts';
  /** Sections that were withheld by name, sorted. */
  readonly withheld: readonly string[];
  readonly logs: readonly ExportedLog[];
  /** Entries of the tenant's log by kind. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Calls open at the end of the tenant's log, sorted. */
  readonly openCalls: readonly string[];
  /** Version of the bytes of the views; null when it is not said. */
  readonly views: number | null;
  /** The other files of the folder but the tiles. */
  readonly files: ReadonlyMap<string, WrittenFile>;
}

/** Order of the members does not matter: canonical JSON sorts them. */
export function writeManifest({ tenant, disclose, withheld, logs, kinds, openCalls, views, files }: Manifest): string {
  const written = logs.map(({ log, inc, slot, nonce, origin, entries, first, head, role }) => ({
    log, inc, slot, nonce, origin, entries, first, head, role,
  })); // prettier-ignore
  return (
    canonicalJson({
      format: EXPORT_FORMAT,
      tenant,
      disclose,
      withheld: [...withheld],
      files: Object.fromEntries([...files].map(([path, file]) => [path, { ...file }])),
      logs: written,
      kinds: { ...kinds },
      open_calls: [...openCalls],
      views,
    }) + '\n'
  );
}

/** Null when it is no manifest of this format. */
export function readManifest(text: string): Manifest | null {
  let value: JsonValue;
  try {
    value = parseCanonical(text.trimEnd());
  } catch {
    return null;
  }
  if (!isObject(value) || value['format'] !== EXPORT_FORMAT) return null;
  const { tenant, disclose, logs, open_calls: openCalls } = value;
  if (typeof tenant !== 'string' || (disclose !== 'all' && disclose !== 'facts')) return null;
  const withheld = value['withheld'];
  if (!Array.isArray(withheld) || !withheld.every((name) => typeof name === 'string')) return null;
  if (!Array.isArray(logs) || logs.length > 1000 || !Array.isArray(openCalls)) return null;
  const read = logs.flatMap((log) => readLog(log, tenant) ?? []);
  if (read.length !== logs.length || !openCalls.every((call) => typeof call === 'string')) return null;
  const [kinds, files] = [readKinds(value['kinds']), readFiles(value['files'])];
  if (kinds === null || files === null) return null;
  const views = typeof value['views'] === 'number' ? value['views'] : null;
  return { tenant, disclose, withheld, logs: read, kinds, openCalls, views, files };
}

function readKinds(value: JsonValue | undefined): Record<string, number> | null {
  if (!isObject(value)) return null;
  const counts = Object.entries(value).flatMap(([kind, count]) => (typeof count === 'number' ? [[kind, count]] : []));
  return counts.length === Object.keys(value).length ? (Object.fromEntries(counts) as Record<string, number>) : null;
}

const MAX_FILES = 100_000;
/** A path of ours: nothing in it leads upwards or elsewhere. */
const PATH = /^(?!.*(?:^|\/)\.)[A-Za-z0-9._-]{1,100}(?:\/[A-Za-z0-9._-]{1,100}){0,8}$/;

function readFiles(value: JsonValue | undefined): Map<string, WrittenFile> | null {
  if (!isObject(value)) return null;
  const paths = Object.entries(value);
  if (paths.length > MAX_FILES) return null;
  const files = new Map<string, WrittenFile>();
  for (const [path, file] of paths) {
    if (!PATH.test(path) || !isObject(file)) return null;
    const { bytes, sha256 } = file;
    if (typeof bytes !== 'number' || bytes < 0 || !isHash(sha256)) return null;
    files.set(path, { bytes, sha256 });
  }
  return files;
}

function readLog(value: JsonValue, tenant: string): ExportedLog | null {
  if (!isObject(value)) return null;
  const { log, inc, slot, nonce, origin, entries, first, head, role } = value;
  // The id becomes a folder's name.
  if (typeof log !== 'string' || !/^[0-9a-f]{64}$/.test(log)) return null;
  if (typeof inc !== 'number' || typeof slot !== 'number') return null;
  if (typeof entries !== 'number' || typeof first !== 'number' || first < 0 || entries < 0) return null;
  if (typeof nonce !== 'string' || typeof origin !== 'string') return null;
  if ((head !== null && typeof head !== 'string') || head === undefined) return null;
  if (role !== 'tenant' && role !== 'deployment') return null;
  const whose = role === 'tenant' ? tenant : DEPLOYMENT;
  return { log, tenant: whose, inc, slot, nonce, origin, entries, first, head, role };
}
