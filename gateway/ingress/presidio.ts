/**
 * `/presidio/…`: the routes of Presidio's analyzer and anonymizer, for clients that know those. Nothing is kept and nothing
 * is logged of what they send. Presidio's clients have no key to send, so none is asked for where only this machine can
 * connect, or on a listener that serves nothing else; everywhere else a caller's key is.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { randomBytes } from 'node:crypto';
import type { PresidioAnalyzer } from '../../redaction/index.ts';
import { createPresidioAnalyzer } from '../../redaction/index.ts';
import { isLoopbackHost } from '../config/endpoint.ts';
import { GatewayError } from '../errors.ts';
import type { Services } from '../services.ts';
import { addressOf, authenticatedBy } from '../services.ts';
import { readBody } from './body.ts';
import type { PresidioAnswer } from './presidio-answer.ts';
import { errorAnswer, FLASK } from './presidio-answer.ts';
import { answerPresidio } from './presidio-routes.ts';
import type { PresidioParts } from './presidio-routes.ts';
import { Reply } from './reply.ts';

export const PRESIDIO_BASE = '/presidio';

/** The longest text takes up to four bytes a character, and more with its results. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** Serves one request. @param keyless whether the listener itself is the permission */
export type ServePresidio = (incoming: IncomingMessage, outgoing: ServerResponse, keyless?: boolean) => Promise<void>;

export function createPresidioIngress(services: Services): ServePresidio {
  const analyzers = new Map<'default' | 'all', PresidioAnalyzer>();
  const parts: PresidioParts = {
    random: randomBytes,
    // Compiled when it is first needed: most gateways never serve these routes.
    analyzer: () => {
      const { presidioRecognizers: recognizers } = services.current().config.redaction;
      const analyzer = analyzers.get(recognizers) ?? createPresidioAnalyzer({ recognizers });
      analyzers.set(recognizers, analyzer);
      return analyzer;
    },
  };
  return async (incoming, outgoing, keyless = false) => {
    const reply = new Reply(outgoing);
    const answer = await answerTo(services, parts, incoming, keyless).catch((error: unknown) =>
      failed(services, error),
    );
    incoming.resume();
    reply.send(answer.status, headersOf(answer), answer.body);
  };
}

async function answerTo(
  services: Services,
  parts: PresidioParts,
  incoming: IncomingMessage,
  keyless: boolean,
): Promise<PresidioAnswer> {
  if (!keyless && !isLocal(services, incoming)) await requireCaller(services, incoming);
  const { bodyBytes, decompressedBytes } = services.current().config.limits;
  const limits = {
    bodyBytes: Math.min(bodyBytes, MAX_BODY_BYTES),
    decompressedBytes: Math.min(decompressedBytes, MAX_BODY_BYTES),
  };
  const call = {
    method: incoming.method ?? 'GET',
    target: targetOf(incoming.url ?? '/'),
    contentType: incoming.headers['content-type'],
    body: () => readBody(incoming, limits).catch(textOrNull),
  };
  return answerPresidio(call, parts);
}

/** With or without the base: a listener of its own also serves the routes where Presidio has them. */
function targetOf(url: string): string {
  return url.startsWith(`${PRESIDIO_BASE}/`) ? url.slice(PRESIDIO_BASE.length) : url;
}

/**
 * Both ends: a listener others can reach may have a proxy of this machine in front of it. And the name it was called by: a
 * foreign page in a browser of this machine would use its own (DNS rebinding).
 */
function isLocal(services: Services, incoming: IncomingMessage): boolean {
  const { host } = services.current().config.listen;
  const called = `http://${incoming.headers.host ?? ''}`;
  const name = URL.canParse(called) ? new URL(called).hostname : '';
  return [host, addressOf(services, incoming), name].every(isLoopbackHost);
}

async function requireCaller(services: Services, incoming: IncomingMessage): Promise<void> {
  const { roles } = await authenticatedBy(services, incoming);
  if (!roles.includes('caller')) throw new GatewayError('not_allowed', 'This key may not call these routes.');
}

/** What is not text is malformed to these clients; that it is too large is said. */
function textOrNull(error: unknown): null {
  if (error instanceof GatewayError && error.code === 'invalid_request') return null;
  throw error;
}

function failed(services: Services, error: unknown): PresidioAnswer {
  if (!(error instanceof GatewayError)) {
    services.log.unexpected(null, error);
    return errorAnswer(500, FLASK.internal);
  }
  if (error.code === 'invalid_api_key' || error.code === 'rate_limited') services.refusals.count(error.code);
  return errorAnswer(error.status, error.message);
}

function headersOf({ contentType, allow }: PresidioAnswer): Record<string, string> {
  return { 'content-type': contentType, ...(allow === undefined ? {} : { allow }) };
}
