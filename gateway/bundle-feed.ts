/**
 * Keeps the bundles of HTTP bundle services up to date (openpolicyagent.org/docs/management-bundles): ETag, long polling,
 * and a copy of the last good one on disk, from which a gateway starts while the service is away.
 *
 * A bundle is used only after it was read, its signature checked and its module made ready; what fails is recorded, and
 * the one in force stays. A good one is swapped in as a reload is: each call ends with the bundles it began with.
 */
import { hash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPdp } from '../policies/index.ts';
import { ask, keep, keptAt, unexpected } from './bundle-fetch.ts';
import { openBundle } from './bundle-source.ts';
import type { BundleService } from './config.ts';
import type { CurrentOptions } from './current.ts';
import type { Egress } from './egress.ts';
import { recordEvent, reload } from './reload.ts';
import type { Reloadable } from './reload.ts';

/** A service that holds requests is asked again at once, but not as fast as one that only says so could answer. */
const LONG_POLL_PAUSE_MS = 100;
const LONG_POLL_TYPE = 'application/vnd.openpolicyagent.bundles';

export interface BundleFeeds {
  close(): Promise<void>;
}

export interface FeedParts extends Reloadable {
  readonly egress: Egress;
  readonly random: () => number;
}

/** One loop for each service until it is closed. */
export function startBundleFeeds(parts: FeedParts, options: CurrentOptions): BundleFeeds {
  const stop = new AbortController();
  const loops = parts
    .current()
    .configured.bundleServices.map((service) => follow({ parts, options, service }, stop.signal));
  return {
    close: async () => {
      stop.abort();
      await Promise.all(loops);
    },
  };
}

interface Feed {
  readonly parts: FeedParts;
  readonly options: CurrentOptions;
  readonly service: BundleService;
}

/** What the last answer left: its tag, and whether the service holds requests until there is news. */
interface Position {
  readonly etag: string | null;
  readonly longPoll: boolean;
  /** SHA-256 of the bundle that was refused last, so that a service without tags does not fill the ledger with it. */
  readonly refused: string | null;
}

async function follow(feed: Feed, signal: AbortSignal): Promise<void> {
  const { service, parts } = feed;
  let position: Position = { etag: null, longPoll: false, refused: null };
  while (!signal.aborted) {
    try {
      position = await step(feed, position, signal);
    } catch (error) {
      if (!signal.aborted) parts.services.log.error('bundle_service', error, { bundle: service.name });
      position = { ...position, longPoll: false };
    }
    const pause = position.longPoll ? LONG_POLL_PAUSE_MS : service.pollMs * (1 - parts.random() / 2);
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
}

async function step({ parts, options, service }: Feed, position: Position, signal: AbortSignal): Promise<Position> {
  const reply = await ask(parts.egress, service, position.etag, signal);
  const longPoll = service.waitSeconds > 0 && reply.headers.get('content-type') === LONG_POLL_TYPE;
  if (reply.status === 304) return { ...position, longPoll };
  if (reply.status !== 200) throw unexpected(service, reply.status);
  const digest = hash('sha256', reply.body, 'hex');
  const taken = digest !== position.refused && (await take({ parts, options, service }, reply.body));
  return { etag: reply.headers.get('etag') ?? null, longPoll, refused: taken ? null : digest };
}

/** Uses a bundle, or records why not and answers false. */
async function take({ parts, options, service }: Feed, bytes: Uint8Array): Promise<boolean> {
  const { configured } = parts.current();
  const path = keptAt(configured, service, options);
  const before = await readFile(path).catch(() => null);
  if (before !== null && Buffer.compare(before, bytes) === 0) return true;
  try {
    const bundle = await openBundle(bytes, service.name, { config: configured, places: options });
    await createPdp({ bundles: [bundle], tenantData: {} });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const facts = { action: 'refused', code, bundle: service.name, config: parts.current().configDigest };
    await recordEvent(parts.ledger, 'policy', facts, { reason: error instanceof Error ? error.message : code });
    parts.services.log.warn('bundle_refused', { bundle: service.name, code });
    return false;
  }
  await keep(path, bytes);
  try {
    await reload(parts, options, parts.current().configured);
  } catch (error) {
    // Recorded by the reload: what it could not use is not kept either.
    if (before !== null) await keep(path, before);
    else await rm(path, { force: true });
    throw error;
  }
  return true;
}
