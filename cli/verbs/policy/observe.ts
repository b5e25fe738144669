import { beginObserving, endObserving } from '../../../gateway/governance/desk.ts';
import { CliError } from '../../errors.ts';
import { atDesk, governedAnswer, TENANT, tenantOf, untilOf } from '../../governance-desk.ts';
import type { Answer, Verb, VerbContext } from '../../verb.ts';

function run(context: VerbContext): Promise<Answer> {
  const { args } = context;
  const tenant = tenantOf(context);
  if (args.flag('end')) {
    return atDesk(context, async (desk, by) => {
      await endObserving(desk, tenant, by);
      return { exit: 0, data: { tenant, observing_until: null }, text: `Denials are applied again for ${tenant}.` };
    });
  }
  const untilMs = untilOf(context);
  const reason = args.text('reason');
  if (reason === null) throw new CliError('usage', '--reason: expected a text, found nothing.');
  return atDesk(context, async (desk, by) => {
    const until = new Date(untilMs).toISOString();
    return governedAnswer(await beginObserving(desk, { tenant, untilMs, reason }, by), {
      data: { tenant, observing_until: until },
      text: `${tenant} observes until ${until}: denials are recorded and not applied.`,
    });
  });
}

export const observe: Verb = {
  path: ['policy', 'observe'],
  summary:
    'Lets a tenant only observe for a while: what would be stopped goes on and is recorded. Takes a second person.',
  options: {
    tenant: TENANT,
    until: { value: 'TIME', help: 'End, e.g. 2026-12-01; at most 92 days from now. Required without --end.' },
    reason: { value: 'TEXT', help: 'Kept with the evidence. Required without --end.' },
    end: { help: 'Ends it now, without a second person.' },
  },
  example: 'countersign policy observe --tenant demo --until 2026-12-01 --reason onboarding',
  details:
    'Undecided calls, kill switches and budgets still stop, and every redaction is still performed. "policy report" says what would have been blocked.',
  run,
};
