/** Asks the administration listener as any administrator does: the roles of a key decide, and an entry says who asked. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createEgress, type EgressReply } from '../gateway/egress.ts';
import { GatewayError } from '../gateway/errors.ts';
import { CliError, errno } from './errors.ts';
import type { Json, OptionSpec, VerbContext } from './verb.ts';

export const ADMIN_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  'key-file': {
    value: 'FILE',
    help: 'Its first line is the key to ask with. Default: the one in COUNTERSIGN_KEY, else .countersign/first-key.',
  },
  server: {
    value: 'URL',
    help: 'The administration listener, when it is not on this host; https. Default: as the configuration says.',
  },
};

const TIMEOUT_MS = 30_000;
const MAX_BYTES = 64 * 1024 * 1024;
const ANY_ADDRESS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };

/**
 * The JSON of an answer of status 200 to `GET path` (query included), or to `POST path` with a body.
 *
 * @throws CliError `usage` without a key; `check_failed`, `not_found` with the listener's own words when it refuses;
 *   `gateway_unreachable` when nobody answers, or not now
 */
export async function askAdministration(context: VerbContext, path: string, body?: Json): Promise<unknown> {
  const server = serverOf(context);
  const authorization = `Bearer ${readKey(context)}`;
  const egress = createEgress();
  const sent =
    body === undefined
      ? { headers: { authorization } }
      : {
          method: 'POST' as const,
          headers: { authorization, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        };
  const request = { purpose: 'administration', url: `${server}${path}`, ...sent } as const;
  try {
    return answerOf(await egress.request({ ...request, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES }));
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause;
    const message = `Expected the administration listener at ${server}, found none that answers: ${cause.message} Start it with "countersign up", or name it with --server.`;
    throw new CliError('gateway_unreachable', message, { cause });
  } finally {
    await egress.close();
  }
}

function serverOf({ args, project }: VerbContext): string {
  const given = args.text('server');
  if (given !== null) return given.replace(/\/+$/, '');
  const { adminHost, adminPort } = project.config().listen;
  const host = ANY_ADDRESS[adminHost] ?? (adminHost.includes(':') ? `[${adminHost}]` : adminHost);
  return `http://${host}:${String(adminPort)}`;
}

function readKey({ args, env, project }: VerbContext): string {
  const file = args.text('key-file');
  const inEnvironment = env['COUNTERSIGN_KEY'] ?? '';
  if (file === null && inEnvironment !== '') return inEnvironment;
  const path = file === null ? join(project.stateDir, 'first-key') : resolve(file);
  try {
    // What `keys create` prints has a second line for people.
    return readFileSync(path, 'utf8').trim().split('\n', 1)[0] ?? '';
  } catch (cause) {
    const message = `Expected a key in COUNTERSIGN_KEY or in a file (--key-file), could not read ${path} (${errno(cause) ?? 'unknown'}). An administrator makes one with "countersign keys create --roles …".`;
    throw new CliError('usage', message, { cause });
  }
}

function answerOf({ status, body }: EgressReply): unknown {
  const json = parse(body);
  if (status === 200 && json !== undefined) return json;
  const message = messageOf(json) ?? `The administration listener answered with the status ${String(status)}.`;
  if (status === 400) throw new CliError('usage', message);
  if (status === 404) throw new CliError('not_found', message);
  if (status === 401 || status === 403 || status === 409) throw new CliError('check_failed', message);
  throw new CliError('gateway_unreachable', message);
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function messageOf(json: unknown): string | null {
  if (typeof json !== 'object' || json === null || !('error' in json)) return null;
  const { error } = json;
  if (typeof error !== 'object' || error === null || !('message' in error)) return null;
  return typeof error.message === 'string' ? error.message : null;
}
