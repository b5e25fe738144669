/** One accepted token issuer as the file states it. */
import { z } from 'zod';
import { ROLES } from '../access/principal.ts';
import { endpoint, slug, tenantOrDeployment, text, whole } from './values.ts';

export const issuer = z.strictObject({
  name: slug.describe('Short name; principals of this issuer are called `<name>:<subject>`.'),
  issuer: endpoint.describe('Exact `iss` of its tokens.'),
  audience: z.array(text('An audience.', 512)).min(1).max(8).describe('Accepted `aud` values, compared exactly.'),
  jwks_uri: endpoint.optional().describe('Key set address. Absent: found by OpenID Connect discovery.'),
  algorithms: z
    .array(z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']))
    .min(1)
    .default(['RS256', 'PS256', 'ES256', 'EdDSA'])
    .describe('Accepted signature algorithms; unsigned and shared-secret tokens never are.'),
  clock_tolerance_s: whole(0, 300).default(60).describe('Accepted clock difference in seconds.'),
  max_age_s: whole(60, 86_400).default(43_200).describe('Oldest accepted `iat` in seconds.'),
  tenant: tenantOrDeployment
    .optional()
    .describe('Tenant of all its principals, or `_deployment`. Exactly one of `tenant` and `tenant_claim`.'),
  tenant_claim: text('Claim that holds the tenant, a dotted path.').optional(),
  tenant_map: z
    .record(z.string().max(256), slug)
    .optional()
    .describe('Claim value to tenant id. Absent: the value is the id.'),
  subject_claim: text('Claim that identifies the principal.').default('sub'),
  type: z.enum(['user', 'service']).default('user').describe('Kind of its principals.'),
  roles_claim: text('Claim with roles, a dotted path to a list or a space-separated string.').optional(),
  role_map: z
    .record(z.string().max(256), z.array(z.enum(ROLES)).min(1))
    .default({})
    .describe('Value in `roles_claim` to roles here; values not listed give nothing.'),
  default_roles: z.array(z.enum(ROLES)).default(['caller']).describe('Roles every principal of this issuer has.'),
  groups_claim: text('Claim with groups, a dotted path.').optional(),
  agent_claim: text('Claim with the agent id, a dotted path.').optional(),
  claims: z
    .array(text('A claim.'))
    .max(16)
    .default([])
    .describe('Claims handed to policies as `principal.claims` (scalars only).'),
});
