/**
 * An export and its verification, in a process of its own: entries a second and how far the resident memory rises above what the
 * process had before. Prints figures and checks as JSON.
 */
import { join } from 'node:path';
import { runLoad } from './ledger-load.ts';
import { LedgerStand } from './ledger-stand.ts';
import type { Figure } from './measure.ts';
import type { Check } from './targets.ts';

const DEFAULT_ENTRIES = 50_000;
const SAMPLE_MS = 20;
const TENANT = 'exported';

interface Measured<T> {
  readonly result: T;
  readonly seconds: number;
  readonly risenMb: number;
}

async function measure<T>(work: () => Promise<T>): Promise<Measured<T>> {
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  let peak = before;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), SAMPLE_MS);
  const startedMs = performance.now();
  const result = await work();
  const seconds = (performance.now() - startedMs) / 1000;
  clearInterval(timer);
  return { result, seconds, risenMb: (peak - before) / 2 ** 20 };
}

function figuresOf(name: string, entries: number, { seconds, risenMb }: Measured<unknown>): Figure[] {
  return [
    { name: `export.${name}.rate`, value: entries / seconds, unit: 'entries/s' },
    { name: `export.${name}.memory`, value: risenMb, unit: 'MiB' },
  ];
}

async function main(root: string, { entries }: { readonly entries: number }): Promise<void> {
  const stand = await LedgerStand.open(root);
  try {
    const wanted = entries === 0 ? DEFAULT_ENTRIES : entries;
    const tenant = { id: TENANT, scopes: await stand.limit(TENANT) };
    const { entries: appended } = await runLoad(stand, { tenants: [tenant], callers: 32, entries: wanted });
    const written = await measure(() => stand.exportTo(TENANT, 'export'));
    const verified = await measure(() => stand.verifyFolder('export'));
    const found = `${String(written.result.entries)} of ${String(appended)}, ${String(verified.result.consistent)}`;
    const ok = written.result.entries === appended && verified.result.consistent;
    const checks: Check[] = [{ name: 'export: every entry, and the folder verifies', ok, found }];
    const figures = [...figuresOf('write', appended, written), ...figuresOf('verify', appended, verified)];
    process.stdout.write(JSON.stringify({ figures, checks }));
  } catch (error) {
    // Before the database goes: what breaks then would hide it.
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    throw error;
  } finally {
    await stand.close();
  }
}

await main(process.argv[2] ?? join(process.cwd()), JSON.parse(process.argv[3] ?? '{}') as { entries: number });
