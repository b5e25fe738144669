import type postgres from 'postgres';
import { DEPLOYMENT } from '../entry.ts';
import type { KeyRing } from '../keyring.ts';
import { readEvents, textOf, textsOf, utc } from './events.ts';
import type { EvidenceReport } from './report.ts';

/** A credential as the operational table has it, to be compared with its entries. */
export interface KnownKey {
  readonly id: string;
  readonly tenant: string;
  readonly roles: readonly string[];
  readonly expiresMs: number | null;
  readonly revokedMs: number | null;
}

/** A credential as its entries tell of it. */
export interface GrantedKey {
  readonly id: string;
  readonly tenant: string;
  readonly name: string | null;
  readonly roles: readonly string[];
  readonly createdMs: number;
  readonly createdBy: string | null;
  /** Approval it was made with; null when none was needed or an exemption applied. */
  readonly approval: string | null;
  readonly exemption: string | null;
  readonly expiresMs: number | null;
  readonly revokedMs: number | null;
}

/** All credentials that were ever given, by id. */
export async function readGrants(sql: postgres.Sql, keys: KeyRing): Promise<ReadonlyMap<string, GrantedKey>> {
  const granted = new Map<string, GrantedKey>();
  for await (const { facts, detail, timeMs } of readEvents(sql, keys, DEPLOYMENT, ['key'])) {
    const id = textOf(facts['key']);
    if (id === null) continue;
    const known = granted.get(id);
    if (facts['action'] === 'revoke' && known !== undefined) granted.set(id, { ...known, revokedMs: timeMs });
    if (facts['action'] !== 'create') continue;
    const expires = facts['expires_ms'];
    granted.set(id, {
      id,
      tenant: textOf(facts['tenant']) ?? '',
      name: textOf(detail['name']),
      roles: textsOf(facts['roles']),
      createdMs: timeMs,
      createdBy: textOf(detail['by']),
      approval: textOf(facts['approval']),
      exemption: textOf(facts['exemption']),
      expiresMs: typeof expires === 'number' ? expires : null,
      revokedMs: null,
    });
  }
  return granted;
}

/** Which credentials there are, what they may do, and whether the table that decides agrees with the ledger. */
export async function accessReview(
  sql: postgres.Sql,
  keys: KeyRing,
  { known, nowMs }: { readonly known: readonly KnownKey[]; readonly nowMs: number },
): Promise<EvidenceReport> {
  const granted = await readGrants(sql, keys);
  const rows = [...granted.values()].map((key) => [
    key.id, key.tenant, key.name, key.roles.join(' '), stateOf(key, nowMs), utc(key.createdMs), key.createdBy,
    key.approval ?? key.exemption, key.expiresMs === null ? null : utc(key.expiresMs),
  ]); // prettier-ignore
  return {
    name: 'access',
    title: 'Access review: every credential the ledger tells of',
    columns: ['key', 'tenant', 'name', 'roles', 'state', 'created', 'created by', 'approval', 'expires'],
    rows,
    findings: [...compare(granted, known), ...overdue(granted, nowMs)],
    limits: [
      'Roles that a token issuer gives: see the entries of kind role, and the issuer.',
      'Whoever has the host, the database or the root key needs no credential.',
    ],
  };
}

/** @returns `active`, `revoked` or `expired` */
export function stateOf({ revokedMs, expiresMs }: GrantedKey, nowMs: number): 'active' | 'revoked' | 'expired' {
  if (revokedMs !== null) return 'revoked';
  return expiresMs !== null && expiresMs <= nowMs ? 'expired' : 'active';
}

function compare(granted: ReadonlyMap<string, GrantedKey>, known: readonly KnownKey[]): string[] {
  const findings: string[] = [];
  const stored = new Set(known.map(({ id }) => id));
  for (const key of known) {
    const told = granted.get(key.id);
    if (told === undefined) findings.push(`Key ${key.id} of ${key.tenant} works, and no entry tells of it.`);
    else if (key.tenant !== told.tenant || key.roles.toSorted().join() !== told.roles.toSorted().join())
      findings.push(`Key ${key.id} works as ${key.roles.join(' ')} of ${key.tenant}, its entry says ${told.roles.join(' ')} of ${told.tenant}.`); // prettier-ignore
    else if (key.revokedMs === null && told.revokedMs !== null)
      findings.push(`Key ${key.id} was revoked by an entry and still works.`);
    else if (key.revokedMs !== null && told.revokedMs === null)
      findings.push(`Key ${key.id} was revoked, and no entry tells of it.`);
    else if (key.expiresMs !== told.expiresMs)
      findings.push(`Key ${key.id} expires at another time than its entry says.`);
  }
  // A crash between the entry and its effect leaves an entry about a key that never was.
  for (const { id, revokedMs } of granted.values())
    if (!stored.has(id) && revokedMs === null) findings.push(`Key ${id} has an entry, and there is no such key.`);
  return findings;
}

const REVIEW_MS = 365 * 86_400_000;

function overdue(granted: ReadonlyMap<string, GrantedKey>, nowMs: number): string[] {
  return [...granted.values()]
    .filter((key) => stateOf(key, nowMs) === 'active' && key.expiresMs === null && nowMs - key.createdMs > REVIEW_MS)
    .map(({ id }) => `Key ${id} is older than a year and never expires.`);
}
