/**
 * From the claims of a verified token to a principal, by the mapping of its issuer. Trust boundary: the signature says
 * who wrote the claims, not that they are small or well formed.
 */
import type { JWTPayload } from 'jose';
import type { Config, JwtIssuer } from '../config.ts';
import { budgetScopes } from './budget-scopes.ts';
import { DEPLOYMENT_TENANT, type Principal, type Role } from './principal.ts';

const MAX_TEXT = 256;
const MAX_LIST = 64;
const MAX_ACTORS = 8;

/** A claim that does not fit the mapping; the text names the claim, never its value. */
export interface ClaimProblem {
  readonly problem: string;
}

export function principalFromClaims(
  payload: JWTPayload,
  issuer: JwtIssuer,
  config: Pick<Config, 'organisation' | 'tenants' | 'issuers'>,
): Principal | ClaimProblem {
  const subject = text(claim(payload, issuer.subjectClaim));
  if (subject === null) return { problem: `the claim ${issuer.subjectClaim} is missing or unusable` };
  const tenant = tenantOf(payload, issuer);
  if (tenant === null || (tenant !== DEPLOYMENT_TENANT && !config.tenants.has(tenant))) {
    return { problem: 'it names no tenant of this gateway' };
  }
  const roles = rolesOf(payload, issuer);
  const groups = issuer.groupsClaim === null ? [] : list(claim(payload, issuer.groupsClaim));
  const actors = actorsOf(payload['act'], issuer, config.issuers);
  if (roles === null || groups === null) return { problem: 'its roles or groups are malformed or too many' };
  if (actors === null) return { problem: 'its act claim is malformed or too deep' };
  const agent = issuer.agentClaim === null ? null : text(claim(payload, issuer.agentClaim));
  return {
    tenant,
    type: issuer.type,
    id: `${issuer.name}:${subject}`,
    credential: 'jwt',
    keyId: null,
    roles,
    groups,
    actors,
    agent: agent === null ? null : { id: agent },
    models: null,
    claims: scalars(payload, issuer.claims),
    assurance: text(payload['acr']),
    budgetScopes: budgetScopes(config, tenant, null),
  };
}

/** A claim by its exact name, else by a dotted path of own members. */
function claim(payload: JWTPayload, path: string): unknown {
  if (Object.hasOwn(payload, path)) return payload[path];
  let value: unknown = payload;
  for (const step of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

function text(value: unknown): string | null {
  // Control characters have no place in an identity and would only help to disguise one.
  return typeof value === 'string' && value !== '' && value.length <= MAX_TEXT && !/\p{Cc}/u.test(value) ? value : null;
}

/** A list of strings or one space-separated string; null when malformed or too long; absent is empty. */
function list(value: unknown): string[] | null {
  if (value === undefined) return [];
  const items: unknown[] | null = Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? value.split(' ').filter(Boolean)
      : null;
  if (items === null || items.length > MAX_LIST) return null;
  const texts = items.map(text);
  return texts.every((item) => item !== null) ? texts : null;
}

function tenantOf(payload: JWTPayload, { tenant }: JwtIssuer): string | null {
  if ('fixed' in tenant) return tenant.fixed;
  const value = text(claim(payload, tenant.claim));
  if (value === null) return null;
  if (tenant.map !== null) return tenant.map.get(value) ?? null;
  // Without a map nobody becomes an administrator of the deployment by the value of a claim.
  return value === DEPLOYMENT_TENANT ? null : value;
}

function rolesOf(payload: JWTPayload, issuer: JwtIssuer): Role[] | null {
  const values = issuer.rolesClaim === null ? [] : list(claim(payload, issuer.rolesClaim));
  if (values === null) return null;
  return [...new Set([...issuer.defaultRoles, ...values.flatMap((value) => issuer.roleMap.get(value) ?? [])])];
}

/** RFC 8693 §4.1: nested `act`, the outermost is the current actor. */
function actorsOf(act: unknown, issuer: JwtIssuer, issuers: readonly JwtIssuer[]): string[] | null {
  const actors: string[] = [];
  for (let actor = act; actor !== undefined;) {
    if (typeof actor !== 'object' || actor === null || actors.length >= MAX_ACTORS) return null;
    const subject = text(Reflect.get(actor, 'sub'));
    const other: unknown = Reflect.get(actor, 'iss');
    if (subject === null || (other !== undefined && text(other) === null)) return null;
    const named = other === undefined ? issuer : issuers.find((candidate) => candidate.issuer === other);
    actors.push(named === undefined ? `${String(other)}#${subject}` : `${named.name}:${subject}`);
    actor = Reflect.get(actor, 'act');
  }
  return actors;
}

function scalars(payload: JWTPayload, names: readonly string[]): Record<string, string> {
  const found: [string, string][] = [];
  for (const name of names) {
    const value = claim(payload, name);
    const shown = typeof value === 'number' || typeof value === 'boolean' ? String(value) : text(value);
    if (shown !== null) found.push([name, shown]);
  }
  return Object.fromEntries(found);
}
