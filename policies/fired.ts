import { z } from 'zod';
import type { RuleBody } from './wasm/meter.ts';

/**
 * Which rules fired. The module is rewritten so that every body of a rule that holds leaves a mark (wasm/meter.ts); what
 * the bodies are called, and what their METADATA says, stands in the manifest of bundles that `policy build` made.
 */

/** As `policy build` writes it to `metadata.rules` of the manifest. */
export const ruleMetadata = z.strictObject({
  path: z.string().max(512),
  body: z.int().positive(),
  /** `custom.rule`. */
  id: z.string().max(256).nullable(),
  title: z.string().max(2048),
  severity: z.string().max(64).nullable(),
  controls: z.array(z.string().max(256)).max(256),
  /** Place of the rule's head in the bundle's sources. */
  file: z.string().max(512),
  row: z.int().nonnegative(),
});
/** What METADATA says about one body of a rule: `custom.rule`, title, severity, controls, and where its head stands. */
export type RuleMetadata = z.infer<typeof ruleMetadata>;

/** One body of a rule and what is known about it; `about` is null without METADATA. */
export interface DescribedBody extends RuleBody {
  readonly about: RuleMetadata | null;
}

/**
 * The rules of one bundle whose bodies held in one evaluation, as it stands in an entry's input section.
 * A body counts when it held at least once, wherever it was asked from, inside a negation too.
 */
export interface FiredRules {
  readonly bundle: string;
  /**
   * The `custom.rule` ids of annotated bodies, sorted. In a bundle without any id: `<package>.<rule>#<body>` of every
   * body that takes no arguments.
   */
  readonly rules: readonly string[];
  /** All bodies, helpers and functions too: lower hex, eight digits for 32 bodies; `firedBodies` reads it. */
  readonly bits: string;
}

const BITS_PER_WORD = 32;
const DIGITS_PER_WORD = 8;

/** The bodies of a module with their METADATA, in the order of their marks. */
export function describeBodies(bodies: readonly RuleBody[], metadata: readonly RuleMetadata[]): DescribedBody[] {
  const known = new Map(metadata.map((about) => [keyOf(about), about]));
  return bodies.map((body) => ({ ...body, about: known.get(keyOf(body)) ?? null }));
}

/** What `bits` of FiredRules stands for; `bodies` are those of the same bundle (Pdp.bodies). */
export function firedBodies(bits: string, bodies: readonly DescribedBody[]): DescribedBody[] {
  const words = bits.match(/.{8}/g) ?? [];
  return bodies.filter((_, mark) => {
    const word = Number.parseInt(words[Math.floor(mark / BITS_PER_WORD)] ?? '0', 16);
    return ((word >>> (mark % BITS_PER_WORD)) & 1) === 1;
  });
}

/** The names that `rules` of FiredRules lists, for bits of one bundle. */
export function firedNames(bits: string, bodies: readonly DescribedBody[]): string[] {
  const named = bodies.some(({ about }) => about?.id !== null && about?.id !== undefined);
  const names = firedBodies(bits, bodies).flatMap((body) => {
    if (named) return body.about?.id ?? [];
    return body.isFunction ? [] : keyOf(body);
  });
  return [...new Set(names)].sort();
}

/** `words` are the marks of 32 bodies each. */
export function writeBits(words: readonly number[]): string {
  return words.map((word) => (word >>> 0).toString(16).padStart(DIGITS_PER_WORD, '0')).join('');
}

function keyOf({ path, body }: { readonly path: string; readonly body: number }): string {
  return `${path}#${body}`;
}
