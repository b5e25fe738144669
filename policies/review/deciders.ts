import type { Bundle } from '../bundle.ts';
import type { JsonValue } from '../input.ts';
import { createPdp } from '../pdp.ts';
import type { Pdp } from '../pdp.ts';
import type { BundleRef, DecidedBy } from './recorded.ts';

/** A decision point together with the bundles to ask it for. */
export interface Decider {
  readonly pdp: Pdp;
  readonly names: readonly string[];
}

/** Where bundles and parameters come from by their digests; null when they are not kept. */
export interface Sources {
  findBundle(digest: string, name: string): Promise<Bundle | null>;
  findParameters(digest: string): Promise<Readonly<Record<string, JsonValue>> | null>;
}

/** What is missing for a replay, in words. */
export class Missing extends Error {}

/** Decision points kept ready. History changes its bundles now and then, so one after the other is used for long. */
const KEPT = 12;

/** Makes decision points for what entries name; the same bundles and parameters give the same one. */
export class Deciders {
  readonly #sources: Sources;
  readonly #bundles = new Map<string, Promise<Bundle>>();
  readonly #parameters = new Map<string, Promise<Readonly<Record<string, JsonValue>>>>();
  readonly #made = new Map<string, Promise<Pdp>>();

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /** What decided: the stored bundles. Throws Missing. */
  async stored(by: DecidedBy): Promise<Decider> {
    const bundles = await Promise.all(by.bundles.map((ref) => this.#bundle(ref)));
    return this.#decider(bundles, by.parameters);
  }

  /**
   * The same with one bundle in the place of another of its name. When that name did not decide, the bundle joins the others,
   * or there is null. Throws Missing.
   */
  async candidate(by: DecidedBy, replacement: Bundle, joins: boolean): Promise<Decider | null> {
    const { name } = replacement.identity;
    const isNew = !by.bundles.some((ref) => ref.name === name);
    if (isNew && !joins) return null;
    const replaced = async (ref: BundleRef): Promise<Bundle> => (ref.name === name ? replacement : this.#bundle(ref));
    const bundles = await Promise.all(by.bundles.map(replaced));
    return this.#decider(isNew ? [...bundles, replacement] : bundles, by.parameters);
  }

  async #decider(bundles: readonly Bundle[], parameters: string): Promise<Decider> {
    const names = bundles.map(({ identity }) => identity.name);
    const key = [parameters, ...bundles.map(({ identity }) => `${identity.name}=${identity.digest}`)].join(' ');
    const tenantData = await kept(this.#parameters, parameters, () => this.#findParameters(parameters));
    return { names, pdp: await kept(this.#made, key, () => createPdp({ bundles, tenantData })) };
  }

  #bundle({ name, digest }: BundleRef): Promise<Bundle> {
    return kept(this.#bundles, `${name}=${digest}`, async () => {
      const bundle = await this.#sources.findBundle(digest, name);
      if (bundle === null) throw new Missing(`bundle ${name} ${digest.slice(0, 16)} is not in the policy store`);
      return bundle;
    });
  }

  async #findParameters(digest: string): Promise<Readonly<Record<string, JsonValue>>> {
    const parameters = await this.#sources.findParameters(digest);
    if (parameters === null) throw new Missing(`parameters ${digest.slice(0, 16)} are not in the policy store`);
    return parameters;
  }
}

/** Remembers promises, the failed ones too, so that what is missing is asked for once. */
function kept<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const found = known.get(key);
  if (found !== undefined) return found;
  const [oldest] = known.keys();
  if (oldest !== undefined && known.size >= KEPT) known.delete(oldest);
  const made = make();
  known.set(key, made);
  return made;
}
