/**
 * The logs' Merkle trees in the layout of c2sp.org/tlog-tiles: the deployment's under `/ledger/`, the tenant's own under
 * `/ledger/log/`. Hashes say nothing of what they cover, so reading them is not an entry, which would change what is
 * read; bundles hold the headers of entries, so reading those is.
 */
import { z } from 'zod';
import {
  DEPLOYMENT,
  encodeTile,
  epochOverview,
  findBoundLog,
  hasTile,
  parseTilePath,
  readBundle,
  readConsistency,
  readTile,
  type BoundLog,
} from '../../../ledger/index.ts';
import { GatewayError } from '../../errors.ts';
import { ledgerAnswer } from './ledger-answer.ts';
import { answer, route, type AdminAnswer, type AdminCall, type AdminRoute } from './route.ts';

/** A place below `tile/`; the ledger reads it strictly. */
const PLACE = /^[0-9xp/.]{1,64}$/;
const BYTES = 'application/octet-stream';

const size = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const sizes = z.object({ from: size.describe('The smaller size.'), to: size.describe('The larger size.') });

type Find = (call: AdminCall<unknown, unknown>) => Promise<BoundLog>;

const deploymentLog: Find = async ({ deps }) => found(await findBoundLog(deps.sql, DEPLOYMENT));

const tenantLog: Find = async ({ deps, scope }) => {
  if (scope === null) throw new GatewayError('invalid_request', 'Name the tenant of the log.', { param: 'tenant' });
  return found(await findBoundLog(deps.sql, scope));
};

function found(log: BoundLog | null): BoundLog {
  if (log === null) throw new GatewayError('not_found', 'No epoch has bound this log yet.');
  return log;
}

function treeRoutes(prefix: string, whose: string, find: Find): AdminRoute[] {
  return [
    route({
      method: 'GET',
      path: `${prefix}/tile/entries/{id}`,
      verb: 'calls.read',
      summary: `Headers of 256 entries of ${whose}, each behind its length: an entry bundle.`,
      id: PLACE,
      rest: true,
      answers: { 200: 'The bundle.', 404: 'The log has no such bundle.' },
      evidence: 'access',
      handle: async (call) => bundle(call, await find(call)),
    }),
    route({
      method: 'GET',
      path: `${prefix}/tile/{id}`,
      verb: 'ledger.status',
      summary: `256 hashes of the tree of ${whose}: a tile.`,
      id: PLACE,
      rest: true,
      answers: { 200: 'The tile.', 404: 'The tree has no such tile.' },
      evidence: 'own',
      handle: async (call) => tile(call, await find(call)),
    }),
    route({
      method: 'GET',
      path: `${prefix}/consistency`,
      verb: 'ledger.status',
      summary: `Proof that one size of ${whose} is the beginning of a larger one (RFC 6962, 2.1.2).`,
      query: sizes,
      answers: { 200: 'The proof, base64.', 404: 'The log is not that large, or the sizes are not in order.' },
      evidence: 'own',
      handle: async (call) => {
        const { log, size: bound } = await find(call);
        const { from, to } = call.query;
        if (to > bound) throw new GatewayError('not_found', 'The log is not bound up to that size.', { param: 'to' });
        const proof = await ledgerAnswer(readConsistency(call.deps.sql, log, from, to));
        return answer({ log, from, to, proof: proof.map((hash) => Buffer.from(hash, 'hex').toString('base64')) });
      },
    }),
  ];
}

async function tile({ deps, id }: AdminCall<unknown, unknown>, { log, size: bound }: BoundLog): Promise<AdminAnswer> {
  const place = parseTilePath(id);
  if (place === null || !('level' in place) || !hasTile(place, bound)) throw noSuchTile();
  return { status: 200, bytes: encodeTile(await ledgerAnswer(readTile(deps.sql, log, place))), contentType: BYTES };
}

async function bundle({ deps, id }: AdminCall<unknown, unknown>, { log, size: bound }: BoundLog): Promise<AdminAnswer> {
  const place = parseTilePath(`entries/${id}`);
  if (place === null || !hasTile({ ...place, level: 0 }, bound)) throw noSuchTile();
  return { status: 200, bytes: await ledgerAnswer(readBundle(deps.sql, log, place)), contentType: BYTES };
}

function noSuchTile(): GatewayError {
  return new GatewayError('not_found', 'The tree has no such tile.');
}

export const LEDGER_TREE_ROUTES: readonly AdminRoute[] = [
  route({
    method: 'GET',
    path: '/ledger/checkpoint',
    verb: 'ledger.status',
    summary: 'The newest checkpoint of the deployment, a signed note (c2sp.org/tlog-checkpoint).',
    answers: { 200: 'The checkpoint.', 404: 'None was published yet.' },
    evidence: 'own',
    handle: async ({ deps }) => {
      const { checkpoint } = await epochOverview(deps.sql);
      if (checkpoint === null) throw new GatewayError('not_found', 'No checkpoint was published yet.');
      return { status: 200, text: checkpoint.note, contentType: 'text/plain; charset=utf-8' };
    },
  }),
  ...treeRoutes('/ledger', "the deployment's log", deploymentLog),
  route({
    method: 'GET',
    path: '/ledger/log/head',
    verb: 'ledger.status',
    summary: "Size and root of the tenant's log, as the newest epoch bound it.",
    answers: { 200: 'The head.', 404: 'No epoch has bound the log yet.' },
    evidence: 'own',
    handle: async (call) => answer({ ...(await tenantLog(call)) }),
  }),
  ...treeRoutes('/ledger/log', "the tenant's log", tenantLog),
];
