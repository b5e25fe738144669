/**
 * How fast an export is checked, on one thread, in a process of its own for each bundle: headers, chain and tree alone; bodies
 * with all their sections; bodies with a writer's signature each. Prints figures and checks as JSON.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Figure } from './measure.ts';
import type { Check } from './targets.ts';
import { deriveFiles, loadParts } from './verify-derived.ts';
import { writeBundle, type BundleShape } from './verify-bundle.ts';

const DEFAULT_ENTRIES = 200_000;
interface Row {
  readonly consistent: boolean;
  readonly problem: string | null;
  readonly entries: number;
  readonly seconds: number;
  readonly mib: number;
}

/** In the process of its own: checks one folder. */
async function measure(root: string, dir: string): Promise<Row> {
  const { verifyFolder } = (await import(pathToFileURL(join(root, 'dist', 'ledger', 'verify', 'folder.js')).href)) as {
    verifyFolder: (
      dir: string,
    ) => Promise<{ consistent: boolean; firstBad: { problem: string } | null; entries: number }>;
  };
  const started = performance.now();
  const { consistent, firstBad, entries } = await verifyFolder(dir);
  const seconds = (performance.now() - started) / 1000;
  return {
    consistent,
    problem: firstBad?.problem ?? null,
    entries,
    seconds,
    mib: process.resourceUsage().maxRSS / 1024,
  };
}

async function run(root: string, entries: number): Promise<{ figures: Figure[]; checks: Check[] }> {
  const few = Math.ceil(entries / 10);
  const shapes: readonly (readonly [string, BundleShape])[] = [
    ['verify.headers', { headers: entries, bodies: 0, signed: false }],
    ['verify.bodies', { headers: 3, bodies: few, signed: false }],
    ['verify.signed', { headers: 3, bodies: few, signed: true }],
  ];
  const figures: Figure[] = [];
  const checks: Check[] = [];
  for (const [name, shape] of shapes) {
    const dir = mkdtempSync(join(tmpdir(), 'countersign-verify-'));
    try {
      await writeBundle(dir, shape);
      await deriveFiles(await loadParts(root), dir);
      const program = [fileURLToPath(import.meta.url), root, dir];
      const row = JSON.parse(execFileSync(process.execPath, program, { encoding: 'utf8' })) as Row;
      const rate = Math.round(row.entries / row.seconds);
      figures.push({ name, value: rate, unit: 'entries/s' });
      figures.push({ name: `${name}.rss`, value: Math.round(row.mib), unit: 'MiB' });
      checks.push({
        name: `${name} verifies`,
        ok: row.consistent,
        found: row.problem ?? `${String(row.entries)} entries`,
      });
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
  return { figures, checks };
}

const [root = '', given = ''] = process.argv.slice(2);
const answer = /^\d+$/.test(given) ? await run(root, Number(given) || DEFAULT_ENTRIES) : await measure(root, given);
process.stdout.write(JSON.stringify(answer));
