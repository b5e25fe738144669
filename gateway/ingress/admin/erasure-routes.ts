/** Finding and erasing what is kept about a person, and legal holds. A value is only ever in a body, never in an address. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { ApprovalRequest } from '../../../approvals/index.ts';
import {
  findPerson,
  LEGAL_BASES,
  readHolds,
  type Found,
  type Hold,
  type JsonValue,
  type Person,
} from '../../../ledger/index.ts';
import { normalise } from '../../../redaction/index.ts';
import { GatewayError } from '../../errors.ts';
import type { AdminDeps } from './deps.ts';
import { placeHold, requestErasure, requestRelease, type ErasureStore } from './erasure-desk.ts';
import { answer, route, type AdminAnswer, type AdminRoute } from './route.ts';

const tenant = z.string().max(41).optional().describe('Tenant it is about. Default: your own.');
const reason = z.string().min(1).max(1000).describe('Kept with the evidence; name nobody in it.');
const person = {
  tenant,
  subject: z.string().min(1).max(600).optional().describe('Id of a caller; or else type and value.'),
  type: z.string().min(1).max(64).optional().describe('Entity type of a value that a content names.'),
  value: z.string().min(1).max(1000).optional().describe('The value.'),
};
const findBody = z.strictObject(person);
const eraseBody = z.strictObject({ ...person, basis: z.enum(LEGAL_BASES).describe('Legal basis.'), reason });
const holdBody = z.strictObject({
  tenant,
  subject: z.string().min(1).max(600).optional().describe('Only what this caller called. Absent: the whole tenant.'),
  reason,
});
const releaseBody = z.strictObject({ tenant, reason });

export const ERASURE_ROUTES: readonly AdminRoute[] = [
  route({
    method: 'POST',
    path: '/api/erasures/find',
    verb: 'erasure.find',
    summary: 'Lists the entries about a person and the keys that an erasure would destroy.',
    body: findBody,
    answers: { 200: 'What was found; up to 10,000 entries.' },
    evidence: 'access',
    handle: async ({ deps, scope, body }) =>
      answer(foundAnswer(await findPerson(deps.sql, deps.keys, tenantOf(scope), personOf(body)))),
  }),
  route({
    method: 'POST',
    path: '/api/erasures',
    verb: 'erasure.erase',
    summary: 'Destroys the keys of the entries about a person. Needs an approval: repeat the request after it.',
    body: eraseBody,
    answers: {
      200: 'Erased, or nothing to erase.',
      403: 'Denied, or `approval_required` with the approval.',
      409: 'A legal hold covers it.',
    },
    evidence: 'own',
    handle: async ({ deps, party, scope, body }) => {
      const wish = { tenant: tenantOf(scope), person: personOf(body), basis: body.basis, reason: body.reason };
      const result = await requestErasure(storeOf(deps), wish, party);
      const found = foundAnswer(result.found);
      if (result.outcome === 'pending') return pending(result.request, { found });
      if (result.outcome === 'nothing') return answer({ erased: null, found });
      const { entry, keys } = result.erased;
      return answer({ erased: { log: entry.log, seq: entry.seq, hash: entry.hash, keys: [...keys] }, found });
    },
  }),
  route({
    method: 'GET',
    path: '/api/holds',
    verb: 'holds.list',
    summary: 'Legal holds in force.',
    answers: { 200: 'The holds.' },
    evidence: 'access',
    handle: async ({ deps, scope }) => {
      const holds = await readHolds(deps.sql, deps.keys, tenantOf(scope));
      return answer({ holds: holds.map(holdAnswer) });
    },
  }),
  route({
    method: 'POST',
    path: '/api/holds',
    verb: 'holds.add',
    summary: 'Puts a legal hold on a tenant or on one caller: nothing of it is erased, by nobody and by no retention.',
    body: holdBody,
    answers: { 201: 'The hold.' },
    evidence: 'own',
    handle: async ({ deps, party, scope, body }) => {
      const wanted = { tenant: tenantOf(scope), subject: body.subject ?? null, by: party.id, reason: body.reason };
      return answer({ id: await placeHold(storeOf(deps), wanted) }, 201);
    },
  }),
  route({
    method: 'POST',
    path: '/api/holds/{id}/release',
    verb: 'holds.release',
    summary: 'Ends a legal hold. Needs an approval: repeat the request after it.',
    id: /^hd-[0-9a-f]{16}$/,
    body: releaseBody,
    answers: { 200: 'Released.', 403: 'Denied, or `approval_required` with the approval.', 404: 'No such hold.' },
    evidence: 'own',
    handle: async ({ deps, party, scope, id, body }) => {
      const wanted = { tenant: tenantOf(scope), hold: id, reason: body.reason };
      const result = await requestRelease(storeOf(deps), wanted, party);
      return result.outcome === 'pending' ? pending(result.request, {}) : answer({ released: holdAnswer(result.hold) });
    },
  }),
];

function storeOf({ sql, ledger, keys, record, now }: AdminDeps): ErasureStore {
  return { sql, ledger, keys, record, now, newApprovalId: () => randomBytes(16).toString('hex') };
}

function tenantOf(scope: string | null): string {
  if (scope !== null) return scope;
  throw new GatewayError('invalid_request', 'Name the tenant it is about.', { param: 'tenant' });
}

function personOf({ subject, type, value }: z.output<typeof findBody>): Person {
  if (subject !== undefined && type === undefined && value === undefined) return { subject };
  if (subject === undefined && type !== undefined && value !== undefined)
    return { named: { type, value: normalise(type, value) } };
  throw new GatewayError('invalid_request', 'Expected either subject, or type and value.', { param: 'subject' });
}

function foundAnswer({ keys, entries, ...found }: Found): JsonValue {
  return {
    tenant: found.tenant,
    scope: found.scope,
    person: found.mac,
    matches: found.matches,
    unknown: found.unknown,
    keys: keys.map((key) => ({ ...key })),
    entries: entries.map(({ timeMs, ...entry }) => ({ ...entry, time: new Date(timeMs).toISOString() })),
  };
}

function holdAnswer({ id, scope, mac, sinceMs, by, reason: why }: Hold): JsonValue {
  return { id, scope, person: mac, since: new Date(sinceMs).toISOString(), by, reason: why };
}

function pending({ id, expiresMs }: ApprovalRequest, more: { readonly [name: string]: JsonValue }): AdminAnswer {
  const message = `A second person has to approve this first (approval ${id}). Repeat the same request afterwards.`;
  const { error } = new GatewayError('approval_required', message).toOpenAi();
  const approval = { id, expires_at: new Date(expiresMs).toISOString() };
  return answer({ error: { ...error, approval }, ...more }, 403);
}
