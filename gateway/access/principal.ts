/** Who is calling, as every later stage sees it. Made by authentication only. */

/** Order of rising privilege is not implied: what a role may do is decided by policy at `admin.<verb>`. */
export const ROLES = [
  'caller',
  'policy-author',
  'policy-approver',
  'approver',
  'auditor',
  'finance',
  'key-admin',
  'tenant-admin',
] as const;

export type Role = (typeof ROLES)[number];

/** Tenant of principals that administer the whole deployment; such a principal can call no model. */
export const DEPLOYMENT_TENANT = '_deployment';

export interface Principal {
  readonly tenant: string;
  readonly type: 'user' | 'service';
  /** `key:<key id>` or `<issuer name>:<subject>`: the prefix keeps the two name spaces, and issuers, apart. */
  readonly id: string;
  readonly credential: 'api_key' | 'jwt';
  readonly keyId: string | null;
  readonly roles: readonly Role[];
  readonly groups: readonly string[];
  /** On-behalf-of chain (RFC 8693 `act`), nearest actor first. */
  readonly actors: readonly string[];
  readonly agent: { readonly id: string } | null;
  /** null = all models of the tenant. */
  readonly models: readonly string[] | null;
  readonly claims: Readonly<Record<string, string>>;
  readonly assurance: string | null;
  /** Ledger scopes that have limits: `org`, `tenant:<id>`, `key:<id>`. */
  readonly budgetScopes: readonly string[];
}

export function isRole(value: string): value is Role {
  return (ROLES as readonly string[]).includes(value);
}

/**
 * Roles whose granting takes a second person. Beside the administrative roles: `approver`, because whoever can make an
 * approver alone has no second person, and `auditor`, because whoever manages keys may not read what was said.
 */
export const PRIVILEGED_ROLES: readonly Role[] = [
  'key-admin',
  'policy-approver',
  'tenant-admin',
  'approver',
  'auditor',
];

/** Pairs nobody holds at once (separation of duties). */
export const CONFLICTS: readonly (readonly [Role, Role])[] = [
  ['policy-author', 'policy-approver'],
  ['key-admin', 'auditor'],
];

/** The first pair of roles that one principal may not hold together, or null. */
export function conflictingRoles(roles: readonly Role[]): readonly [Role, Role] | null {
  return CONFLICTS.find(([a, b]) => roles.includes(a) && roles.includes(b)) ?? null;
}
