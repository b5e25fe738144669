import { readFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';

/** Why a policy does not have a function of opa; the first that fits. Listed in docs/policies.md. */
const REASONS: readonly (readonly [names: RegExp, why: string])[] = [
  [/^(?:http\.send|net\.lookup_ip_addr)$/, 'it asks a network, which a replay could not ask again'],
  [/^time\.now_ns$/, 'a replay runs at another time; use input.time.unix_ms'],
  [/^(?:rand\.intn|uuid\.rfc4122)$/, 'its answer is chance, which a replay could not repeat'],
  [/^opa\.runtime$/, 'its answer depends on the process that asks'],
  [/^json\.(?:match|verify)_schema$/, 'a schema may refer to a network'],
  [
    /^(?:io\.jwt\.|crypto\.(?:x509|parse_private_keys)|providers\.aws\.)/,
    'tokens, certificates and keys are checked before a policy is asked; use input.principal',
  ],
  [/^(?:cast_|re_match$|trace$)/, 'it is deprecated, or only for tracing'],
  [
    /^(?:yaml|graphql|uri)\.|^(?:rego\.parse_module|strings\.render_template|regex\.(?:globs|template)_match|time\.parse_ns|uuid\.parse|urlquery\.(?:en|de)code_object|json\.marshal_with_options)$/,
    'the gateway has no implementation that answers exactly as opa does in every case',
  ],
];

/** Null for a function that no reason is known for. */
export function refusedBecause(name: string): string | null {
  return REASONS.find(([names]) => names.test(name))?.[1] ?? null;
}

/** One error alone stands behind its announcement. */
const UNDEFINED = /^(?:(?:error: )?1 error occurred: )?(\S+\.rego):(\d+): rego_type_error: undefined function (\S+)$/;
/** A rule's head begins a line. */
const HEAD = /^(?!package\b|import\b|#|[})\]\s])(?:default\s+)?([\p{L}_][\p{L}\p{N}_.]*)/u;

/**
 * opa's report with what it leaves out about a function that policies do not have: the rule that calls it, and why.
 * A policy may use what gives the same answer for the same arguments for ever; opa says only that it knows no other.
 */
export async function explainRefused(lines: readonly string[], dir: string): Promise<string[]> {
  return Promise.all(
    lines.map(async (line) => {
      const [, file = '', row = '', name = ''] = UNDEFINED.exec(line) ?? [];
      if (file === '') return line;
      const rule = await ruleAt(dir, file, Number(row));
      const where = rule === null ? '' : ` in rule ${rule}`;
      const why = refusedBecause(name) ?? 'the gateway could not replay or does not host it';
      return `${line}${where}: not in policies/compiler/capabilities.json, because ${why}`;
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
