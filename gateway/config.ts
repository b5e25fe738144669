/**
 * The configuration: `countersign.yaml` with `${NAME}` references to the environment, strictly validated. A file that
 * is wrong anywhere is not used at all.
 */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readConfigDocument, type ConfigDocument, type Environment } from './config/document.ts';
import { ConfigError, explainIssue, formatPath, type ConfigProblem } from './config/problem.ts';
import { resolveConfig } from './config/resolve.ts';
import { CONFIG_SCHEMA } from './config/schema.ts';
import type { Config } from './config/types.ts';

export { ConfigError } from './config/problem.ts';
export { configurationReference } from './config/reference.ts';
export { planReload } from './config/reload.ts';
export { nusdFromDecimal } from './config/resolve.ts';
export { bundleFiles, SHIPPED_BUNDLE, type BundlePlaces } from './config/bundles.ts';
export { hasLimit } from './config/types.ts';
export type { Environment } from './config/document.ts';
export type * from './config/types.ts';

export interface LoadOptions {
  readonly path: string;
  readonly env: Environment;
}

/**
 * Reads and validates a configuration file.
 *
 * @throws ConfigError naming every key path that is wrong, what was expected and what was found; never a value
 */
export function loadConfig(options: LoadOptions): Config {
  let text: string;
  try {
    text = readFileSync(options.path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'an unknown error';
    const problem = {
      path: '',
      line: null,
      expected: 'a readable file (see --config and COUNTERSIGN_CONFIG)',
      found: code,
    };
    throw new ConfigError('file_unreadable', options.path, [problem]);
  }
  return parseConfig(options.path, text, options);
}

/** As loadConfig, for a text already read. `file` only names the source in messages. */
export function parseConfig(file: string, text: string, options: Omit<LoadOptions, 'path'>): Config {
  const document = readConfigDocument(file, text, options.env);
  const parsed = validate(file, document);
  const problems: ConfigProblem[] = [];
  const config = resolveConfig(parsed, (path, expected, found) => {
    problems.push({ path: formatPath(path), line: document.lineOf(path), expected, found });
  });
  if (problems.length > 0) throw new ConfigError('value_invalid', file, problems);
  return config;
}

function validate(file: string, document: ConfigDocument): ReturnType<typeof CONFIG_SCHEMA.parse> {
  let result = CONFIG_SCHEMA.safeParse(document.value);
  if (!result.success && convertReferences(document, result.error.issues))
    result = CONFIG_SCHEMA.safeParse(document.value);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => explainIssue(issue, document.valueAt, document.lineOf));
  throw new ConfigError('value_invalid', file, problems);
}

/**
 * A variable is always text. Where the schema wants a number or a switch and the whole value is one reference, its text
 * is read as such; nowhere else, so that a key consisting of digits stays a key. True if anything was converted.
 */
function convertReferences(
  document: ConfigDocument,
  issues: readonly { code?: string; path: PropertyKey[] }[],
): boolean {
  let converted = false;
  for (const issue of issues) {
    const expected = 'expected' in issue ? issue.expected : null;
    const value = document.valueAt(issue.path);
    if (!document.referenced.has(formatPath(issue.path)) || typeof value !== 'string') continue;
    const typed =
      expected === 'boolean'
        ? readBoolean(value)
        : expected === 'number' || expected === 'int'
          ? readInteger(value)
          : null;
    const parent = document.valueAt(issue.path.slice(0, -1));
    const key = issue.path.at(-1);
    if (typed === null || key === undefined || typeof parent !== 'object' || parent === null) continue;
    converted = Reflect.set(parent, key, typed) || converted;
  }
  return converted;
}

function readInteger(text: string): number | null {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : null;
}

function readBoolean(text: string): boolean | null {
  return text === 'true' ? true : text === 'false' ? false : null;
}

/** SHA-256 (lower hex) over the secret-free canonical form: names the configuration in ledger entries. */
export function configDigest(config: Config): string {
  return hash('sha256', `countersign/config/v1\n${JSON.stringify(config.printable)}`, 'hex');
}
