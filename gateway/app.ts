/**
 * The data listener. Hono routes; the handlers work on Node's raw request and response, because converting each call to
 * Web Request and Response objects halves the throughput (docs/decisions/0004-raw-node-objects.md).
 */
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { GatewayError } from './errors.ts';
import { Gate } from './gate.ts';
import { listModels } from './ingress/models.ts';
import { createPresidioIngress, PRESIDIO_BASE } from './ingress/presidio.ts';
import { Reply } from './ingress/reply.ts';
import {
  AUTHZEN_CONFIGURATION,
  authzenConfiguration,
  EVALUATION,
  EVALUATIONS,
  serveEvaluation,
} from './pdp/authzen.ts';
import { OPA_BASE, serveOpaData } from './pdp/opa-data.ts';
import { governChat } from './pipeline.ts';
import type { Services } from './services.ts';

/** How the adapter marks RESPONSE_ALREADY_SENT. */
const ALREADY_SENT = 'x-hono-already-sent';

type Env = { Bindings: HttpBindings };
type Raw = Context<Env>;

export interface DataListener {
  readonly fetch: Hono<Env>['fetch'];
  /** A listener of its own for Presidio's routes: whoever reaches it may use it. Shares the bounds of this one. */
  readonly presidioFetch: Hono<Env>['fetch'];
  /** Calls and streams in progress. */
  readonly inFlight: () => number;
  /** From now on new calls are refused with `draining`; resolves when the running ones are done. */
  drain(): Promise<void>;
}

export interface Health {
  readonly ready: () => Promise<{ readonly ready: boolean; readonly checks: Readonly<Record<string, boolean>> }>;
}

export function createDataListener(services: Services, health: Health): DataListener {
  const gate = new Gate(() => services.current().config.limits.concurrentRequests);
  const admit = (c: Raw, work: () => Promise<void>): Response => {
    const refusal = gate.refusal();
    if (refusal === null) {
      gate.run(() => work().catch(() => c.env.outgoing.destroy()));
      return RESPONSE_ALREADY_SENT;
    }
    services.refusals.count(refusal.code);
    return refuse(c, refusal);
  };
  const app = new Hono<Env>();
  const chat = (c: Raw, model: string | null = null): Response =>
    admit(c, () => governChat(services, c.env.incoming, c.env.outgoing, model));
  const models = (c: Raw, name: string | null): Response =>
    admit(c, () => listModels(services, c.env.incoming, c.env.outgoing, name));
  for (const base of ['/v1', '', '/openai/v1']) {
    for (const slash of ['', '/']) {
      app.post(`${base}/chat/completions${slash}`, (c) => chat(c));
      app.get(`${base}/models${slash}`, (c) => models(c, null));
      app.all(`${base}/chat/completions${slash}`, (c) => refuseMethod(c, 'POST'));
      app.all(`${base}/models${slash}`, (c) => refuseMethod(c, 'GET, HEAD'));
    }
    // A model's name may hold slashes.
    app.get(`${base}/models/:name{.+}`, (c) => models(c, c.req.param('name')));
    app.all(`${base}/models/:name{.+}`, (c) => refuseMethod(c, 'GET, HEAD'));
  }
  // Azure's clients name the model in the path; what the body calls it does not count there.
  app.post('/openai/deployments/:model/chat/completions', (c) => chat(c, c.req.param('model')));
  app.all('/openai/deployments/:model/chat/completions', (c) => refuseMethod(c, 'POST'));
  addQuestions(app, services, admit);
  const presidio = createPresidioIngress(services);
  app.all(`${PRESIDIO_BASE}/*`, (c) => admit(c, () => presidio(c.env.incoming, c.env.outgoing)));
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', async (c) => {
    const { ready, checks } = await health.ready();
    return c.json(
      { ready: ready && !gate.draining, checks: { ...checks, accepting: !gate.draining } },
      ready && !gate.draining ? 200 : 503,
    );
  });
  app.notFound((c) =>
    refuse(
      c,
      new GatewayError(
        'not_found',
        `No such endpoint: ${c.req.method} ${c.req.path.slice(0, 100)}. This gateway serves /v1/chat/completions and /v1/models.`,
      ),
    ),
  );
  app.onError((cause, c) => {
    services.log.unexpected(null, cause);
    return refuse(c, new GatewayError('internal_error', 'The gateway failed to handle this request.'));
  });
  const presidioOnly = new Hono<Env>();
  presidioOnly.all('*', (c) => admit(c, () => presidio(c.env.incoming, c.env.outgoing, true)));
  return {
    fetch: answerHead(app),
    presidioFetch: answerHead(presidioOnly),
    inFlight: () => gate.inFlight,
    drain: () => gate.drain(),
  };
}

/** Decisions for other enforcement points, in OPA's and in AuthZEN's form. */
function addQuestions(
  app: Hono<Env>,
  services: Services,
  admit: (c: Raw, work: () => Promise<void>) => Response,
): void {
  const opa = (c: Raw): Response => admit(c, () => serveOpaData(services, c.env.incoming, c.env.outgoing));
  for (const path of [OPA_BASE, `${OPA_BASE}/*`]) {
    app.get(path, opa);
    app.post(path, opa);
    app.all(path, (c) => refuseMethod(c, 'GET, POST'));
  }
  for (const path of [EVALUATION, EVALUATIONS]) {
    app.post(path, (c) =>
      admit(c, () => serveEvaluation(services, c.env.incoming, c.env.outgoing, path === EVALUATIONS)),
    );
    app.all(path, (c) => refuseMethod(c, 'POST'));
  }
  app.get(AUTHZEN_CONFIGURATION, (c) => c.json(authzenConfiguration(services, c.env.incoming)));
}

/**
 * For HEAD, Hono runs the handler of GET and returns a copy of its Response. The copy of "already sent" is not known as
 * such any more and would be sent a second time, so the original takes its place.
 */
function answerHead(app: Hono<Env>): Hono<Env>['fetch'] {
  return (request, env, context) => {
    const response = app.fetch(request, env, context);
    if (request.method !== 'HEAD') return response;
    return Promise.resolve(response).then((copy) => (copy.headers.has(ALREADY_SENT) ? RESPONSE_ALREADY_SENT : copy));
  };
}

function refuse(c: Raw, error: GatewayError, headers: Readonly<Record<string, string>> = {}): Response {
  c.env.incoming.resume();
  const reply = new Reply(c.env.outgoing);
  for (const [name, value] of Object.entries(headers)) reply.set(name, value);
  reply.fail(error);
  return RESPONSE_ALREADY_SENT;
}

/** RFC 9110, 15.5.6: the answer names the methods there are. */
function refuseMethod(c: Raw, allow: string): Response {
  return refuse(c, new GatewayError('method_not_allowed', `Expected ${allow}, found ${c.req.method}.`), { allow });
}
