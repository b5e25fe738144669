/**
 * `/opa/v1/data/{path}`: OPA's Data API (openpolicyagent.org/docs/rest-api#data-api) over the tenant's bundles. Compiled
 * bundles answer at their entry point and below it; other rules are not values that anybody could ask for.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Evaluation } from '../../policies/index.ts';
import { ENTRYPOINT, uniteCandidates } from '../../policies/index.ts';
import { GatewayError } from '../errors.ts';
import { readBody } from '../ingress/body.ts';
import { Reply } from '../ingress/reply.ts';
import type { Services } from '../services.ts';
import type { Answered, Asker } from './question.ts';
import { decidedFacts, identifyAsker, newQuestion, recordAnswer, requireExact } from './question.ts';

export const OPA_BASE = '/opa/v1/data';

/** An input is facts: what is larger is a payload that somebody forgot to leave out. */
const MAX_BODY = 1024 * 1024;
const ENTRY = ENTRYPOINT.split('/');

interface OpaQuestion {
  readonly method: 'GET' | 'POST';
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  /** Undefined: none was sent, which a policy can tell from null. */
  readonly input: unknown;
  readonly bytes: number;
}

interface OpaAnswer {
  readonly id: string;
  readonly receipt: string;
  /** Undefined: there is no such value. */
  readonly result: unknown;
  readonly metrics: Readonly<Record<string, number>>;
}

export async function serveOpaData(
  services: Services,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const reply = new Reply(outgoing);
  let asker: Asker | null = null;
  let question: Answered | null = null;
  try {
    asker = await identifyAsker(services, incoming);
    question = newQuestion(asker, 'opa.data');
    const asked = await readQuestion(asker, incoming);
    question = { ...question, about: asked.path.join('/').slice(0, 1024), bytes: asked.bytes };
    const answer = await decide(asker, question, asked);
    // The entry stands; what fails from here on is not refused once more.
    question = null;
    reply.set('x-countersign-call', answer.id);
    reply.set('x-countersign-receipt', answer.receipt);
    send(reply, 200, document(asker, asked, answer), wants(asked.query, 'pretty'));
  } catch (cause) {
    await refuse(services, reply, cause, asker, question);
  } finally {
    incoming.resume();
  }
}

async function readQuestion({ current }: Asker, incoming: IncomingMessage): Promise<OpaQuestion> {
  const url = new URL(incoming.url ?? '/', 'http://localhost');
  const path = url.pathname
    .slice(OPA_BASE.length)
    .split('/')
    .filter((part) => part !== '')
    .map(decodePart);
  const { bodyBytes, decompressedBytes } = current.config.limits;
  const limits = { bodyBytes: Math.min(bodyBytes, MAX_BODY), decompressedBytes: Math.min(decompressedBytes, MAX_BODY) };
  const query = url.searchParams;
  if (incoming.method === 'GET') {
    const text = query.get('input');
    const input = text === null ? undefined : parse(text, 'parameter');
    return { method: 'GET', path, query, input, bytes: Buffer.byteLength(text ?? '') };
  }
  const text = await readBody(incoming, limits);
  const body = text.trim() === '' ? {} : (parse(text, 'body') ?? {});
  if (typeof body !== 'object' || Array.isArray(body)) throw malformed('body', 'it is no object');
  // As OPA reads it: an input that is null is none.
  return { method: 'POST', path, query, input: memberOf(body, 'input') ?? undefined, bytes: Buffer.byteLength(text) };
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new GatewayError('invalid_request', 'The path is not valid percent-encoding.');
  }
}

function parse(text: string, where: 'body' | 'parameter'): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed(where, 'it is no JSON');
  }
  requireExact(value);
  return value;
}

function malformed(where: 'body' | 'parameter', why: string): GatewayError {
  return new GatewayError('invalid_request', `${where} contains malformed input document: ${why}`);
}

async function decide(asker: Asker, question: Answered, asked: OpaQuestion): Promise<OpaAnswer> {
  const { services, current, tenant } = asker;
  const startedMs = services.clock();
  if (!isUnder(asked.path, ENTRY)) {
    requireNoRule(asker, asked.path);
    const receipt = await recordAnswer(asker, { ...question, effect: 'undecided', code: 'undefined' });
    return { id: question.id, receipt, result: undefined, metrics: {} };
  }
  requireOwnTenant(asker, asked.input);
  const text = asked.input === undefined ? '' : JSON.stringify(asked.input);
  const evaluation = current.pdp.evaluateText(tenant.policies, text);
  const evaluatedMs = services.clock();
  const results = [{ deployment: '', evaluation }];
  const united = uniteCandidates(results, [{ deployment: '', model: '', region: '', hosting: '' }]);
  const receipt = await recordAnswer(asker, { ...question, inputs: [text], results, ...decidedFacts(united) });
  const ns = (ms: number): number => Math.round(ms * 1_000_000);
  return {
    id: question.id,
    receipt,
    result: valueAt(evaluation, asked.path.slice(ENTRY.length)),
    metrics: {
      timer_rego_query_eval_ns: ns(evaluatedMs - startedMs),
      timer_server_handler_ns: ns(services.clock() - startedMs),
    },
  };
}

