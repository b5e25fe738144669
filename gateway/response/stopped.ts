/** Turns a decision that stops the call into the error its caller sees. "Denied" and "could not decide" stay apart. */
import type { Undecided, UnitedDecision } from '../../policies/index.ts';
import { GatewayError } from '../errors.ts';

export function stopped(result: UnitedDecision | Undecided): GatewayError | null {
  if ('outcome' in result) {
    return new GatewayError(
      'policy_unavailable',
      'The policies could not decide this call, so it was stopped. An administrator finds the reason in the ledger.',
    );
  }
  if (result.effect === 'deny') {
    const message = result.user_message === '' ? 'This call is not allowed by policy.' : result.user_message;
    const path = result.reasons[0]?.path ?? '';
    return new GatewayError('policy_denied', message, path === '' ? {} : { param: path });
  }
  if (result.effect === 'require_approval') {
    return new GatewayError(
      'approval_required',
      result.user_message === '' ? 'This call needs an approval first.' : result.user_message,
    );
  }
  return null;
}
