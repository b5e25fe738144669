/**
 * The admin listener: `/api/*`, its OpenAPI document, metrics and health. Every action is authenticated, decided by
 * policy and in the ledger before anything is read or changed. JSON only, no CORS, no cookies.
 */
import type { HttpBindings } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { z } from 'zod';
import { partyOf } from '../access/grant.ts';
import { createLoginBook, type NoteLogin } from '../access/logins.ts';
import { isLoopbackHost } from '../config/endpoint.ts';
import { GatewayError } from '../errors.ts';
import { APPROVAL_ROUTES } from './admin/approval-routes.ts';
import { authorize, identify, scopeOf } from './admin/authorize.ts';
import { CONTROL_ROUTES } from './admin/control-routes.ts';
import type { AdminDeps } from './admin/deps.ts';
import { ERASURE_ROUTES } from './admin/erasure-routes.ts';
import { EXPLAIN_ROUTES } from './admin/explain-routes.ts';
import { asGatewayError } from './admin/failure.ts';
import { acceptedHosts, requireOwnSite, SECURITY_HEADERS } from './admin/guard.ts';
import { KEY_ROUTES } from './admin/key-routes.ts';
import { LEDGER_PROOF_ROUTES } from './admin/ledger-proof-routes.ts';
import { LEDGER_REVIEW_ROUTES } from './admin/ledger-review-routes.ts';
import { LEDGER_ROUTES } from './admin/ledger-routes.ts';
import { LEDGER_TREE_ROUTES } from './admin/ledger-tree-routes.ts';
import { openApiDocument } from './admin/openapi.ts';
import { OVERVIEW_ROUTES } from './admin/overview-routes.ts';
import { RELEASE_ROUTES } from './admin/release-routes.ts';
import { REPORT_ROUTES } from './admin/report-routes.ts';
import type { AdminAnswer, AdminRoute } from './admin/route.ts';
import { readBody } from './body.ts';

export type { AdminDeps } from './admin/deps.ts';

type Env = { Bindings: HttpBindings };

/** All administrative actions; the API, its document and the tests are made of this table. */
export const ADMIN_ROUTES: readonly AdminRoute[] = [
  ...KEY_ROUTES,
  ...APPROVAL_ROUTES,
  ...LEDGER_ROUTES,
  ...LEDGER_PROOF_ROUTES,
  ...LEDGER_REVIEW_ROUTES,
  ...LEDGER_TREE_ROUTES,
  ...REPORT_ROUTES,
  ...ERASURE_ROUTES,
  ...OVERVIEW_ROUTES,
  ...RELEASE_ROUTES,
  ...CONTROL_ROUTES,
  ...EXPLAIN_ROUTES,
];

const API_VERSION = '1';
/** Requests are small; the largest is a key with a long list of models. A route that takes a bundle says so. */
const BODY_BYTES = 262_144;
const JSON_TYPE = 'application/json; charset=utf-8';

export function createAdminApp(deps: AdminDeps): Hono<Env> {
  const app = new Hono<Env>();
  const { adminHost, adminHostnames } = deps.current().config.listen;
  const hosts = acceptedHosts(adminHost, adminHostnames);
  const noteLogin = createLoginBook(deps.record, deps.now);
  app.use(async (c, next) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) c.header(name, value);
    // Probes address an instance by its bare address and get nothing but its state.
    if (c.req.path !== '/healthz' && c.req.path !== '/readyz') requireOwnSite(c.env.incoming.headers, hosts);
    await next();
  });
  addHealth(app, deps);
  const document = openApiDocument(ADMIN_ROUTES, API_VERSION);
  app.get('/api/openapi.json', (c) => c.json(document));
  for (const route of ADMIN_ROUTES) {
    const path = route.path.replace('{id}', route.rest === true ? ':id{.+}' : ':id');
    const handle = (c: Context<Env>): Promise<Response> => serve(deps, noteLogin, route, c);
    if (route.method === 'GET') app.get(path, handle);
    else app.post(path, handle);
  }
  app.notFound((c) => failed(c, new GatewayError('not_found', 'No such endpoint; see /api/openapi.json.')));
  app.onError((error, c) => {
    const known = asGatewayError(error);
    if (known === null) deps.services.log.unexpected(null, error);
    return failed(c, known ?? new GatewayError('internal_error', 'The gateway failed to handle this request.'));
  });
  return app;
}

