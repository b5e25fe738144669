/** Creating, listing and revoking API keys. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { setBudgetScope, type JsonValue } from '../../../ledger/index.ts';
import { approversByToken, grantKey, type GrantStore } from '../../access/grant.ts';
import { budgetFacts, listKeys, revokeKey, KEY_PAGE, type ApiKey, type KeyWish } from '../../access/keys.ts';
import { DEPLOYMENT_TENANT, ROLES } from '../../access/principal.ts';
import { nusdFromDecimal } from '../../config.ts';
import { GatewayError } from '../../errors.ts';
import type { AdminDeps } from './deps.ts';
import { answer, route, type AdminRoute } from './route.ts';

const text = z.string().min(1).max(200);
const usd = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,9})?$/, { error: 'expected US dollars as a decimal like "50" or "0.25"' });

const keyWish = z.strictObject({
  tenant: z.string().max(41).optional().describe('Tenant of the key, or `_deployment`. Default: your own.'),
  name: text.describe('What the key is for.'),
  agent: text.optional().describe('Id of the agent that uses it.'),
  models: z
    .array(z.string().min(1).max(128))
    .max(1000)
    .optional()
    .describe('Models it may use. Absent: all of the tenant.'),
  roles: z.array(z.enum(ROLES)).min(1).max(8).default(['caller']),
  groups: z.array(text).max(64).default([]),
  expires_at: z.iso.datetime().optional().describe('When it ends (UTC). Absent: never.'),
  budget: z
    .strictObject({ daily_usd: usd.optional(), weekly_usd: usd.optional(), monthly_usd: usd.optional() })
    .prefault({})
    .describe('Hard limits in US dollars.'),
});

const listQuery = z.object({
  after: z
    .string()
    .regex(/^[a-z0-9]{12}$/)
    .optional()
    .describe('Last id of the page before.'),
});
const revokeBody = z.strictObject({ reason: z.string().max(500).optional() });

export const KEY_ROUTES: readonly AdminRoute[] = [
  route({
    method: 'POST',
    path: '/api/keys',
    verb: 'keys.create',
    summary: 'Makes an API key and shows it once. Privileged roles need an approval: repeat the request after it.',
    body: keyWish,
    answers: {
      201: 'The key; its text is never shown again.',
      403: 'Denied, or `approval_required` with the approval.',
    },
    evidence: 'own',
    handle: async ({ deps, party, scope, body }) => {
      const wish = readWish(deps, scope ?? DEPLOYMENT_TENANT, body);
      const granted = await grantKey(grantStore(deps), wish, party);
      if (granted.outcome === 'pending') return pendingAnswer(granted.request);
      await deps.keyCache.refresh();
      const { key, token } = granted.created;
      return answer({ id: key.id, key: token, ...publicKey(key) }, 201);
    },
  }),
  route({
    method: 'GET',
    path: '/api/keys',
    verb: 'keys.list',
    summary: 'Keys without their secrets, by id; revoked and expired ones too.',
    query: listQuery,
    answers: { 200: 'A page of keys.' },
    evidence: 'access',
    handle: async ({ deps, scope, query }) => {
      const keys = await listKeys(deps.sql, {
        tenant: scope,
        ...(query.after === undefined ? {} : { after: query.after }),
      });
      const next = keys.length === KEY_PAGE ? (keys.at(-1)?.id ?? null) : null;
      return answer({ keys: keys.map((key) => ({ id: key.id, ...publicKey(key) })), next });
    },
  }),
  route({
    method: 'POST',
    path: '/api/keys/{id}/revoke',
    verb: 'keys.revoke',
    summary: 'Revokes a key; every process refuses it within 5 seconds.',
    id: /^[a-z0-9]{12}$/,
    body: revokeBody,
    answers: { 200: 'The revoked key.', 404: 'No such key.' },
    evidence: 'own',
    handle: async ({ deps, party, scope, id, body }) => {
      const key = await revokeKey(deps.sql, deps, { id, tenant: scope, by: party.id, reason: body.reason ?? null });
      if (key === null) throw new GatewayError('not_found', 'There is no such key.');
      await deps.keyCache.refresh();
      return answer({ id: key.id, ...publicKey(key) });
    },
  }),
];

function grantStore(deps: AdminDeps): GrantStore {
  return {
    sql: deps.sql,
    record: deps.record,
    setBudget: async (scope, { dailyNusd, weeklyNusd, monthlyNusd }) => {
      await setBudgetScope(deps.sql, { scope, day: dailyNusd, week: weeklyNusd, month: monthlyNusd });
    },
    random: randomBytes,
    now: deps.now,
    newApprovalId: () => randomBytes(16).toString('hex'),
    approversByToken: () => approversByToken(deps.current().config),
  };
}

function readWish(deps: AdminDeps, tenant: string, body: z.output<typeof keyWish>): KeyWish {
  const expiresMs = body.expires_at === undefined ? null : Date.parse(body.expires_at);
  if (expiresMs !== null && expiresMs <= deps.now()) {
    throw new GatewayError('invalid_request', 'Expected a time in the future.', { param: 'expires_at' });
  }
  const unknown = body.models?.find((model) => !deps.current().config.models.has(model));
  if (unknown !== undefined) {
    throw new GatewayError('invalid_request', 'Expected names of configured models.', { param: 'models' });
  }
  const amount = (value: string | undefined): bigint | null => (value === undefined ? null : nusdFromDecimal(value));
  return {
    tenant,
    name: body.name,
    agent: body.agent ?? null,
    models: body.models ?? null,
    roles: [...new Set(body.roles)],
    groups: body.groups,
    budget: {
      dailyNusd: amount(body.budget.daily_usd),
      weeklyNusd: amount(body.budget.weekly_usd),
      monthlyNusd: amount(body.budget.monthly_usd),
    },
    expiresMs,
  };
}

function pendingAnswer({ id, expiresMs }: { id: string; expiresMs: number }): { status: number; json: JsonValue } {
  const message = `A second person has to approve this first (approval ${id}). Repeat the same request afterwards.`;
  const { error } = new GatewayError('approval_required', message).toOpenAi();
  return answerPending(error, { id, expires_at: new Date(expiresMs).toISOString() });
}

function answerPending(error: Record<string, JsonValue>, approval: JsonValue): { status: number; json: JsonValue } {
  return { status: 403, json: { error: { ...error, approval } } };
}

/** Everything of a key but its secret. */
function publicKey(key: ApiKey): Record<string, JsonValue> {
  const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  return {
    tenant: key.tenant,
    name: key.name,
    agent: key.agent,
    models: key.models === null ? null : [...key.models],
    roles: [...key.roles],
    groups: [...key.groups],
    budget: budgetFacts(key.budget),
    bootstrap: key.bootstrap,
    created_at: iso(key.createdMs),
    created_by: key.createdBy,
    expires_at: iso(key.expiresMs),
    revoked_at: iso(key.revokedMs),
    revoked_by: key.revokedBy,
  };
}
