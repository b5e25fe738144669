import { sectionNames } from './entry.ts';
import type { KeyRing } from './keyring.ts';
import { ABSENT, openBlob } from './seal.ts';
import type { OpenedSection, SealKeys } from './seal.ts';
import type { StoredEntry } from './stored.ts';

/** The sections of one entry, by name. A section that cannot be opened is missing. */
export interface OpenedSections {
  readonly sections: ReadonlyMap<string, OpenedSection>;
  /** The key is gone: nothing but the facts can be opened. */
  readonly erased: boolean;
  /** Blobs whose authentication tag does not fit, or that are no blob at all. */
  readonly damaged: readonly ('sections' | 'content')[];
}

/** As much of a stored entry as its sections need. */
export type SealedEntry = Pick<
  StoredEntry,
  'kind' | 'class' | 'call' | 'facts' | 'factsSalt' | 'sealed' | 'content' | 'keyRef'
>;

/** Opens what the entry's key opens. With `keys` null only the facts. */
export async function openSections(entry: SealedEntry, tenant: string, keys: KeyRing | null): Promise<OpenedSections> {
  const sections = new Map<string, OpenedSection>([['facts', { salt: entry.factsSalt, text: entry.facts }]]);
  if (keys === null) return { sections, erased: false, damaged: [] };
  const seal = await keys.sealKeysById(tenant, entry.keyRef);
  if (seal === null) return { sections, erased: true, damaged: [] };
  return { sections, erased: false, damaged: addHidden(entry, tenant, seal, sections) };
}

function addHidden(
  entry: SealedEntry,
  tenant: string,
  seal: SealKeys,
  sections: Map<string, OpenedSection>,
): ('sections' | 'content')[] {
  const sealing = { tenant, kind: entry.kind, class: entry.class, call: entry.call };
  const damaged: ('sections' | 'content')[] = [];
  const hidden = sectionNames(entry.kind).filter((name) => name !== 'facts');
  for (const part of ['sections', 'content'] as const) {
    const names = part === 'content' ? ['content'] : hidden;
    const blob = part === 'content' ? entry.content : entry.sealed;
    if (blob === null && part === 'content') continue;
    const opened = blob === null ? null : openBlob(sealing, part, blob, seal);
    if (blob !== null && opened?.authentic !== true) damaged.push(part);
    if (blob !== null && opened === null) continue;
    for (const [index, name] of names.entries()) sections.set(name, opened?.sections[index] ?? ABSENT);
  }
  return damaged;
}
