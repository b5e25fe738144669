import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { VerifyReport } from '../../../ledger/index.ts';
import type { AttackCase } from './cases.ts';
import { BundleEditor } from './editor.ts';
import type { Stand } from './stand.ts';

let count = 0;

/** A copy of the case's export, attacked. */
export function prepare(stand: Stand, { base, change }: Pick<AttackCase, 'base' | 'change'>): BundleEditor {
  count += 1;
  const dir = join(stand.root, `case-${String(count)}`);
  cpSync(stand.dir(base), dir, { recursive: true });
  const bundle = new BundleEditor(dir);
  change?.(bundle, stand);
  return bundle;
}

/** The part of a report that both verifiers have to agree on with the case. */
export function expectVerdict(report: VerifyReport, bundle: BundleEditor, wanted: AttackCase['expect']): void {
  const { verdict, firstBad, notProven } = report;
  expect([verdict, firstBad?.problem]).toEqual([wanted.verdict, firstBad?.problem]);
  if (wanted.seq !== undefined) expect(firstBad?.seq).toBe(wanted.seq);
  if (wanted.section !== undefined) expect(firstBad?.section).toBe(wanted.section);
  if (wanted.log !== undefined) expect(firstBad?.log).toBe(bundle[wanted.log]);
  if (wanted.says !== undefined) expect([firstBad?.problem, ...notProven].join('\n')).toContain(wanted.says);
}
