import { AI_ACT } from './ai-act.ts';
import type { Control } from './control.ts';
import { DORA, GDPR } from './europe.ts';
import { HIPAA, PCI_DSS } from './sectors.ts';
import { ISO_42001, SOC_2 } from './standards.ts';

/**
 * Clauses and the entries that support them. Clauses and dates are as their authors knew them in November 2026 and were not read
 * again in the official texts: check the source that each control names. The law is what it says, not what is written here.
 */
export const CONTROLS: readonly Control[] = [...AI_ACT, ...ISO_42001, ...SOC_2, ...HIPAA, ...PCI_DSS, ...DORA, ...GDPR];

/** Null when there is none of that id. */
export function findControl(id: string): Control | null {
  return CONTROLS.find((control) => control.id === id) ?? null;
}
