/** The principal an API key stands for under a configuration. */
import type { Config } from '../config.ts';
import { budgetScopes } from './budget-scopes.ts';
import type { ApiKey } from './keys.ts';
import type { Principal } from './principal.ts';
import { DEPLOYMENT_TENANT } from './principal.ts';

/** Null when the key's tenant is not configured (any more): the key then opens nothing. */
export function principalOfKey(config: Config, key: ApiKey): Principal | null {
  if (key.tenant !== DEPLOYMENT_TENANT && !config.tenants.has(key.tenant)) return null;
  return {
    tenant: key.tenant,
    type: 'service',
    id: `key:${key.id}`,
    credential: 'api_key',
    keyId: key.id,
    roles: key.roles,
    groups: key.groups,
    actors: [],
    agent: key.agent === null ? null : { id: key.agent },
    models: key.models,
    claims: {},
    assurance: null,
    budgetScopes: budgetScopes(config, key.tenant, key),
  };
}
