/**
 * The one place in the gateway that opens outbound connections. Each use stands in EGRESS_USES with its purpose and the
 * class of data that leaves; test/gateway/egress.test.ts fails when any other product file opens one.
 *
 * Trust boundary: host names come from the configuration, the addresses behind them from DNS, which others control.
 * So the decision is taken on the resolved address, before the first packet: never a link-local or cloud metadata
 * address, and no plain text except to loopback. Redirects are never followed; an undici pool does not follow them.
 */
import { lookup as systemLookup } from 'node:dns';
import type { LookupAddress, LookupAllOptions } from 'node:dns';
import { BlockList, isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import { buildConnector, Pool } from 'undici';
import type { Dispatcher } from 'undici';
import { GatewayError } from './errors.ts';

interface EgressUse {
  readonly purpose: string;
  readonly dataClass: string;
}

export const EGRESS_USES = {
  upstream: {
    purpose: 'model calls to the providers named in the configuration',
    dataClass: 'enforced request bodies and the provider credentials; only after a durable decision entry',
  },
  jwks: {
    purpose: 'discovery documents and signing keys of the configured token issuers',
    dataClass: 'none: GET requests without caller data',
  },
  remote_analyzer: {
    purpose: 'detection of personal data by the analyzers named in the configuration',
    dataClass: 'the texts of requests before redaction, without the credentials of their callers',
  },
  witness: {
    purpose: 'cosignatures of the witnesses named in the policy of ledger.witnesses',
    dataClass: 'checkpoints: sizes and hashes of the deployment log, no tenant, no content',
  },
  timestamp: {
    purpose: 'timestamps of the authorities in ledger.tsa',
    dataClass: 'hashes of checkpoints',
  },
  archive: {
    purpose: 'copies of checkpoints and tiles in the object store of ledger.archive',
    dataClass: 'checkpoints, cosignatures, timestamps and hashes, no content; signed with the access key of the store',
  },
  decision_log: {
    purpose: 'decisions to the collectors in decision_logs',
    dataClass: 'policy inputs and decisions, without what the mask takes out; facts about calls, no bodies',
  },
  bundle: {
    purpose: 'policy bundles of the services in policies.services',
    dataClass: 'none: GET requests with the token of the service',
  },
  administration: {
    purpose: 'the command line asks the administration listener of its own configuration',
    dataClass: "the administrator's own key and what is asked about",
  },
  demo: {
    purpose: 'the demonstration calls the gateway it has just started on loopback',
    dataClass: 'invented example texts',
  },
} as const satisfies Record<string, EgressUse>;

export type EgressPurpose = keyof typeof EGRESS_USES;

export type DispatchController = Dispatcher.DispatchController;
export type DispatchHandler = Dispatcher.DispatchHandler;

/** The part of an undici pool that callers need: one origin, kept-alive HTTP/1.1 connections. */
export interface EgressPool {
  dispatch(options: Dispatcher.DispatchOptions, handler: DispatchHandler): boolean;
}

export interface EgressRequest {
  readonly purpose: EgressPurpose;
  readonly url: string;
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

export interface EgressReply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export interface Egress {
  /**
   * The shared pool of an origin (`https://host[:port]`).
   * @throws GatewayError invalid_request for anything but an http or https origin
   */
  pool(purpose: EgressPurpose, origin: string): EgressPool;
  /**
   * One small request, whole answer in memory; a redirect is an answer like any other.
   * @throws GatewayError upstream_error (unreachable, refused address, over maxBytes), upstream_timeout
   */
  request(request: EgressRequest): Promise<EgressReply>;
  /** Refuses new requests, waits for those in flight, closes every connection. */
  close(): Promise<void>;
}

type ResolveAll = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface EgressOptions {
  /** Longest attempt to open one connection. A call's own connect timeout may end its wait earlier. */
  readonly connectTimeoutMs?: number;
  /** Connections per origin; further calls wait for a free one. */
  readonly connections?: number;
  /** How long an idle connection is kept when the server gives no hint. */
  readonly keepAliveMs?: number;
  readonly resolve?: ResolveAll;
}

const FORBIDDEN = new BlockList();
FORBIDDEN.addSubnet('0.0.0.0', 8, 'ipv4'); // "this host": reaches local services on Linux without being loopback by name
FORBIDDEN.addSubnet('169.254.0.0', 16, 'ipv4'); // link-local, the metadata service of most clouds (RFC 3927)
FORBIDDEN.addAddress('100.100.100.200', 'ipv4'); // Alibaba Cloud metadata
FORBIDDEN.addAddress('168.63.129.16', 'ipv4'); // Azure platform channel
FORBIDDEN.addAddress('192.0.0.192', 'ipv4'); // Oracle Cloud metadata
FORBIDDEN.addSubnet('224.0.0.0', 3, 'ipv4'); // multicast and reserved
FORBIDDEN.addAddress('::', 'ipv6');
FORBIDDEN.addSubnet('fe80::', 10, 'ipv6'); // link-local (RFC 4291)
FORBIDDEN.addAddress('fd00:ec2::254', 'ipv6'); // AWS metadata
FORBIDDEN.addSubnet('ff00::', 8, 'ipv6');
// Forms that carry an IPv4 address to another host's stack: IPv4-compatible, NAT64 and 6to4 (RFC 4291, 6052, 3056).
FORBIDDEN.addSubnet('::a9fe:0', 112, 'ipv6');
FORBIDDEN.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');
FORBIDDEN.addSubnet('2002:a9fe::', 32, 'ipv6');

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * Why an address may not be reached, or null when it may. IPv4-mapped IPv6 addresses count as the IPv4 address.
 * @param secure whether the connection is TLS
 */
export function addressProblem(address: string, secure: boolean): string | null {
  const plain = address.split('%', 1)[0] ?? '';
  const family = isIP(plain);
  if (family === 0) return 'not an IP address';
  const type = family === 4 ? 'ipv4' : 'ipv6';
  if (FORBIDDEN.check(plain, type)) return 'a link-local, metadata or unspecified address';
  if (!secure && !LOOPBACK.check(plain, type)) return 'plain http to an address that is not loopback';
  return null;
}

function refused(problem: string): GatewayError {
  return new GatewayError('upstream_error', `The configured host resolves to ${problem}, which is never connected to.`);
}

/** Every address of the name must be allowed: one bad answer among good ones is the mark of a rebinding attack. */
function guardedLookup(resolve: ResolveAll, secure: boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0);
      const [first] = addresses;
      if (first === undefined) return callback(refused('no address'), '', 0);
      for (const { address } of addresses) {
        const problem = addressProblem(address, secure);
        if (problem !== null) return callback(refused(problem), '', 0);
      }
      if (options.all === true) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}

/** Literal addresses never pass through a lookup, so they are decided here. */
function guardedConnector(secure: boolean, timeoutMs: number, resolve: ResolveAll): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMs, lookup: guardedLookup(resolve, secure) });
  return (target, callback) => {
    const problem = isIP(target.hostname) === 0 ? null : addressProblem(target.hostname, secure);
    if (problem === null) connect(target, callback);
    else process.nextTick(callback, refused(problem), null);
  };
}

