/** `/access/v1/evaluation`, `/access/v1/evaluations` and `/.well-known/authzen-configuration`: the AuthZEN Authorization API 1.0. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '../errors.ts';
import { readBody } from '../ingress/body.ts';
import { Reply } from '../ingress/reply.ts';
import type { Services } from '../services.ts';
import { decideQuestion } from './authzen-input.ts';
import type { AccessBatch } from './authzen-request.ts';
import { readAccessBatch, readAccessQuestion } from './authzen-request.ts';
import type { Answered, Asker } from './question.ts';
import { decidedFacts, identifyAsker, newQuestion, recordAnswer, requireExact } from './question.ts';

export const EVALUATION = '/access/v1/evaluation';
export const EVALUATIONS = '/access/v1/evaluations';
export const AUTHZEN_CONFIGURATION = '/.well-known/authzen-configuration';

const MAX_BODY = 1024 * 1024;
const JSON_TYPE = { 'content-type': 'application/json' };
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

interface AccessAnswer {
  readonly decision: boolean;
  readonly context: object;
}

export async function serveEvaluation(
  services: Services,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  batched: boolean,
): Promise<void> {
  const reply = new Reply(outgoing);
  const requestId = incoming.headers['x-request-id'];
  if (typeof requestId === 'string' && REQUEST_ID.test(requestId)) reply.set('x-request-id', requestId);
  let asker: Asker | null = null;
  try {
    asker = await identifyAsker(services, incoming);
    const value = await readValue(asker, incoming);
    const batch = batched ? readAccessBatch(value.json) : null;
    const body =
      batch === null ? await answerOne(asker, value.json, value.bytes, 'evaluation') : await answerAll(asker, batch);
    reply.send(200, JSON_TYPE, JSON.stringify(body));
  } catch (cause) {
    await refuse(services, reply, cause, asker);
  } finally {
    incoming.resume();
  }
}

async function readValue(
  { current }: Asker,
  incoming: IncomingMessage,
): Promise<{ readonly json: unknown; readonly bytes: number }> {
  const { bodyBytes, decompressedBytes } = current.config.limits;
  const limits = { bodyBytes: Math.min(bodyBytes, MAX_BODY), decompressedBytes: Math.min(decompressedBytes, MAX_BODY) };
  const text = await readBody(incoming, limits);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new GatewayError('invalid_request', 'The body is not valid JSON.');
  }
  requireExact(json);
  return { json, bytes: Buffer.byteLength(text) };
}

/** In order, one after the other: a later question must not be decided, or recorded, when an earlier one ended the batch. */
async function answerAll(asker: Asker, { questions, semantic }: AccessBatch): Promise<object> {
  if (semantic === 'execute_all') {
    return { evaluations: await Promise.all(questions.map((each, i) => answerEach(asker, each, i))) };
  }
  const evaluations: AccessAnswer[] = [];
  for (const [i, each] of questions.entries()) {
    const answer = await answerEach(asker, each, i);
    evaluations.push(answer);
    if (answer.decision === (semantic === 'permit_on_first_permit')) break;
  }
  return { evaluations };
}

/** A question of a batch that cannot be read is denied by itself; the others are answered. */
async function answerEach(asker: Asker, value: unknown, index: number): Promise<AccessAnswer> {
  try {
    return await answerOne(asker, value, Buffer.byteLength(JSON.stringify(value)), `evaluations/${index}`);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'invalid_request') throw error;
    await recordAnswer(asker, { ...newQuestion(asker, 'authzen'), about: `evaluations/${index}`, code: error.code });
    return { decision: false, context: { error: { status: error.status, message: error.message } } };
  }
}

async function answerOne(asker: Asker, value: unknown, bytes: number, about: string): Promise<AccessAnswer> {
  const question: Answered = { ...newQuestion(asker, 'authzen'), about, bytes };
  const asked = readAccessQuestion(value);
  const decided = decideOrRefuse(asker, question.id, asked);
  if (decided instanceof GatewayError) {
    const receipt = await recordAnswer(asker, { ...question, effect: 'deny', code: decided.code });
    return { decision: false, context: { id: question.id, receipt, reason_user: { en: decided.message } } };
  }
  const { result, inputs, results } = decided;
  const texts = inputs.map((input) => JSON.stringify(input));
  const receipt = await recordAnswer(asker, { ...question, inputs: texts, results, ...decidedFacts(result) });
  if ('outcome' in result) {
    const message = 'The policies could not decide this, so it is not allowed.';
    return { decision: false, context: { id: question.id, receipt, reason_user: { en: message } } };
  }
  return { decision: result.effect === 'allow', context: contextOf(question.id, receipt, result, results) };
}

type Decided = ReturnType<typeof decideQuestion>;

/** A model that does not exist is a question with the answer no. */
function decideOrRefuse(
  asker: Asker,
  id: string,
  asked: ReturnType<typeof readAccessQuestion>,
): Decided | GatewayError {
  try {
    return decideQuestion(asker, id, asked);
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'model_not_found') return error;
    throw error;
  }
}

/** `effect` tells a wish for an approval from a denial; obligations are what the asker has to perform for an allowed one. */
function contextOf(
  id: string,
  receipt: string,
  result: Exclude<Decided['result'], { outcome: string }>,
  results: Decided['results'],
): object {
  const { effect, reasons, user_message: message } = result;
  const obligations = results.flatMap(({ deployment, evaluation }) =>
    evaluation.outcome === 'decided' && result.allowed.includes(deployment) ? evaluation.decision.obligations : [],
  );
  return {
    id,
    receipt,
    effect,
    ...(reasons.length === 0
      ? {}
      : { reason_admin: { en: reasons.map(({ rule, title }) => `${rule}: ${title}`).join('; ') } }),
    ...(message === '' ? {} : { reason_user: { en: message } }),
    ...(effect === 'allow' ? { deployments: result.allowed.filter((name) => name !== ''), obligations } : {}),
  };
}

/** The specification's errors are a status and a text. */
async function refuse(services: Services, reply: Reply, cause: unknown, asker: Asker | null): Promise<void> {
  let error = cause instanceof GatewayError ? cause : unexpected(services, cause);
  try {
    if (asker === null) services.refusals.count(error.code);
    else if (error.status < 500) await recordAnswer(asker, { ...newQuestion(asker, 'authzen'), code: error.code });
  } catch (second) {
    error = second instanceof GatewayError ? second : unexpected(services, second);
  }
  reply.send(error.status, { ...JSON_TYPE, ...error.headers() }, JSON.stringify(error.message));
}

function unexpected(services: Services, cause: unknown): GatewayError {
  services.log.unexpected(null, cause);
  return new GatewayError('internal_error', 'The gateway failed to answer this question.', { cause });
}

/** Where the endpoints are, as the client that asks reaches this gateway. */
export function authzenConfiguration(services: Services, incoming: IncomingMessage): object {
  const { publicUrl } = services.current().config.listen;
  const base = publicUrl ?? `http://${incoming.headers.host ?? 'localhost'}`;
  return {
    policy_decision_point: base,
    access_evaluation_endpoint: `${base}${EVALUATION}`,
    access_evaluations_endpoint: `${base}${EVALUATIONS}`,
  };
}
