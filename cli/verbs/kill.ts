import { releaseSwitch, throwSwitch, wholeState } from '../../gateway/governance/desk.ts';
import { stateAnswer } from '../../gateway/ingress/admin/governance-answer.ts';
import { DEPLOYMENT } from '../../ledger/index.ts';
import { openKeys, withDatabase } from '../database.ts';
import { CliError } from '../errors.ts';
import { atDesk, governedAnswer, REASON, tenantOrAll } from '../governance-desk.ts';
import type { Answer, Arguments, Json, Verb, VerbContext } from '../verb.ts';

const KINDS = ['agent', 'model', 'tool'] as const;
const TENANT = { value: 'ID', help: 'Tenant it is about. Absent: all tenants.' } as const;

function throwIt(context: VerbContext): Promise<Answer> {
  const tenant = tenantOrAll(context);
  const wish = { tenant, ...targetOf(context.args), reason: context.args.required('reason') };
  return atDesk(context, async (desk, by) => {
    const id = await throwSwitch(desk, wish, by);
    return { exit: 0, data: { id }, text: `${id} is thrown: every gateway stops it within 5 seconds.` };
  });
}

/** One of --agent, --model, --tool; none of them is the tenant itself. */
function targetOf(args: Arguments): { kind: 'tenant' | (typeof KINDS)[number]; target: string } {
  const named = KINDS.flatMap((kind) => {
    const target = args.text(kind);
    return target === null ? [] : [{ kind, target }];
  });
  const [only] = named;
  if (named.length > 1) throw new CliError('usage', 'Expected one of --agent, --model and --tool, found several.');
  return only ?? { kind: 'tenant', target: '' };
}

/** What stops a tenant: its own switches and those of all tenants; without a tenant everything that is stopped. */
function list(context: VerbContext): Promise<Answer> {
  const asked = tenantOrAll(context);
  const config = context.project.config();
  return withDatabase(context, config, async ({ sql }) => {
    const states = await wholeState({ sql, keys: await openKeys(context, config, sql) });
    const about = [...states].filter(([tenant]) => asked === DEPLOYMENT || tenant === DEPLOYMENT || tenant === asked);
    const rows = about.flatMap(([tenant, state]) => {
      const { switches } = stateAnswer(state, context.now());
      return (switches as unknown as Record<string, string>[]).map((row) => ({ tenant, ...row }));
    });
    const text = rows.map(lineOf).join('\n');
    return { exit: 0, data: rows as Json, text: text === '' ? 'No switch is thrown.' : text };
  });
}

function lineOf({ tenant, id, kind, target, since, reason }: Readonly<Record<string, string>>): string {
  return [id, tenant === DEPLOYMENT ? 'all tenants' : tenant, kind, target, since, reason].join('  ');
}

function release(context: VerbContext): Promise<Answer> {
  const tenant = tenantOrAll(context);
  const [id = ''] = context.args.positionals;
  const reason = context.args.required('reason');
  return atDesk(context, async (desk, by) =>
    governedAnswer(await releaseSwitch(desk, { tenant, id, reason }, by), {
      data: { released: id },
      text: `${id} is released: what it stopped goes on.`,
    }),
  );
}

export const verbs: readonly Verb[] = [
  {
    path: ['kill', 'throw'],
    summary: 'Stops a tenant, an agent, a model or a tool everywhere within 5 seconds. One person is enough.',
    options: {
      tenant: TENANT,
      agent: { value: 'ID', help: 'This agent, also on behalf of others.' },
      model: { value: 'NAME', help: 'This model, by the name callers use, or a deployment (provider/model).' },
      tool: { value: 'NAME', help: 'This tool: taken out of requests, its calls withheld.' },
      reason: REASON,
    },
    example: 'countersign kill throw --tenant demo --agent invoice-bot --reason "wires money twice"',
    details:
      'Without --agent, --model and --tool the tenant itself is stopped; without --tenant as well, every tenant.',
    run: throwIt,
  },
  {
    path: ['kill', 'list'],
    summary: 'Lists the switches that are thrown, for whom, and why.',
    options: { tenant: { value: 'ID', help: 'Only those that stop this tenant.' } },
    example: 'countersign kill list --tenant demo',
    run: list,
  },
  {
    path: ['kill', 'release'],
    summary: 'Lets what was stopped go on, with the approval of a second person.',
    positionals: ['ID'],
    options: { tenant: TENANT, reason: REASON },
    example: 'countersign kill release ks-0f3a5c7e9b1d2f400f3a5c7e9b1d2f40 --tenant demo --reason "fixed"',
    run: release,
  },
];
