import {
  breakGlass,
  endWaiver,
  makeWaiver,
  MAX_BREAK_GLASS_MINUTES,
  reviewGlass,
  tenantState,
} from '../../gateway/governance/desk.ts';
import { stateAnswer } from '../../gateway/ingress/admin/governance-answer.ts';
import { requireWaivable } from '../../gateway/governance/waivable.ts';
import { openKeys, withDatabase } from '../database.ts';
import { CliError } from '../errors.ts';
import { atDesk, governedAnswer, REASON, TENANT, tenantOf, UNTIL, untilOf } from '../governance-desk.ts';
import { tenantRules } from '../tenant-rules.ts';
import type { Answer, Json, OptionSpec, Verb, VerbContext } from '../verb.ts';

const RULE: OptionSpec = {
  value: 'RULE',
  help: 'The rule whose objection is lifted, as decisions name it.',
  required: true,
};
const SCOPE: OptionSpec = {
  value: 'SCOPE',
  help: 'agent:<id>, principal:<id> or model:<name>. Default: the whole tenant.',
};

function wishOf({ args }: VerbContext): { rule: string; scope: string; reason: string } {
  const scope = args.text('scope') ?? 'tenant';
  if (!/^(?:tenant|(?:agent|principal|model):.{1,256})$/.test(scope)) {
    throw new CliError('usage', '--scope: expected agent:<id>, principal:<id> or model:<name>, found another form.');
  }
  return { rule: args.required('rule'), scope, reason: args.required('reason') };
}

function make(context: VerbContext): Promise<Answer> {
  const wish = { tenant: tenantOf(context), ...wishOf(context), untilMs: untilOf(context) };
  return atDesk(context, async (desk, by) => {
    requireWaivable(wish.rule, await tenantRules(context, desk, wish.tenant));
    const result = await makeWaiver(desk, wish, by);
    const id = result.outcome === 'done' ? result.id : '';
    const until = new Date(wish.untilMs).toISOString();
    return governedAnswer(result, { data: { id, until }, text: `${id} lifts ${wish.rule} until ${until}.` });
  });
}

function list(context: VerbContext): Promise<Answer> {
  const tenant = tenantOf(context);
  const config = context.project.config();
  return withDatabase(context, config, async ({ sql }) => {
    const keys = await openKeys(context, config, sql);
    const state = stateAnswer(await tenantState({ sql, keys }, tenant), context.now());
    const rows = (name: string): Record<string, string>[] => state[name] as unknown as Record<string, string>[];
    const lines = [
      ...rows('waivers').map(({ id, rule, scope, until, reason }) => [id, rule, scope, until, reason].join('  ')),
      ...rows('to_review').map(({ id, rule, by, reason }) => `to review: ${[id, rule, by, reason].join('  ')}`),
    ];
    const data = { waivers: rows('waivers'), to_review: rows('to_review') } as Json;
    return { exit: 0, data, text: lines.length === 0 ? 'Nothing is waived.' : lines.join('\n') };
  });
}

function end(context: VerbContext): Promise<Answer> {
  const tenant = tenantOf(context);
  const [id = ''] = context.args.positionals;
  return atDesk(context, async (desk, by) => {
    await endWaiver(desk, { tenant, id }, by);
    return { exit: 0, data: { ended: id }, text: `${id} is ended.` };
  });
}

function glass(context: VerbContext): Promise<Answer> {
  const tenant = tenantOf(context);
  const text = context.args.text('minutes') ?? '60';
  const minutes = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (minutes < 1 || minutes > MAX_BREAK_GLASS_MINUTES) {
    throw new CliError(
      'usage',
      `--minutes: expected 1 to ${String(MAX_BREAK_GLASS_MINUTES)}, found "${text.slice(0, 20)}".`,
    );
  }
  const wish = { tenant, ...wishOf(context), untilMs: context.now() + minutes * 60_000 };
  return atDesk(context, async (desk, by) => {
    requireWaivable(wish.rule, await tenantRules(context, desk, tenant));
    const id = await breakGlass(desk, wish, by);
    const until = new Date(wish.untilMs).toISOString();
    const review = 'It stays open until somebody else has reviewed it.';
    return { exit: 0, data: { id, until }, text: `${id} lifts ${wish.rule} until ${until}. ${review}` };
  });
}

function review(context: VerbContext): Promise<Answer> {
  const tenant = tenantOf(context);
  const [id = ''] = context.args.positionals;
  const finding = context.args.required('finding');
  return atDesk(context, async (desk, by) => {
    await reviewGlass(desk, { tenant, id, finding }, by);
    return { exit: 0, data: { reviewed: id }, text: `${id} is reviewed and ended.` };
  });
}

export const verbs: readonly Verb[] = [
  {
    path: ['waiver', 'make'],
    summary: 'Lifts the objection of one rule for a while, with the approval of a second person.',
    options: { tenant: TENANT, rule: RULE, scope: SCOPE, until: UNTIL, reason: REASON },
    example:
      'countersign waiver make --tenant demo --rule models.allow_list --scope model:gpt-4o --until 2026-12-01 --reason "pilot 7"',
    details:
      'Rules of severity critical cannot be waived; those about administration, and about what the library cannot read, are never\n' +
      'lifted. At most 366 days.',
    run: make,
  },
  {
    path: ['waiver', 'list'],
    summary: 'Lists the waivers in force, and broken glass that waits for its review.',
    options: { tenant: TENANT },
    example: 'countersign waiver list --tenant demo',
    run: list,
  },
  {
    path: ['waiver', 'end'],
    summary: 'Ends a waiver, or broken glass, before its time. Broken glass still waits for its review.',
    positionals: ['ID'],
    options: { tenant: TENANT },
    example: 'countersign waiver end wv-0f3a5c7e9b1d2f400f3a5c7e9b1d2f40 --tenant demo',
    run: end,
  },
  {
    path: ['waiver', 'break-glass'],
    summary: 'Lifts the objection of one rule at once, alone, for minutes; to be reviewed by somebody else afterwards.',
    options: {
      tenant: TENANT,
      rule: RULE,
      scope: SCOPE,
      minutes: { value: 'N', help: `How long; default 60, at most ${String(MAX_BREAK_GLASS_MINUTES)}.` },
      reason: REASON,
    },
    example: 'countersign waiver break-glass --tenant demo --rule residency.tenant --minutes 30 --reason "EU outage"',
    run: glass,
  },
  {
    path: ['waiver', 'review'],
    summary: 'Says what a look at broken glass found, and ends it. Not by whoever broke it.',
    positionals: ['ID'],
    options: { tenant: TENANT, finding: { value: 'TEXT', help: 'What was found.', required: true } },
    example: 'countersign waiver review bg-0f3a5c7e9b1d2f400f3a5c7e9b1d2f40 --tenant demo --finding "justified"',
    run: review,
  },
];
