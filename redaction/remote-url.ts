/** Remote URLs a provider would fetch: where they point, and whether that is a private place. */
import { isIPv4 } from 'node:net';

/** Where a URL points, without its path and query. */
export interface RemoteUrl {
  readonly scheme: string;
  readonly host: string;
  /** Loopback, private, link-local or reserved address, single-label or local name, or a form readers disagree on. */
  readonly private: boolean;
}

const UNREADABLE: RemoteUrl = { scheme: '', host: '', private: true };

/** Names that never resolve on the public internet: RFC 6761, RFC 6762, RFC 8375, ICANN `.internal`. */
const LOCAL_SUFFIXES = [
  '.localhost',
  '.local',
  '.internal',
  '.home.arpa',
  '.lan',
  '.corp',
  '.home',
  '.intranet',
  '.test',
];

/** IANA special-purpose IPv4 ranges: [network, prefix length]. */
const SPECIAL_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];

/** Global unicast is 2000::/3; inside it, tunnels that carry an IPv4 address and documentation are treated as private. */
const SPECIAL_V6_GLOBAL = /^(?:2001:0?:|2001::|2001:db8:|2002:)/;

/**
 * Reads the URL as browsers do (WHATWG), which also settles odd IPv4 notations (`0x7f.1`, `2130706433`). Where other readers
 * are known to see another host (user information, backslashes, control characters) it counts as private.
 */
export function readRemoteUrl(text: string): RemoteUrl {
  const url = parseUrl(text);
  if (url === null) return UNREADABLE;
  const host = url.hostname.replace(/\.$/, '');
  return {
    scheme: url.protocol.slice(0, -1),
    host,
    private: isAmbiguous(text, url) || isPrivateHost(host),
  };
}

function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

function isAmbiguous(text: string, url: URL): boolean {
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
  return (
    !isWeb ||
    url.username !== '' ||
    url.password !== '' ||
    /[\\\s\p{Cc}]/u.test(text) ||
    /^[a-z]+:\/\/[^/?#]*[@%]/i.test(text)
  );
}

function isPrivateHost(host: string): boolean {
  if (host.startsWith('[')) return isPrivateV6(host.slice(1, -1));
  if (isIPv4(host)) return isPrivateV4(host);
  return !host.includes('.') || LOCAL_SUFFIXES.some((suffix) => host.endsWith(suffix));
}

function isPrivateV4(address: string): boolean {
  const value = toNumber(address);
  return SPECIAL_V4.some(([network, bits]) => {
    const size = 2 ** (32 - bits);
    return Math.floor(value / size) === Math.floor(toNumber(network) / size);
  });
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

function isPrivateV6(address: string): boolean {
  return !/^[23]/.test(address) || !/^[0-9a-f]{4}:/.test(address) || SPECIAL_V6_GLOBAL.test(address);
}