function isUnder(path: readonly string[], parent: readonly string[]): boolean {
  return parent.every((part, index) => path[index] === part);
}

/** A path inside of a bundle names a rule, or several, that this build of it cannot answer; "undefined" would be untrue. */
function requireNoRule({ current, tenant }: Asker, path: readonly string[]): void {
  const bundles = current.pdp.bundles.filter(({ identity }) => tenant.policies.includes(identity.name));
  const roots = bundles.flatMap(({ manifest }) => manifest.roots.map((root) => root.split('/').filter(Boolean)));
  if (!roots.some((root) => isUnder(path, root) || isUnder(root, path))) return;
  throw new GatewayError('invalid_request', `path is no entry point of the bundles in force; ask for ${ENTRYPOINT}`);
}

/** The rules see all tenants' parameters: an input that claims to be of another tenant would be decided by theirs. */
function requireOwnTenant({ tenant }: Asker, input: unknown): void {
  const claimed = memberOf(memberOf(input, 'tenant'), 'id');
  if (claimed === undefined || claimed === tenant.id) return;
  throw new GatewayError('not_allowed', 'input.tenant.id has to be the tenant of the key, or absent.');
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.hasOwn(value, name) ? (Reflect.get(value, name) as unknown) : undefined;
}

/** @throws GatewayError `policy_unavailable` */
function valueAt(evaluation: Evaluation, path: readonly string[]): unknown {
  if (evaluation.outcome === 'undecided') {
    if (evaluation.code === 'undefined') return undefined;
    throw new GatewayError('policy_unavailable', `error(s) occurred while evaluating query: ${evaluation.code}`);
  }
  // Elements of lists are asked for by number.
  return path.reduce<unknown>(
    (value, part) => (Array.isArray(value) && !/^(?:0|[1-9]\d{0,9})$/.test(part) ? undefined : memberOf(value, part)),
    evaluation.decision,
  );
}

function wants(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value === '' || value === 'true' || value === '1';
}

function document({ services, current, tenant }: Asker, asked: OpaQuestion, answer: OpaAnswer): object {
  const { query } = asked;
  const bundles = (current.bundles.get(tenant.id) ?? []).map(({ name, revision }) => [name, { revision }] as const);
  const warning = { code: 'api_usage_warning', message: "'input' key missing from the request" };
  return {
    decision_id: answer.id,
    ...(wants(query, 'provenance')
      ? { provenance: { version: services.build, bundles: Object.fromEntries(bundles) } }
      : {}),
    ...(wants(query, 'metrics') ? { metrics: answer.metrics } : {}),
    ...(answer.result === undefined ? {} : { result: answer.result }),
    ...(asked.input === undefined && asked.method === 'POST' ? { warning } : {}),
  };
}

function send(reply: Reply, status: number, body: object, pretty: boolean): void {
  const text = pretty ? `${JSON.stringify(body, null, 2)}\n` : `${JSON.stringify(body)}\n`;
  reply.send(status, { 'content-type': 'application/json' }, text);
}

/** Errors in OPA's form: `{code, message}` with its codes. */
async function refuse(
  services: Services,
  reply: Reply,
  cause: unknown,
  asker: Asker | null,
  question: Answered | null,
): Promise<void> {
  let error = cause instanceof GatewayError ? cause : unexpected(services, cause);
  try {
    if (asker === null) services.refusals.count(error.code);
    else if (question !== null && error.code !== 'ledger_unavailable' && error.code !== 'internal_error')
      await recordAnswer(asker, { ...question, code: error.code });
  } catch (second) {
    error = second instanceof GatewayError ? second : unexpected(services, second);
  }
  const { status, code } = opaError(error);
  for (const [name, value] of Object.entries(error.headers())) reply.set(name, value);
  send(reply, status, { code, message: error.message }, true);
}

function unexpected(services: Services, cause: unknown): GatewayError {
  services.log.unexpected(null, cause);
  return new GatewayError('internal_error', 'The gateway failed to answer this question.', { cause });
}

function opaError({ code, status }: GatewayError): { readonly status: number; readonly code: string } {
  if (status === 401 || status === 403) return { status, code: 'unauthorized' };
  if (code === 'policy_unavailable') return { status: 500, code: 'internal_error' };
  return status < 500 && status !== 429
    ? { status: status === 413 ? 413 : 400, code: 'invalid_parameter' }
    : { status, code: 'internal_error' };
}
