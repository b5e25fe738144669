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
  /** Null: all of them. */
  readonly members: readonly string[] | null;
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
    const shown: Record<string, unknown> = {};
    for (const { section, members } of parts) {
      const value = sections[section];
      shown[section] = members === null || !isObject(value) ? value : pick(value, members);
    }
    return JSON.stringify(shown);
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
  return [...sections].map(([section, members]) => ({ section, members }));
}

/** What is absent stays so: JSON has no undefined. */
function pick(value: Readonly<Record<string, unknown>>, members: readonly string[]): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const member of members) picked[member] = value[member];
  return picked;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
