import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { VerifyReport } from '../../../ledger/index.ts';
import type { AttackCase } from './cases.ts';
import { BundleEditor } from './editor.ts';
import { fitAll, fitDigests } from './fit.ts';
import type { Stand } from './stand.ts';

let count = 0;

/** A copy of the case's export, attacked. */
export async function prepare(
  stand: Stand,
  { base, change, fits = 'all' }: Pick<AttackCase, 'base' | 'change' | 'fits'>,
): Promise<BundleEditor> {
  count += 1;
  const dir = join(stand.root, `case-${String(count)}`);
  cpSync(stand.dir(base), dir, { recursive: true });
  const bundle = new BundleEditor(dir);
  if (change === undefined) return bundle;
  change(bundle, stand);
  if (fits === 'all') await fitAll(bundle);
  if (fits === 'digests') fitDigests(bundle);
  return bundle;
}

/** The part of a report that both verifiers have to agree on with the case. */
export function expectVerdict(report: VerifyReport, bundle: BundleEditor, wanted: AttackCase['expect']): void {
  const { verdict, firstBad, notProven } = report;
  expect([verdict, firstBad?.problem]).toEqual([wanted.verdict, firstBad?.problem]);
  if (wanted.seq !== undefined) expect(firstBad?.seq).toBe(wanted.seq);
  if (wanted.section !== undefined) expect(firstBad?.section).toBe(wanted.section);
  if (wanted.log !== undefined) expect(firstBad?.log).toBe(bundle[wanted.log]);
  if (wanted.file !== undefined) expect(firstBad?.file).toBe(wanted.file.replace('{demo}', bundle.demo).replace('{deployment}', bundle.deployment)); // prettier-ignore
  if (wanted.says !== undefined) expect([firstBad?.problem, ...notProven].join('\n')).toContain(wanted.says);
}
