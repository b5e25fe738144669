import { parseCanonical } from '../canonical.ts';
import type { JsonValue } from '../canonical.ts';
import { findControl } from '../controls/catalogue.ts';
import type { ControlQuery } from '../controls/control.ts';
import { askedControl } from '../export/asked.ts';
import type { Asked, AskedControl } from '../export/asked.ts';
import { COMPLETENESS_FILE } from '../export/completeness.ts';
import { CONTROL_FILE } from '../export/derived.ts';
import { MAX_SAMPLE, MAX_SEED_CHARS } from '../export/draw.ts';
import type { Manifest } from '../export/manifest.ts';
import type { RangeWish } from '../export/options.ts';
import { readText } from './bundle-files.ts';
import type { BundleFiles } from './bundle-files.ts';
import { asObject } from './call-check.ts';

/** What a folder says about what it was asked for. It is believed only as far as the entries bear it out. */
export interface AskedFile {
  readonly asked: Asked;
  /** By log: how many entries it had when it was exported. */
  readonly logEntries: ReadonlyMap<string, number>;
}

const MAX_BYTES = 1024 * 1024;

/** What cannot be read is taken as not asked: the comparison with the file then shows it. */
export async function readAsked(files: BundleFiles, manifest: Manifest): Promise<AskedFile> {
  const { asked, ranges } = asObject(await readJson(files, COMPLETENESS_FILE));
  const { sample, control, ...wish } = asObject(asked);
  const logEntries = new Map<string, number>();
  for (const range of Array.isArray(ranges) ? ranges : []) {
    const { log, log_entries: count } = asObject(range);
    if (typeof log === 'string' && typeof count === 'number') logEntries.set(log, count);
  }
  const { tenant, disclose, withheld } = manifest;
  const known = { tenant, disclose, withheld, range: readRangeWish(wish), sample: readSample(sample) };
  return { asked: { ...known, control: await readControl(files, control) }, logEntries };
}

function readRangeWish({
  from,
  to,
  from_seq: fromSeq,
  to_seq: toSeq,
}: {
  [name: string]: JsonValue;
}): RangeWish | null {
  const [fromMs, toMs] = [readTime(from), readTime(to)];
  const range: RangeWish = {
    ...(fromMs === null ? {} : { fromMs }),
    ...(toMs === null ? {} : { toMs }),
    ...(typeof fromSeq === 'number' ? { fromSeq } : {}),
    ...(typeof toSeq === 'number' ? { toSeq } : {}),
  };
  return Object.keys(range).length === 0 ? null : range;
}

function readTime(value: JsonValue | undefined): number | null {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

function readSample(value: JsonValue | undefined): Asked['sample'] {
  const { seed, size } = asObject(value);
  const isSize = typeof size === 'number' && size >= 1 && size <= MAX_SAMPLE;
  // Every decision is hashed with it.
  return isSize && typeof seed === 'string' && seed.length <= MAX_SEED_CHARS ? { seed, size } : null;
}

/** As the folder words it: the catalogue of another version may word it otherwise. */
async function readControl(files: BundleFiles, id: JsonValue | undefined): Promise<AskedControl | null> {
  if (typeof id !== 'string') return null;
  const words = asObject(await readJson(files, CONTROL_FILE));
  const word = (name: string): string => {
    const value = words[name];
    return typeof value === 'string' ? value : '';
  };
  return {
    id,
    regime: word('regime'),
    clause: word('clause'),
    asks: word('asks'),
    supports: word('supports'),
    source: word('source'),
    inForce: word('inForce'),
    query: word('query'),
  };
}

/** The query of the catalogue, when the folder asked for what this version asks; else null. */
export function knownQuery({ id, query }: AskedControl): ControlQuery | null {
  const found = findControl(id);
  return found !== null && askedControl(found).query === query ? found.query : null;
}

async function readJson(files: BundleFiles, path: string): Promise<JsonValue> {
  const read = await readText(files, path, MAX_BYTES);
  if ('problem' in read) return null;
  try {
    return parseCanonical(read.text.trimEnd());
  } catch {
    return null;
  }
}
