/** What a reload would change, decided before anything is changed: all of it or nothing. */
import type { Config, JsonValue } from './types.ts';

export type ReloadPlan =
  | { readonly outcome: 'unchanged' }
  /** Key paths that differ, sorted; values are not repeated. */
  | { readonly outcome: 'apply'; readonly changed: readonly string[] }
  /** Settings that a running process cannot change; nothing of the new file is taken over. */
  | { readonly outcome: 'refused'; readonly restartNeeded: readonly string[] };

/** Bound to sockets, connections or evidence at the start of the process. */
const FIXED = ['listen.', 'database.', 'keys', 'ledger.', 'redaction.', 'decision_logs.', 'policies.services.'];

/**
 * Compares two valid configurations. Rotated secrets count as a change although the printable forms are equal.
 */
export function planReload(current: Config, next: Config): ReloadPlan {
  const changed = new Set<string>();
  compare('', current.printable, next.printable, changed);
  for (const path of rotatedSecrets(current, next)) changed.add(path);
  if (changed.size === 0) return { outcome: 'unchanged' };
  const paths = [...changed].toSorted();
  const restartNeeded = paths.filter((path) => FIXED.some((prefix) => `${path}.`.startsWith(prefix)));
  return restartNeeded.length > 0 ? { outcome: 'refused', restartNeeded } : { outcome: 'apply', changed: paths };
}

function compare(path: string, a: JsonValue | undefined, b: JsonValue | undefined, changed: Set<string>): void {
  if (isMapping(a) && isMapping(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      compare(path === '' ? key : `${path}.${key}`, a[key], b[key], changed);
    }
    return;
  }
  // Lists are compared whole: an inserted model would otherwise shift every later path.
  if (JSON.stringify(a) !== JSON.stringify(b)) changed.add(path);
}

function isMapping(value: JsonValue | undefined): value is Record<string, JsonValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function rotatedSecrets(current: Config, next: Config): string[] {
  const paths: string[] = [];
  if (current.database.url !== next.database.url) paths.push('database.url');
  for (const [id, deployment] of next.deployments) {
    const before = current.deployments.get(id);
    if (before && before.apiKey !== deployment.apiKey) paths.push(`providers.${deployment.provider}.api_key`);
  }
  if (current.ledger.archive?.secretAccessKey !== next.ledger.archive?.secretAccessKey)
    paths.push('ledger.archive.secret_access_key');
  for (const { name, token } of next.bundleServices) {
    const before = current.bundleServices.find((service) => service.name === name);
    if (before !== undefined && before.token !== token) paths.push(`policies.services.${name}.token`);
  }
  for (const { name, apiKey } of next.redaction.remoteAnalyzers) {
    const before = current.redaction.remoteAnalyzers.find((analyzer) => analyzer.name === name);
    if (before !== undefined && before.apiKey !== apiKey) paths.push(`redaction.remote_analyzers.${name}.api_key`);
  }
  return paths;
}
