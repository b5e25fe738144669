import type { Config } from '../../gateway/config.ts';
import { placeHold, requestRelease } from '../../gateway/ingress/admin/erasure-desk.ts';
import { readHolds, type Hold } from '../../ledger/index.ts';
import { withDatabase } from '../database.ts';
import { CliError } from '../errors.ts';
import { explainRefusal, pendingAnswer } from '../governance-desk.ts';
import { operator, operatorParty, withKeyDesk, withReading } from '../key-desk.ts';
import type { Answer, Arguments, Json, Verb, VerbContext } from '../verb.ts';

const TENANT = { value: 'ID', help: 'Tenant it is about.', required: true } as const;
const REASON = { value: 'TEXT', help: 'Kept with the evidence; name nobody in it.', required: true } as const;

function knownTenant(args: Arguments, config: Config): string {
  const tenant = args.required('tenant');
  if (config.tenants.has(tenant)) return tenant;
  throw new CliError('not_found', `Expected a tenant of the configuration, found "${tenant.slice(0, 41)}".`);
}

function add(context: VerbContext): Promise<Answer> {
  const { args } = context;
  const config = context.project.config();
  const wanted = {
    tenant: knownTenant(args, config),
    subject: args.text('subject'),
    by: operator(),
    reason: args.required('reason'),
  };
  return withDatabase(context, config, async (database) => {
    const id = await withKeyDesk(context, config, database, (desk) => placeHold(desk, wanted));
    return {
      exit: 0,
      data: { id },
      text: `Hold ${id} is in force: nothing it covers is erased until two people release it.`,
    };
  });
}

function list(context: VerbContext): Promise<Answer> {
  const config = context.project.config();
  const tenant = knownTenant(context.args, config);
  return withReading(context, { tenant, verb: 'holds.list' }, async ({ sql, keys }) => {
    const holds = await readHolds(sql, keys, tenant);
    const rows = holds.map((hold) => `${hold.id}  ${hold.scope}  ${since(hold)}  ${hold.by}  ${hold.reason}`);
    return { exit: 0, data: holds.map(holdData), text: rows.length === 0 ? 'No holds in force.' : rows.join('\n') };
  });
}

function release(context: VerbContext): Promise<Answer> {
  const { args } = context;
  const config = context.project.config();
  const [hold = ''] = args.positionals;
  const wanted = { tenant: knownTenant(args, config), hold, reason: args.required('reason') };
  return withDatabase(context, config, async (database) => {
    const by = operatorParty(operator());
    const result = await withKeyDesk(context, config, database, (desk) =>
      requestRelease(desk, wanted, by).catch(explainRefusal),
    );
    if (result.outcome === 'released')
      return { exit: 0, data: { released: holdData(result.hold) }, text: `Hold ${hold} is released.` };
    return pendingAnswer(result.request);
  });
}

function since({ sinceMs }: Hold): string {
  return new Date(sinceMs).toISOString();
}

function holdData(hold: Hold): { readonly [name: string]: Json } {
  const { id, scope, mac, by, reason } = hold;
  return { id, scope, person: mac, since: since(hold), by, reason };
}

export const verbs: readonly Verb[] = [
  {
    path: ['hold', 'add'],
    summary: 'Puts a legal hold on a tenant or on one caller: nothing of it is erased, not by retention either.',
    options: {
      tenant: TENANT,
      subject: { value: 'ID', help: 'Only what this caller called. Absent: the whole tenant.' },
      reason: REASON,
    },
    example: 'countersign hold add --tenant demo --reason "case 2026-114"',
    run: add,
  },
  {
    path: ['hold', 'list'],
    summary: 'Lists the legal holds in force.',
    options: { tenant: TENANT },
    example: 'countersign hold list --tenant demo',
    run: list,
  },
  {
    path: ['hold', 'release'],
    summary: 'Ends a legal hold, with the approval of a second person.',
    positionals: ['ID'],
    options: { tenant: TENANT, reason: REASON },
    example: 'countersign hold release hd-0f3a5c7e9b1d2f40 --tenant demo --reason "case closed"',
    run: release,
  },
];
