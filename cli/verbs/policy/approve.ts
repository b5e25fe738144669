import { ADMIN_OPTIONS, askAdministration } from '../../admin-client.ts';
import type { Answer, Verb, VerbContext } from '../../verb.ts';
import { approvalId } from '../approvals.ts';

async function run(context: VerbContext): Promise<Answer> {
  const id = approvalId(context);
  await askAdministration(context, `/api/policy/releases/${id}/approve`, {});
  return {
    exit: 0,
    data: { released: id },
    text: `${id} is approved and carried out: every gateway has it within seconds.`,
  };
}

export const approve: Verb = {
  path: ['policy', 'approve'],
  summary: "Approves somebody else's release and carries it out.",
  positionals: ['ID'],
  options: ADMIN_OPTIONS,
  example: 'countersign policy approve ap-0f3a5c7e9b1d2f400f3a5c7e9b1d2f40 --key-file ./my.key',
  details:
    'Asks the running gateway, with a key that has the role policy-approver. "approvals list" shows the digests it is about.\n' +
    'Exit code 1: it is your own request, you lack the role, or it was decided or ran out before.',
  run,
};
