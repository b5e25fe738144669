/** Where a deployment's calls go, worked out once per deployment object and not once per call. */
import type { Egress, EgressPool } from '../egress.ts';
import { GatewayError } from '../errors.ts';
import type { Deployment } from './upstream.ts';

export interface Target {
  readonly pool: EgressPool;
  readonly path: string;
  /** Headers that are the same for every call: name, value, … */
  readonly headers: readonly string[];
}

/**
 * @param suffix appended to the base URL's path, with its leading slash
 * @param headersOf the deployment's constant headers
 */
export function createTargets(
  egress: Egress,
  suffix: string,
  headersOf: (deployment: Deployment) => string[],
): (deployment: Deployment) => Target {
  const known = new WeakMap<Deployment, Target>();
  return (deployment) => {
    let target = known.get(deployment);
    if (target === undefined) {
      if (!URL.canParse(deployment.baseUrl)) {
        throw new GatewayError('upstream_error', `The base URL of provider ${deployment.provider} is not a URL.`);
      }
      const url = new URL(deployment.baseUrl);
      const path = url.pathname.replace(/\/+$/, '') + suffix + url.search;
      target = { pool: egress.pool('upstream', url.origin), path, headers: headersOf(deployment) };
      known.set(deployment, target);
    }
    return target;
  };
}
