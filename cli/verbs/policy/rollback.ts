import { endShadow, rollback as rollBack } from '../../../gateway/governance/release-desk.ts';
import { atDesk, REASON, TENANT, tenantOf } from '../../governance-desk.ts';
import type { Answer, Verb, VerbContext } from '../../verb.ts';

function run(context: VerbContext): Promise<Answer> {
  const { args } = context;
  const tenant = tenantOf(context);
  const [bundle = ''] = args.positionals;
  const reason = args.required('reason');
  return atDesk(context, async (desk, by) => {
    if (args.flag('shadow')) {
      await endShadow(desk, { tenant, bundle }, by);
      return { exit: 0, data: { tenant, bundle, shadow: null }, text: `No candidate of ${bundle} is tried any more.` };
    }
    const digest = await rollBack(desk, { tenant, bundle, reason }, by);
    const now = digest ?? 'what the configuration names';
    return { exit: 0, data: { tenant, bundle, digest }, text: `${bundle} for ${tenant} is back at ${now}.` };
  });
}

export const rollback: Verb = {
  path: ['policy', 'rollback'],
  summary: 'Goes back to the version of a bundle that was in force before, at once and without a second person.',
  positionals: ['BUNDLE'],
  options: {
    tenant: TENANT,
    reason: REASON,
    shadow: { help: 'Ends the trial of a candidate instead.' },
  },
  example: 'countersign policy rollback my-policies --tenant demo --reason "denies invoices"',
  run,
};
