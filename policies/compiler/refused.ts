import { readFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';

const UNDEFINED = /^(\S+\.rego):(\d+): rego_type_error: undefined function \S+$/;
/** A rule's head begins a line. */
const HEAD = /^(?!package\b|import\b|#|[})\]\s])(?:default\s+)?([\p{L}_][\p{L}\p{N}_.]*)/u;

/**
 * opa's report with what it leaves out about a function that policies do not have: the rule that calls it, and why.
 * A policy may use what gives the same answer for the same arguments for ever; opa says only that it knows no other.
 */
export async function explainRefused(lines: readonly string[], dir: string): Promise<string[]> {
  return Promise.all(
    lines.map(async (line) => {
      const [, file = '', row = ''] = UNDEFINED.exec(line) ?? [];
      if (file === '') return line;
      const rule = await ruleAt(dir, file, Number(row));
      const where = rule === null ? '' : ` in rule ${rule}`;
      return `${line}${where}: not in policies/compiler/capabilities.json, because the gateway could not replay or does not host it`;
    }),
  );
}

async function ruleAt(dir: string, file: string, row: number): Promise<string | null> {
  const path = resolve(dir, file);
  if (!path.startsWith(join(dir, sep))) return null;
  const text = await readFile(path, 'utf8').catch(() => '');
  const above = text.split('\n').slice(0, row).toReversed();
  return above.map((line) => HEAD.exec(line)?.[1]).find((rule) => rule !== undefined) ?? null;
}
