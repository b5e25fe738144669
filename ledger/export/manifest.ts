import { canonicalJson, parseCanonical } from '../canonical.ts';
import type { JsonValue } from '../canonical.ts';
import type { EvidenceLog } from '../verify/evidence.ts';
import { isObject } from './line.ts';

export const EXPORT_FORMAT = 'countersign/export/v1';

/** One log of an export. */
export interface ExportedLog extends EvidenceLog {
  readonly entries: number;
  /** Leaf hash of the last exported entry. */
  readonly head: string | null;
  /** `tenant`: the exported log, its facts all disclosed. `deployment`: only what is needed to know writers and logs. */
  readonly role: 'tenant' | 'deployment';
}

export interface Manifest {
  readonly tenant: string;
  readonly disclose: 'all' | 'facts';
  readonly logs: readonly ExportedLog[];
  /** Entries of the tenant's log by kind. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Calls open at the end of the tenant's log, sorted. */
  readonly openCalls: readonly string[];
}

export function writeManifest({ tenant, disclose, logs, kinds, openCalls }: Manifest): string {
  const written = logs.map(({ log, inc, slot, nonce, origin, entries, head, role }) => ({
    log, inc, slot, nonce, origin, entries, head, role,
  })); // prettier-ignore
  return (
    canonicalJson({
      format: EXPORT_FORMAT,
      tenant,
      disclose,
      logs: written,
      kinds: { ...kinds },
      open_calls: [...openCalls],
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
  if (!Array.isArray(logs) || logs.length > 1000 || !Array.isArray(openCalls)) return null;
  const read = logs.flatMap((log) => readLog(log, tenant) ?? []);
  if (read.length !== logs.length || !openCalls.every((call) => typeof call === 'string')) return null;
  return { tenant, disclose, logs: read, kinds: {}, openCalls };
}

function readLog(value: JsonValue, tenant: string): ExportedLog | null {
  if (!isObject(value)) return null;
  const { log, inc, slot, nonce, origin, entries, head, role } = value;
  // The id becomes a folder's name.
  if (typeof log !== 'string' || !/^[0-9a-f]{64}$/.test(log)) return null;
  if (typeof inc !== 'number' || typeof slot !== 'number' || typeof entries !== 'number') return null;
  if (typeof nonce !== 'string' || typeof origin !== 'string') return null;
  if ((head !== null && typeof head !== 'string') || head === undefined) return null;
  if (role !== 'tenant' && role !== 'deployment') return null;
  return { log, tenant: role === 'tenant' ? tenant : '_deployment', inc, slot, nonce, origin, entries, head, role };
}
