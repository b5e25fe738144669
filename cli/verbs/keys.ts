import { nusdFromUsd } from '../../costs/index.ts';
import { grantKey, type GrantResult } from '../../gateway/access/grant.ts';
import { listKeys, revokeKey, wasEverGranted, KEY_PAGE, type ApiKey, type KeyWish } from '../../gateway/access/keys.ts';
import { DEPLOYMENT_TENANT, isRole, ROLES, type Role } from '../../gateway/access/principal.ts';
import type { Config } from '../../gateway/config.ts';
import { withDatabase, type OpenDatabase } from '../database.ts';
import { CliError } from '../errors.ts';
import { pendingAnswer } from '../governance-desk.ts';
import { operator, operatorParty, withKeyDesk, type KeyDesk } from '../key-desk.ts';
import type { Answer, Arguments, Json, Verb, VerbContext } from '../verb.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const FIRST_APPROVER = 'countersign keys create --tenant _deployment --roles approver';

function create(context: VerbContext): Promise<Answer> {
  const config = context.project.config();
  const wish = readWish(context.args, config, context.now());
  const by = operatorParty(operator());
  return withDatabase(context, config, async (database) => {
    return withKeyDesk(context, config, database, async (desk) => {
      const granted = await grantKey(desk, wish, by);
      return created(granted, granted.outcome === 'pending' ? await firstApproverHint(desk) : '');
    });
  });
}

/** Who stands alone does not find out by waiting that somebody has to be the first. */
async function firstApproverHint({ sql, approversByToken }: KeyDesk): Promise<string> {
  if (approversByToken() || (await wasEverGranted(sql, DEPLOYMENT_TENANT, 'approver'))) return '';
  return `\nNobody can approve yet. Make the first approver, which takes no second person, and give its key to somebody else: ${FIRST_APPROVER}`;
}

function created(result: GrantResult, hint: string): Answer {
  if (result.outcome === 'pending') {
    const pending = pendingAnswer(result.request);
    return { ...pending, text: `${pending.text}${hint}` };
  }
  const { key, token } = result.created;
  const text = `${token}\nThis is the only time the key is shown. Its id is ${key.id}.`;
  return { exit: 0, data: { id: key.id, key: token, ...publicKey(key) }, text };
}

/** @throws CliError `usage`, `not_found` */
function readWish(args: Arguments, config: Config, nowMs: number): KeyWish {
  const days = args.text('expires-days');
  return {
    tenant: knownTenant(args.required('tenant'), config),
    name: bounded('--name', args.text('name') ?? 'unnamed', 100),
    agent: args.text('agent') === null ? null : bounded('--agent', args.text('agent') ?? '', 100),
    models: readModels(args, config),
    roles: readRoles(args.text('roles') ?? 'caller'),
    groups: list(args.text('groups')),
    budget: { dailyNusd: null, weeklyNusd: null, monthlyNusd: readUsd(args.text('monthly-usd')) },
    expiresMs: days === null ? null : nowMs + readDays(days) * DAY_MS,
  };
}

function knownTenant(tenant: string, config: Config): string {
  if (config.tenants.has(tenant) || tenant === DEPLOYMENT_TENANT) return tenant;
  const known = [...config.tenants.keys(), DEPLOYMENT_TENANT].join(', ');
  throw new CliError('not_found', `Expected a tenant of the configuration (${known}), found "${tenant.slice(0, 41)}".`);
}

function readModels(args: Arguments, config: Config): readonly string[] | null {
  if (args.text('models') === null) return null;
  const models = list(args.text('models'));
  const unknown = models.find((model) => !config.models.has(model));
  if (unknown === undefined) return models;
  throw new CliError(
    'not_found',
    `Expected models of the configuration (${[...config.models.keys()].join(', ')}), found "${unknown.slice(0, 100)}".`,
  );
}

function readRoles(text: string): readonly Role[] {
  const words = list(text);
  const roles = words.filter(isRole);
  if (roles.length === words.length && roles.length > 0) return roles;
  throw new CliError('usage', `--roles: expected some of ${ROLES.join(', ')}, found "${text.slice(0, 100)}".`);
}

function readUsd(text: string | null): bigint | null {
  if (text === null) return null;
  if (/^\d{1,9}(\.\d{1,9})?$/.test(text)) return nusdFromUsd(text);
  throw new CliError('usage', `--monthly-usd: expected a decimal like 50 or 0.25, found "${text.slice(0, 40)}".`);
}

function readDays(text: string): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= 3650) return days;
  throw new CliError('usage', `--expires-days: expected a whole number from 1 to 3650, found "${text.slice(0, 40)}".`);
}

