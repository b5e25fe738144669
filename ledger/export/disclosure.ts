import type { JsonValue } from '../canonical.ts';
import { answersQuery } from '../controls/control.ts';
import type { KeyRing } from '../keyring.ts';
import { openSections } from '../sections.ts';
import { storedBody } from '../seal.ts';
import type { OpenedSection } from '../seal.ts';
import type { StoredEntry } from '../stored.ts';
import { asObject } from '../verify/call-check.ts';
import type { Disclosed } from './derived.ts';
import type { ExportOptions } from './options.ts';
import type { Draw } from './draw.ts';

/** Kinds of the deployment's entries that concern every tenant and name none. */
const FOR_ALL: ReadonlySet<string> = new Set(['writer', 'epoch', 'start', 'stop', 'migration']);

/** Decides what an export discloses of each entry. */
export class Disclosure {
  readonly #options: ExportOptions;
  readonly #keys: KeyRing;
  readonly #withheld: ReadonlySet<string>;
  readonly #logs: ReadonlySet<string>;
  readonly #sampled: ReadonlySet<string> | null;

  /** @param logs ids of the logs in the export */
  constructor(options: ExportOptions, keys: KeyRing, logs: ReadonlySet<string>, sample: Draw | null) {
    this.#options = options;
    this.#keys = keys;
    this.#withheld = new Set(options.withhold ?? []);
    this.#logs = logs;
    this.#sampled = sample === null ? null : new Set(sample.picks.map(({ call }) => call));
  }

  /** Does the entry answer the control that is asked for? False without one. */
  answers(tenant: string, kind: string, facts: JsonValue): boolean {
    const { control } = this.#options;
    return control !== undefined && answersQuery(control.query, { tenant, kind, facts });
  }

  /** An entry of whom the export is about. */
  async own(entry: StoredEntry, facts: JsonValue): Promise<Disclosed> {
    const { tenant, disclose = 'all' } = this.#options;
    if ((await this.#keys.sealKeysById(tenant, entry.keyRef)) === null && entry.keyRef !== null)
      return { sections: factsOf(entry), erasedKey: entry.keyRef, isPruned: isPruned(entry) };
    if (disclose === 'facts' || !this.#isPicked(entry, facts)) return { sections: factsOf(entry) };
    const { sections } = await openSections(entry, tenant, this.#keys);
    return { sections: new Map([...sections].filter(([name]) => !this.#withheld.has(name))) };
  }

  /**
   * An entry of the deployment in a tenant's export: who the writers were, the epochs, what the logs are made of, and what was
   * done about this tenant. Nothing that names another.
   */
  deployment(entry: StoredEntry, facts: JsonValue): ReadonlyMap<string, OpenedSection> {
    const { tenant, log } = asObject(facts);
    const isOurs =
      entry.kind === 'log' ? typeof log === 'string' && this.#logs.has(log) : tenant === this.#options.tenant;
    if (!isOurs && !FOR_ALL.has(entry.kind)) return new Map();
    return factsOf(entry);
  }

  #isPicked(entry: StoredEntry, facts: JsonValue): boolean {
    const { tenant, control } = this.#options;
    if (this.#sampled !== null && !this.#sampled.has(entry.call)) return false;
    return control === undefined || this.answers(tenant, entry.kind, facts);
  }
}

function isPruned(entry: StoredEntry): boolean {
  return storedBody(entry.kind, entry.leaves.match(/.{64}/g) ?? [], entry) === 'missing';
}

function factsOf({ facts, factsSalt }: StoredEntry): Map<string, OpenedSection> {
  return new Map([['facts', { salt: factsSalt, text: facts }]]);
}

/** A damaged row is exported as it is: finding it is the verifier's work. */
export function parseFacts({ facts }: Pick<StoredEntry, 'facts'>): JsonValue {
  try {
    return JSON.parse(facts) as JsonValue;
  } catch {
    return null;
  }
}
