/**
 * Anchors outside: who is asked to remember checkpoints, over which connections, and how old the newest anchor is. None of
 * them sees more than checkpoints.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Sql } from 'postgres';
import {
  archiveTarget,
  authorityTarget,
  parsePolicy,
  readAnchorStatus,
  readCertificates,
  startAnchorJob,
  witnessTarget,
  type AnchorSend,
  type AnchorTarget,
  type LedgerError,
  type OutsideMemory,
  type RepeatedJob,
  type TrustPolicy,
} from '../ledger/index.ts';
import { endpointProblem } from './config/endpoint.ts';
import type { Config } from './config.ts';
import type { Egress } from './egress.ts';
import { GatewayError } from './errors.ts';
import type { CallLog } from './log.ts';
import type { Metrics } from './metrics.ts';

export interface AnchorParts {
  readonly sql: Sql;
  /** Names this process. */
  readonly holder: string;
  readonly egress: Pick<Egress, 'request'>;
  readonly log: Pick<CallLog, 'error'>;
  readonly metrics: Pick<Metrics, 'anchors'>;
  readonly now: () => number;
  /** Makes a path of the configuration absolute. */
  readonly resolvePath: (path: string) => string;
}

/** Who anchors; `policy` null when no witnesses are configured. */
export interface Anchors {
  readonly policy: TrustPolicy | null;
  readonly targets: readonly AnchorTarget[];
}

const TIMEOUT_MS = 15_000;
const POLL_MS = 3000;

/** Connections of the anchoring job, through the one place that opens any. */
export function sendThrough(egress: Pick<Egress, 'request'>): AnchorSend {
  return (request) => egress.request({ ...request, timeoutMs: TIMEOUT_MS });
}

/** Reads the files that the settings name. @throws GatewayError `invalid_request` naming the setting */
export async function openAnchors(
  { ledger }: Config,
  { egress, resolvePath }: Pick<AnchorParts, 'egress' | 'resolvePath'>,
): Promise<Anchors> {
  const send = sendThrough(egress);
  const policy = await readPolicy(ledger.witnesses, resolvePath);
  const witnesses = (policy?.witnesses ?? []).flatMap(({ name, key, url }) =>
    url === null ? [] : [witnessTarget({ name, key, url: checkedUrl(url, name) }, send)],
  );
  const authorities: AnchorTarget[] = [];
  for (const { certificates, ...authority } of ledger.authorities) {
    const setting = `ledger.tsa.${authority.name}.certificates`;
    const pem = certificates === null ? null : await readText(resolvePath(certificates), setting);
    const trusted = pem === null ? null : readCertificates(pem);
    if (pem !== null && trusted === null) throw wrong(setting, 'certificates in PEM form');
    authorities.push(authorityTarget({ ...authority, trusted, random: randomBytes }, send));
  }
  return { policy, targets: [...witnesses, ...authorities, ...archives(ledger.archive, send)] };
}

/** Those who are asked what they remember, before anything is written. @throws GatewayError `invalid_request` */
export async function openMemories(
  config: Config,
  parts: Pick<AnchorParts, 'egress' | 'resolvePath'>,
): Promise<OutsideMemory[]> {
  const { targets } = await openAnchors(config, parts);
  return targets.flatMap(({ id, newest }) => (newest === undefined ? [] : [{ id, newest }]));
}

function archives(settings: Config['ledger']['archive'], send: AnchorSend): AnchorTarget[] {
  if (settings === null) return [];
  const { prefix, everyMs, lock, lockDays, ...bucket } = settings;
  const held = { mode: lock === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE', days: lockDays } as const;
  return [archiveTarget({ bucket, prefix, everyMs, lock: lock === 'none' ? null : held, now: Date.now }, send)];
}

/** The job of one process; null when nobody is configured. @throws GatewayError `invalid_request` */
export async function startAnchors(config: Config, parts: AnchorParts): Promise<RepeatedJob | null> {
  const { sql, holder, log, metrics, now } = parts;
  const { policy, targets } = await openAnchors(config, parts);
  if (targets.length === 0) return null;
  const kinds = new Set(targets.map(({ id }) => id.split(':', 1)[0] ?? ''));
  return startAnchorJob({
    sql,
    holder,
    targets,
    pollMs: POLL_MS,
    onLook: async () => metrics.anchors(await readAnchorStatus(sql, policy), kinds, now()),
    onError: (error: LedgerError, target) => log.error('anchor', error, { target }),
  });
}

async function readPolicy(path: string | null, resolvePath: (path: string) => string): Promise<TrustPolicy | null> {
  if (path === null) return null;
  const text = await readText(resolvePath(path), 'ledger.witnesses');
  try {
    return parsePolicy(text);
  } catch (cause) {
    throw wrong('ledger.witnesses', `a trust policy: ${cause instanceof Error ? cause.message : ''}`, cause);
  }
}

/** The same rules as for addresses in the configuration itself. */
function checkedUrl(url: string, name: string): string {
  const problem = endpointProblem(url);
  if (problem === null) return url;
  throw wrong('ledger.witnesses', `${problem} for the witness ${name}`);
}

async function readText(path: string, setting: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch (cause) {
    throw wrong(setting, 'a file that can be read', cause);
  }
}

function wrong(setting: string, expected: string, cause?: unknown): GatewayError {
  return new GatewayError('invalid_request', `${setting}: expected ${expected}.`, { cause });
}
