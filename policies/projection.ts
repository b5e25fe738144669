import type { PolicyInput } from './input.ts';

/**
 * What a bundle is shown of an input: only the parts its rules refer to, which the compiler lists when it builds the bundle
 * (`opa deps`). The rules could not tell the difference, and two calls that differ in nothing they look at share one answer.
 */

/** `section` or `section.member`, sorted; null when the rules look at the input as a whole. */
export type InputPaths = readonly string[] | null;

/** What an evaluation is given, as JSON text. */
export type Projection = (input: PolicyInput) => string;

interface Part {
  readonly section: string;
  /** With the separator before it. */
  readonly name: string;
  /** Null: all of them. */
  readonly members: readonly { readonly key: string; readonly name: string }[] | null;
}

/** How far references are followed: deeper ones show the whole member. */
const DEPTH = 2;
const PATH = /^[a-z_]+(?:\.[a-z_]+)?$/;

/** Whether a list is one that inputPaths makes. */
export function isInputPaths(paths: readonly string[]): boolean {
  return paths.every((path, index) => PATH.test(path) && (index === 0 || (paths[index - 1] ?? '') < path));
}

/**
 * References below `input` as `opa deps` lists them (`['tools', 'offered', 0, 'name']`), brought to sections and members.
 * A reference that is no plain name makes all of its parent visible.
 */
export function inputPaths(references: readonly (readonly unknown[])[]): InputPaths {
  const paths = new Set<string>();
  for (const reference of references) {
    const plain = reference.slice(0, DEPTH);
    const odd = plain.findIndex((part) => typeof part !== 'string' || !/^[a-z_]+$/.test(part));
    const names = odd === -1 ? plain : plain.slice(0, odd);
    if (names.length === 0) return null;
    paths.add(names.join('.'));
  }
  return [...paths].filter((path) => !paths.has(path.split('.')[0] ?? '') || !path.includes('.')).toSorted();
}

export function createProjection(paths: readonly string[]): Projection {
  const parts = readParts(paths);
  return (input) => {
    const sections = input as unknown as Readonly<Record<string, unknown>>;
    let text = '';
    for (const { section, name, members } of parts) {
      const value = sections[section];
      if (value === undefined) continue;
      text += name + (members === null || !isObject(value) ? write(value) : writeMembers(value, members));
    }
    return `{${text.slice(1)}}`;
  };
}

function readParts(paths: readonly string[]): Part[] {
  const sections = new Map<string, string[] | null>();
  for (const path of paths) {
    const [section = '', member] = path.split('.');
    const members = sections.get(section);
    // Sorted: a section that is visible as a whole comes before its members.
    if (member === undefined) sections.set(section, null);
    else if (members === undefined) sections.set(section, [member]);
    else members?.push(member);
  }
  return [...sections].map(([section, members]) => ({
    section,
    name: `,"${section}":`,
    members: members?.map((key) => ({ key, name: `,"${key}":` })) ?? null,
  }));
}

function writeMembers(value: Readonly<Record<string, unknown>>, members: NonNullable<Part['members']>): string {
  let text = '';
  for (const { key, name } of members) if (value[key] !== undefined) text += name + write(value[key]);
  return `{${text.slice(1)}}`;
}

/** Facts that many calls share are frozen, all the way down; their text is made once. */
const texts = new WeakMap<object, string>();

function write(value: unknown): string {
  if (!isObject(value) || !Object.isFrozen(value)) return JSON.stringify(value);
  const known = texts.get(value);
  if (known !== undefined) return known;
  const text = JSON.stringify(value);
  texts.set(value, text);
  return text;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