function bounded(name: string, text: string, max: number): string {
  if (text.length >= 1 && text.length <= max) return text;
  throw new CliError('usage', `${name}: expected 1 to ${String(max)} characters, found ${String(text.length)}.`);
}

function list(text: string | null): string[] {
  return (text ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

function iso(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

/** Everything of a key but its secret. */
function publicKey(key: ApiKey): { readonly [name: string]: Json } {
  return {
    tenant: key.tenant,
    name: key.name,
    agent: key.agent,
    models: key.models,
    roles: key.roles,
    groups: key.groups,
    monthly_nusd: key.budget.monthlyNusd?.toString() ?? null,
    created: iso(key.createdMs),
    created_by: key.createdBy,
    expires: key.expiresMs === null ? null : iso(key.expiresMs),
    revoked: key.revokedMs === null ? null : iso(key.revokedMs),
  };
}

function listAll(context: VerbContext): Promise<Answer> {
  const config = context.project.config();
  return withDatabase(context, config, async (database) => {
    const keys = await readAll(database, context.args.text('tenant'));
    const rows = keys.map(
      (key) => `${key.id}  ${key.tenant}  ${key.roles.join(',')}  ${state(key, context.now())}  ${key.name}`,
    );
    const text = keys.length === 0 ? 'No keys.' : rows.join('\n');
    return {
      exit: 0,
      data: keys.map((key) => ({ id: key.id, ...publicKey(key), state: state(key, context.now()) })),
      text,
    };
  });
}

async function readAll({ sql }: OpenDatabase, tenant: string | null): Promise<ApiKey[]> {
  const all: ApiKey[] = [];
  for (;;) {
    const page = await listKeys(sql, { tenant, after: all.at(-1)?.id ?? '' });
    all.push(...page);
    if (page.length < KEY_PAGE) return all;
  }
}

function state(key: ApiKey, nowMs: number): 'active' | 'expired' | 'revoked' {
  if (key.revokedMs !== null) return 'revoked';
  return key.expiresMs !== null && key.expiresMs <= nowMs ? 'expired' : 'active';
}

function revoke(context: VerbContext): Promise<Answer> {
  const config = context.project.config();
  const id = context.args.positionals[0] ?? '';
  const wanted = { id, tenant: null, by: operator(), reason: context.args.text('reason') };
  return withDatabase(context, config, async (database) => {
    const key = await withKeyDesk(context, config, database, (desk) => revokeKey(desk.sql, desk, wanted));
    if (key === null)
      throw new CliError(
        'not_found',
        `Expected the id of a key (see "countersign keys list"), found "${id.slice(0, 20)}".`,
      );
    return {
      exit: 0,
      data: { id: key.id, ...publicKey(key) },
      text: `Key ${key.id} is revoked; every process refuses it within 5 seconds.`,
    };
  });
}

export const verbs: readonly Verb[] = [
  {
    path: ['keys', 'create'],
    summary: 'Makes an API key and shows it once.',
    options: {
      tenant: {
        value: 'ID',
        help: `Tenant it belongs to; ${DEPLOYMENT_TENANT} for the whole deployment.`,
        required: true,
      },
      name: { value: 'TEXT', help: 'What it is for.' },
      roles: { value: 'LIST', help: `Comma-separated; default caller. Of ${ROLES.join(', ')}.` },
      models: { value: 'LIST', help: 'The only models it may use, comma-separated.' },
      agent: { value: 'ID', help: 'The agent that uses it.' },
      groups: { value: 'LIST', help: 'Groups of its user, comma-separated.' },
      'monthly-usd': { value: 'AMOUNT', help: 'Hard limit per calendar month.' },
      'expires-days': { value: 'N', help: 'Days until it stops working.' },
    },
    example: 'countersign keys create --tenant demo --json',
    details:
      'Administrative roles need the approval of an approver; without it the exit code is 1 and the approval is named.\n' +
      `The first approver of a deployment is made without: ${FIRST_APPROVER}`,
    run: create,
  },
  {
    path: ['keys', 'list'],
    summary: 'Lists keys without their secrets, revoked and expired ones too.',
    options: { tenant: { value: 'ID', help: 'Only keys of this tenant.' } },
    example: 'countersign keys list --tenant demo',
    run: listAll,
  },
  {
    path: ['keys', 'revoke'],
    summary: 'Revokes a key everywhere within 5 seconds.',
    positionals: ['ID'],
    options: { reason: { value: 'TEXT', help: 'Kept with the evidence.' } },
    example: 'countersign keys revoke k3mx0q2v9d1a --reason "left the team"',
    run: revoke,
  },
];