function addHealth(app: Hono<Env>, deps: AdminDeps): void {
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', async (c) => {
    const { ready, checks } = await deps.health.ready();
    return c.json({ ready, checks }, ready ? 200 : 503);
  });
  app.get('/metrics', async (c) => {
    const peer = c.env.incoming.socket.remoteAddress ?? '';
    // A scraper on the same machine needs no key; anyone else needs one that administers something.
    if (!isLoopbackHost(peer.replace(/^::ffff:/, ''))) {
      const { roles } = await identify(deps, c.env.incoming);
      if (roles.every((role) => role === 'caller'))
        throw new GatewayError('not_allowed', 'Metrics take an administrative role.');
    }
    const text = await deps.services.metrics.expose();
    return c.body(text, 200, { 'content-type': deps.services.metrics.contentType });
  });
}

async function serve(deps: AdminDeps, noteLogin: NoteLogin, route: AdminRoute, c: Context<Env>): Promise<Response> {
  const { incoming } = c.env;
  const principal = await identify(deps, incoming);
  await noteLogin(principal);
  const id = pathId(route, c.req.param('id'));
  const { tenant, ...rest } = c.req.query();
  const query = parse(route.query, rest, 'query');
  const body =
    route.body === undefined
      ? undefined
      : parse(route.body, await readJson(incoming, route.bodyBytes ?? BODY_BYTES), 'body');
  const scope = scopeOf(deps, principal, tenant ?? tenantOf(body));
  await authorize(deps, { verb: route.verb, principal, scope, id, evidence: route.evidence });
  return reply(c, await route.handle({ deps, principal, party: partyOf(principal), scope, id, query, body }));
}

function pathId(route: AdminRoute, id: string | undefined): string {
  if (route.id === undefined) return '';
  if (id === undefined || !route.id.test(id)) throw new GatewayError('not_found', 'There is nothing of that id.');
  return id;
}

async function readJson(incoming: Context<Env>['env']['incoming'], bodyBytes: number): Promise<unknown> {
  // A form, or text/plain, is what a foreign page can send without being asked first; only JSON is read.
  if (incoming.headers['content-type'] === undefined) {
    throw new GatewayError('unsupported_media_type', 'Expected content-type application/json.');
  }
  const text = await readBody(incoming, { bodyBytes, decompressedBytes: bodyBytes });
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new GatewayError('invalid_request', 'The body is not valid JSON.');
  }
}

function parse(schema: z.ZodType | undefined, value: unknown, where: 'query' | 'body'): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const param = issue?.path.map(String).join('.') ?? '';
  throw new GatewayError('invalid_request', `The ${where} is not acceptable: ${issue?.message ?? 'unreadable'}.`, {
    param,
  });
}

function tenantOf(body: unknown): string | undefined {
  const tenant: unknown = typeof body === 'object' && body !== null && 'tenant' in body ? body.tenant : undefined;
  return typeof tenant === 'string' ? tenant : undefined;
}

function reply(c: Context<Env>, answer: AdminAnswer): Response {
  const status = answer.status as ContentfulStatusCode;
  if ('json' in answer) return c.body(JSON.stringify(answer.json), status, { 'content-type': JSON_TYPE });
  const headers = { 'content-type': answer.contentType };
  return 'text' in answer
    ? c.body(answer.text, status, headers)
    : c.body(Uint8Array.from(answer.bytes), status, headers);
}

function failed(c: Context<Env>, error: GatewayError): Response {
  // What is left of a refused body is read and dropped, so that the connection stays usable.
  c.env.incoming.resume();
  for (const [name, value] of Object.entries({ ...SECURITY_HEADERS, ...error.headers() })) c.header(name, value);
  return c.body(JSON.stringify(error.toOpenAi()), error.status as ContentfulStatusCode, { 'content-type': JSON_TYPE });
}
