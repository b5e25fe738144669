/**
 * The configuration without secrets: what `config print`, the admin API and the ledger's digest see. A secret is
 * replaced by whether it is set, so that the digest does not change when a key is rotated and reveals nothing of it.
 */
import type { ConfigFile } from './schema.ts';
import type { JsonValue } from './types.ts';

const PRESENT = '(set)';

export function secretFree(file: ConfigFile): JsonValue {
  const { url, ...database } = file.database;
  const { archive, ...ledger } = file.ledger;
  return canonicalValue({
    ...file,
    providers: withoutKeys(file.providers),
    decision_logs: withoutKeys(file.decision_logs),
    redaction: { ...file.redaction, remote_analyzers: withoutKeys(file.redaction.remote_analyzers) },
    ledger: archive === undefined ? ledger : { ...ledger, archive: { ...archive, secret_access_key: PRESENT } },
    database: url === undefined ? database : { ...database, url: PRESENT },
  });
}

function withoutKeys(services: Readonly<Record<string, object>>): Record<string, object> {
  const shown = Object.entries(services).map(([name, service]): [string, object] => {
    const hasKey = 'api_key' in service && service.api_key !== undefined;
    return [name, hasKey ? { ...service, api_key: PRESENT } : service];
  });
  return Object.fromEntries(shown);
}

/** The members of a mapping, each in canonical form. */
export function canonicalMembers(mapping: object): Record<string, JsonValue> {
  const members = Object.entries(mapping).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, canonicalValue(member)]));
}

/** Members in the order of their names, absent ones left out: the same settings always give the same text. */
function canonicalValue(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(canonicalValue);
  if (typeof value !== 'object' || value === null) return isScalar(value) ? value : null;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, canonicalValue(member)]),
  );
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
