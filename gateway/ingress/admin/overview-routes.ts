/** What is configured and in force. */
import type { JsonValue } from '../../../ledger/index.ts';
import type { Tenant } from '../../config.ts';
import { GatewayError } from '../../errors.ts';
import { answer, route, type AdminRoute } from './route.ts';

export const OVERVIEW_ROUTES: readonly AdminRoute[] = [
  route({
    method: 'GET',
    path: '/api/tenants',
    verb: 'tenants.read',
    summary: 'The configured tenants.',
    answers: { 200: 'The tenants.' },
    evidence: 'access',
    handle: ({ deps, scope }) => {
      const tenants = [...deps.current().config.tenants.values()].filter(({ id }) => scope === null || id === scope);
      return Promise.resolve(answer({ tenants: tenants.map(tenantAnswer) }));
    },
  }),
  route({
    method: 'GET',
    path: '/api/policy',
    verb: 'policy.status',
    summary: 'The policy bundles in force, by tenant, with their digests.',
    answers: { 200: 'The bundles.' },
    evidence: 'access',
    handle: ({ deps, scope }) => {
      const { bundles, pdp, configDigest } = deps.current();
      const visible = [...bundles].filter(([tenant]) => scope === null || tenant === scope);
      return Promise.resolve(
        answer({
          tenants: visible.map(([tenant, identities]) => ({
            tenant,
            bundles: identities.map((identity) => ({ ...identity })),
          })),
          combiner: pdp.combinerVersion,
          runtime: pdp.runtime,
          config: configDigest,
        }),
      );
    },
  }),
  route({
    method: 'GET',
    path: '/api/config',
    verb: 'config.read',
    summary: 'The configuration in force without its secrets.',
    answers: { 200: 'The configuration and its digest.', 403: 'It names other tenants than yours.' },
    evidence: 'access',
    handle: ({ deps, scope }) => {
      if (scope !== null) {
        throw new GatewayError(
          'not_allowed',
          'The configuration covers every tenant; it takes a key of the deployment.',
        );
      }
      const { config, configDigest } = deps.current();
      return Promise.resolve(answer({ digest: configDigest, config: config.printable }));
    },
  }),
];

function tenantAnswer({ id, name, policies, models, region, frameworks, labels }: Tenant): JsonValue {
  return {
    id,
    name,
    policies: [...policies],
    models: models === null ? null : [...models],
    region,
    frameworks: [...frameworks],
    labels: { ...labels },
  };
}
