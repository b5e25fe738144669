import { ADMIN_OPTIONS, askAdministration } from '../admin-client.ts';
import { CliError } from '../errors.ts';
import type { Answer, Json, Verb, VerbContext } from '../verb.ts';

/** The second person: with a key of their own, through the administration listener, which knows who they are. */

const STATES = ['pending', 'approved', 'denied', 'expired', 'consumed'];

interface Listed {
  readonly id: string;
  readonly tenant: string | null;
  readonly action: string;
  readonly state: string;
  readonly requester: string;
  readonly expires_at: string;
  readonly subject: Json;
}

async function list(context: VerbContext): Promise<Answer> {
  const { args } = context;
  const query = new URLSearchParams();
  for (const name of ['state', 'tenant']) {
    const value = args.text(name);
    if (value !== null) query.set(name, value);
  }
  const answer = (await askAdministration(context, `/api/approvals?${query.toString()}`)) as { approvals: Listed[] };
  const lines = answer.approvals.map(
    ({ id, state, action, tenant, requester, expires_at: until, subject }) =>
      `${id}  ${state}  ${action}  ${tenant ?? 'all tenants'}  by ${requester}  until ${until}\n  ${JSON.stringify(subject)}`,
  );
  const text = lines.length === 0 ? 'Nothing was asked for.' : lines.join('\n');
  return { exit: 0, data: answer.approvals as unknown as Json, text };
}

function decide(verdict: 'approve' | 'deny'): (context: VerbContext) => Promise<Answer> {
  return async (context) => {
    const id = approvalId(context);
    const reason = context.args.text('reason');
    const body = reason === null ? {} : { reason };
    const data = (await askAdministration(context, `/api/approvals/${id}/${verdict}`, body)) as Json;
    const text =
      verdict === 'approve' ? `${id} is approved: whoever asked repeats the same step once.` : `${id} is denied.`;
    return { exit: 0, data, text };
  };
}

/** The first word. @throws CliError `usage` */
export function approvalId({ args }: VerbContext): string {
  const [id = ''] = args.positionals;
  if (/^ap-[0-9a-f]{32}$/.test(id)) return id;
  throw new CliError('usage', `Expected the id of an approval (ap- and 32 digits), found "${id.slice(0, 40)}".`);
}

const REASON = { value: 'TEXT', help: 'Kept with the evidence; name nobody in it.' } as const;

export const verbs: readonly Verb[] = [
  {
    path: ['approvals', 'list'],
    summary: 'Lists what was asked for and needs, or needed, a second person, newest first.',
    options: {
      state: { value: 'STATE', help: 'Only these.', choices: STATES },
      tenant: { value: 'ID', help: "Only of this tenant. Default: the key's own, or all." },
      ...ADMIN_OPTIONS,
    },
    example: 'countersign approvals list --state pending',
    details: 'Asks the running gateway, with a key that has the role approver, policy-approver or auditor.',
    run: list,
  },
  {
    path: ['approvals', 'approve'],
    summary: 'Approves exactly what somebody else asked for; they can then do it once.',
    positionals: ['ID'],
    options: { reason: REASON, ...ADMIN_OPTIONS },
    example: 'countersign approvals approve ap-0f3a5c7e9b1d2f400f3a5c7e9b1d2f40 --key-file ./my.key',
    details: 'Exit code 1: it is your own request, you lack the role, or it was decided or ran out before.',
    run: decide('approve'),
  },
  {
    path: ['approvals', 'deny'],
    summary: 'Denies what somebody else asked for.',
    positionals: ['ID'],
    options: { reason: REASON, ...ADMIN_OPTIONS },
    example: 'countersign approvals deny ap-0f3a5c7e9b1d2f400f3a5c7e9b1d2f40 --reason "not this month"',
    run: decide('deny'),
  },
];
