/** What the verbs about releases, waivers and kill switches share: a desk with evidence, and the answer to a wish for two. */
import type { ApprovalRequest, Party } from '../approvals/index.ts';
import { ApprovalError } from '../approvals/index.ts';
import { GatewayError } from '../gateway/errors.ts';
import type { Governed, GovernanceStore } from '../gateway/governance/desk.ts';
import { DEPLOYMENT } from '../ledger/index.ts';
import { withDatabase } from './database.ts';
import { CliError } from './errors.ts';
import { operator, operatorParty, withKeyDesk } from './key-desk.ts';
import type { Answer, Json, OptionSpec, VerbContext } from './verb.ts';

export const TENANT: OptionSpec = { value: 'ID', help: 'Tenant it is about.', required: true };
export const REASON: OptionSpec = { value: 'TEXT', help: 'Kept with the evidence; name nobody in it.', required: true };
export const UNTIL: OptionSpec = {
  value: 'TIME',
  help: 'End, e.g. 2026-12-01 or 2026-12-01T18:00:00Z.',
  required: true,
};

/** Runs work with the database, a ledger of its own, and whoever has the command line as the one who asks. */
export function atDesk(
  context: VerbContext,
  work: (desk: GovernanceStore, by: Party) => Promise<Answer>,
): Promise<Answer> {
  const config = context.project.config();
  const by = operatorParty(operator());
  return withDatabase(context, config, (database) =>
    withKeyDesk(context, config, database, (desk) => work(desk, by).catch(explainRefusal)),
  );
}

/** What the gateway would answer an administrator, as exit codes. */
export function explainRefusal(error: unknown): never {
  if (error instanceof ApprovalError) throw new CliError('check_failed', error.message, { cause: error });
  if (!(error instanceof GatewayError) || error.status >= 500) throw error;
  throw new CliError(error.code === 'invalid_request' ? 'usage' : 'check_failed', error.message, { cause: error });
}

/** `--tenant`, one of the configuration. @throws CliError `not_found` */
export function tenantOf(context: VerbContext): string {
  return knownTenant(context, context.args.required('tenant'));
}

/** `--tenant`, or all of them. */
export function tenantOrAll(context: VerbContext): string {
  const tenant = context.args.text('tenant');
  return tenant === null ? DEPLOYMENT : knownTenant(context, tenant);
}

function knownTenant({ project }: VerbContext, tenant: string): string {
  if (project.config().tenants.has(tenant)) return tenant;
  throw new CliError('not_found', `Expected a tenant of the configuration, found "${tenant.slice(0, 41)}".`);
}

/** `--until` as unix ms. @throws CliError `usage` */
export function untilOf({ args }: VerbContext): number {
  const text = args.required('until');
  const form = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2}))?$/;
  const ms = form.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw new CliError('usage', `--until: expected a date, or a time with its zone, found "${text.slice(0, 40)}".`);
}

/** Exit code 1 and the approval while a second person has to say yes. */
export function governedAnswer(result: Governed<object>, done: { readonly data: Json; readonly text: string }): Answer {
  return result.outcome === 'pending' ? pendingAnswer(result.request) : { exit: 0, ...done };
}

/** What the second person types, and what comes after it. */
export function pendingAnswer(
  { id, expiresMs }: ApprovalRequest,
  { approve = 'approvals approve', after = 'Then run the same command again.' } = {},
): { readonly exit: 1; readonly data: { readonly pending: string; readonly expires: string }; readonly text: string } {
  const until = new Date(expiresMs).toISOString();
  const text = `A second person has to approve this until ${until}: countersign ${approve} ${id}\n${after}`;
  return { exit: 1, data: { pending: id, expires: until }, text };
}
