import { AI_ACT } from './ai-act.ts';
import type { Control } from './control.ts';
import { DORA, GDPR } from './europe.ts';
import { HIPAA, PCI_DSS } from './sectors.ts';
import { ISO_42001, SOC_2 } from './standards.ts';

/**
 * Clauses and the entries that support them. Read against the sources on 2026-11-29; the law is what the source says, not what
 * is written here.
 */
export const CONTROLS: readonly Control[] = [...AI_ACT, ...ISO_42001, ...SOC_2, ...HIPAA, ...PCI_DSS, ...DORA, ...GDPR];

/** Null when there is none of that id. */
export function findControl(id: string): Control | null {
  return CONTROLS.find((control) => control.id === id) ?? null;
}
