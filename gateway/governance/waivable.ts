/** What the METADATA of a tenant's policies says about a waiver before anybody has to approve it. */
import type { RuleMetadata } from '../../policies/index.ts';
import { GatewayError } from '../errors.ts';

/** Severity of rules that no waiver lifts. */
const NEVER_LIFTED = 'critical';

/**
 * A waiver of a rule that does not exist, or that is never lifted, would do nothing; whoever needs it should hear so at once.
 * `bundles` are the rules of each of the tenant's policies; null when they could not be read, and then nothing is refused.
 *
 * @throws GatewayError `invalid_request`
 */
export function requireWaivable(rule: string, bundles: readonly (readonly RuleMetadata[])[] | null): void {
  if (bundles === null) return;
  const named = bundles.map((rules) => rules.filter(({ id }) => id !== null));
  const found = named.flat().filter(({ id }) => id === rule);
  if (found.some(({ severity }) => severity === NEVER_LIFTED)) {
    throw refused(`Expected a rule that a waiver may lift, found ${rule}, which is ${NEVER_LIFTED}.`);
  }
  // A bundle without any id may call its rules as it likes.
  if (found.length > 0 || named.some((rules) => rules.length === 0)) return;
  throw refused("Expected a rule of the tenant's policies, as the reasons of a denial name it, found another name.");
}

function refused(message: string): GatewayError {
  return new GatewayError('invalid_request', message, { param: 'rule' });
}