function originOf(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed !== null && (parsed.protocol === 'https:' || parsed.protocol === 'http:')) return parsed;
  throw new GatewayError('invalid_request', 'Expected an http or https URL for an outbound connection.');
}

async function readBounded(body: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new GatewayError('upstream_error', `The answer is longer than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

function flatHeaders(headers: NodeJS.Dict<string | string[]>): Map<string, string> {
  const flat = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat.set(name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value);
  }
  return flat;
}

async function requestOnce(pool: Pool, request: EgressRequest): Promise<EgressReply> {
  const url = originOf(request.url);
  const deadline = AbortSignal.timeout(request.timeoutMs);
  const signal = request.signal === undefined ? deadline : AbortSignal.any([request.signal, deadline]);
  try {
    const reply = await pool.request({
      path: url.pathname + url.search,
      method: request.method ?? 'GET',
      headers: { 'accept-encoding': 'identity', ...request.headers },
      body: request.body ?? null,
      signal,
    });
    return {
      status: reply.statusCode,
      headers: flatHeaders(reply.headers),
      body: await readBounded(reply.body, request.maxBytes),
    };
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    if (deadline.aborted) {
      throw new GatewayError('upstream_timeout', `No whole answer within ${request.timeoutMs} ms.`, { cause: error });
    }
    throw new GatewayError('upstream_error', 'The host could not be reached.', { cause: error });
  }
}

export function createEgress(options: EgressOptions = {}): Egress {
  const pools = new Map<string, Pool>();
  const resolve: ResolveAll = options.resolve ?? systemLookup;
  const poolOf = (purpose: EgressPurpose, url: string): Pool => {
    const { origin, protocol } = originOf(url);
    const name = `${purpose} ${origin}`;
    let pool = pools.get(name);
    if (pool === undefined) {
      pool = new Pool(origin, {
        connections: options.connections ?? 1024,
        pipelining: 1,
        keepAliveTimeout: options.keepAliveMs ?? 30_000,
        // Every call carries its own first-byte and idle timers; undici's would cut long thinking at 300 s.
        headersTimeout: 0,
        bodyTimeout: 0,
        connect: guardedConnector(protocol === 'https:', options.connectTimeoutMs ?? 10_000, resolve),
      });
      pools.set(name, pool);
    }
    return pool;
  };
  return {
    pool: poolOf,
    request: async (request) => requestOnce(poolOf(request.purpose, request.url), request),
    close: async () => {
      await Promise.all([...pools.values()].map(async (pool) => pool.close()));
    },
  };
}
