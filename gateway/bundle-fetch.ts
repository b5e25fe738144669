/** Asks HTTP bundle services (openpolicyagent.org/docs/management-bundles), and keeps a copy of the last good bundle of each. */
import { access, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { openBundle } from './bundle-source.ts';
import type { BundlePlaces, BundleService, Config } from './config.ts';
import { createEgress } from './egress.ts';
import type { Egress, EgressReply } from './egress.ts';
import { GatewayError } from './errors.ts';

const MAX_BYTES = 16 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

/** Fetches the bundles of which no copy is kept yet: without them there is nothing to decide with. @throws GatewayError */
export async function fetchMissingBundles(config: Config, places: BundlePlaces): Promise<void> {
  for (const service of config.bundleServices) {
    const path = keptAt(config, service, places);
    const known = await access(path).then(
      () => true,
      () => false,
    );
    if (!known) await fetchFirst(config, service, places);
  }
}

async function fetchFirst(config: Config, service: BundleService, places: BundlePlaces): Promise<void> {
  const egress = createEgress({});
  try {
    const reply = await ask(egress, service, null);
    if (reply.status !== 200) throw unexpected(service, reply.status);
    await openBundle(reply.body, service.name, { config, places });
    await keep(keptAt(config, service, places), reply.body);
  } finally {
    await egress.close();
  }
}

/** The copy of a service's bundle that is kept. */
export function keptAt(config: Pick<Config, 'bundles'>, { name }: BundleService, places: BundlePlaces): string {
  return places.resolvePath(config.bundles.get(name) ?? name);
}

/** One question; with the tag of what is known the answer is 304 until there is another bundle. */
export function ask(
  egress: Egress,
  service: BundleService,
  etag: string | null,
  signal?: AbortSignal,
): Promise<EgressReply> {
  const wait = service.waitSeconds > 0 ? `modes=snapshot;wait=${service.waitSeconds}` : 'modes=snapshot';
  return egress.request({
    purpose: 'bundle',
    url: service.url,
    headers: {
      prefer: wait,
      ...(etag === null ? {} : { 'if-none-match': etag }),
      ...(service.token === null ? {} : { authorization: `Bearer ${service.token}` }),
    },
    timeoutMs: TIMEOUT_MS + service.waitSeconds * 1000,
    maxBytes: MAX_BYTES,
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Replaces the kept copy, at once or not at all. */
export async function keep(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, bytes, { mode: 0o600 });
  await rename(temporary, path);
}

export function unexpected({ name }: BundleService, status: number): GatewayError {
  return new GatewayError(
    'upstream_error',
    `Expected the bundle ${name} from its service, found the status ${status}.`,
  );
}
