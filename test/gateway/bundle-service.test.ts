import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Bundle } from '../../policies/index.ts';
import { compileRego, findTools } from '../policies/toolchain.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

/** A real HTTP bundle service in front of a real gateway: tags, long polling, bad bundles, and swaps under load. */
const tools = await findTools();
const run = test.skipIf(tools === null);

const POLICY = (label: string): string => `decision := {
	"effect": "allow", "reasons": [], "user_message": "",
	"obligations": [{"type": "label", "add": ["${label}"]}],
}`;

const bundles: Bundle[] = [];

beforeAll(async () => {
  if (tools === null) return;
  for (const label of ['one', 'two']) bundles.push(await compileRego(tools, 'live', POLICY(label)));
});

function bundleAt(index: number): Bundle {
  const bundle = bundles[index];
  if (bundle === undefined) throw new TypeError('no bundle');
  return bundle;
}

/** Serves `archive` with a tag; holds a request whose tag is current, when it was asked to. */
class BundleService {
  archive: Uint8Array;
  readonly requests: IncomingMessage['headers'][] = [];
  answers: number[] = [];
  readonly #server: Server;
  #waiting: (() => void)[] = [];

  constructor(archive: Uint8Array) {
    this.archive = archive;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}/bundles/live.tar.gz`;
  }

  publish(archive: Uint8Array): void {
    this.archive = archive;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  close(): void {
    this.publish(this.archive);
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(request.headers);
    const wait = /wait=(\d+)/.exec(String(request.headers['prefer']));
    const reply = (): void => {
      const etag = `"${createHash('sha256').update(this.archive).digest('hex')}"`;
      const type = wait === null ? 'application/gzip' : 'application/vnd.openpolicyagent.bundles';
      const same = request.headers['if-none-match'] === etag;
      this.answers.push(same ? 304 : 200);
      response.writeHead(same ? 304 : 200, { etag, 'content-type': type });
      response.end(same ? undefined : this.archive);
    };
    const current = request.headers['if-none-match'] === `"${createHash('sha256').update(this.archive).digest('hex')}"`;
    if (wait !== null && current) this.#waiting.push(reply);
    else reply();
  }
}

function yaml(url: string, wait: number): string {
  return `
providers:
  box: { kind: sandbox }
models:
  - { name: small, deployments: [ { provider: box, model: echo } ] }
policies:
  services:
    live: { url: "${url}", token: bundle-token, wait_s: ${String(wait)}, poll_ms: 200 }
tenants:
  - { id: demo, policies: [live] }
`;
}

async function call(gateway: TestGateway): Promise<{ status: number; policy: string | null }> {
  const response = await fetch(`${gateway.dataUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'small', messages: [{ role: 'user', content: 'hello' }] }),
  });
  await response.arrayBuffer();
  return { status: response.status, policy: response.headers.get('x-countersign-policy') };
}

interface Decided {
  readonly labels: readonly string[];
  readonly digests: readonly string[];
}

async function factsOf(gateway: TestGateway, kind: string): Promise<Record<string, unknown>[]> {
  const sql = gateway.database.connectAdmin(1);
  try {
    const rows = await sql<
      { facts: string }[]
    >`select facts from ledger.entries where kind = ${kind} order by log, seq`;
    return rows.map(({ facts }) => JSON.parse(facts) as Record<string, unknown>);
  } finally {
    await sql.end();
  }
}

describe.skipIf(tools === null)('an HTTP bundle service', () => {
  let service: BundleService;
  let gateway: TestGateway;

  beforeAll(async () => {
    service = new BundleService(bundleAt(0).archive);
    gateway = await startTestGateway(yaml(await service.start(), 30));
  }, 60_000);

  afterAll(async () => {
    service.close();
    await gateway.stop();
  }, 60_000);

  run('is asked with its token and the tag of what is known, and waits', async () => {
    await vi.waitFor(() => expect(service.requests.length).toBeGreaterThanOrEqual(3), { timeout: 20_000 });
    expect(service.requests[0]).toMatchObject({ authorization: 'Bearer bundle-token' });
    expect(service.requests.at(-1)?.['if-none-match']).toMatch(/^"[0-9a-f]{64}"$/);
    expect(service.requests.at(-1)?.['prefer']).toBe('modes=snapshot;wait=30');
    expect(await call(gateway)).toMatchObject({ status: 200, policy: bundleAt(0).identity.digest });
  });

  run('a bad bundle is an entry, and the good one stays', async () => {
    service.publish(Buffer.from('no bundle'));
    const refused = async (): Promise<Record<string, unknown>[]> =>
      (await factsOf(gateway, 'policy')).filter(({ action }) => action === 'refused');
    await vi.waitFor(async () => expect(await refused()).toHaveLength(1), { timeout: 20_000 });
    expect(await refused()).toMatchObject([{ bundle: 'live', code: 'invalid_bundle' }]);
    expect(await call(gateway)).toMatchObject({ status: 200, policy: bundleAt(0).identity.digest });
  });

  run(
    'swaps under load lose no call, and the bundle an entry names is the one that decided',
    async () => {
      let going = true;
      const answers: Awaited<ReturnType<typeof call>>[] = [];
      const callers = Array.from({ length: 6 }, async () => {
        while (going) answers.push(await call(gateway));
      });
      for (let swap = 0; swap < 12; swap += 1) {
        const next = bundleAt(swap % 2 === 0 ? 1 : 0);
        service.publish(next.archive);
        await vi.waitFor(async () => expect((await call(gateway)).policy).toBe(next.identity.digest), {
          timeout: 20_000,
        });
      }
      going = false;
      await Promise.all(callers);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(new Set(answers.map(({ policy }) => policy)).size).toBe(2);
      const labels = new Map(bundles.map(({ identity }, i) => [identity.digest, ['one', 'two'][i]]));
      const decided = (await factsOf(gateway, 'decision')).map(decidedOf);
      expect(decided.length).toBeGreaterThanOrEqual(answers.length);
      for (const { labels: found, digests } of decided)
        expect(found).toEqual(digests.map((digest) => labels.get(digest)));
    },
    120_000,
  );
});

function decidedOf(facts: Record<string, unknown>): Decided {
  const { labels, versions } = facts as { labels: string[]; versions: { bundles: { digest: string }[] } };
  return { labels, digests: versions.bundles.map(({ digest }) => digest) };
}

describe.skipIf(tools === null)('without its service', () => {
  run(
    'a gateway starts from the bundle that was kept, and not at all when there is none',
    async () => {
      const service = new BundleService(bundleAt(0).archive);
      const url = await service.start();
      service.close();
      await expect(startTestGateway(yaml(url, 0))).rejects.toMatchObject({ code: 'upstream_error' });
      const gateway = await startTestGateway(yaml(url, 0), undefined, undefined, async (folder) => {
        await mkdir(join(folder, '.countersign/bundles'), { recursive: true });
        await writeFile(join(folder, '.countersign/bundles/live.tar.gz'), bundleAt(1).archive);
      });
      expect(await call(gateway)).toMatchObject({ status: 200, policy: bundleAt(1).identity.digest });
      await gateway.stop();
    },
    120_000,
  );
});
