/** Where a request comes from. Trust boundary: `x-forwarded-for` is written by whoever sends it. */
import { BlockList, isIP } from 'node:net';

/** Finds the address of the caller behind the trusted proxies. */
export type ClientAddress = (peer: string | undefined, forwardedFor: string | undefined) => string;

const MAX_HOPS = 32;

/** @param trustedProxies IP addresses or CIDR ranges, already validated */
export function clientAddressBehind(trustedProxies: readonly string[]): ClientAddress {
  if (trustedProxies.length === 0) return (peer) => plainAddress(peer ?? '');
  const trusted = new BlockList();
  for (const entry of trustedProxies) {
    const [address = '', prefix] = entry.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(prefix), family);
  }
  const isTrusted = (address: string): boolean => {
    const family = isIP(address);
    return family !== 0 && trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
  return (peer, forwardedFor) => {
    let address = plainAddress(peer ?? '');
    // From the nearest hop outwards: each entry was written by the hop before it, so the first one that no trusted proxy
    // vouches for is as far as the header can be believed.
    for (const hop of (forwardedFor ?? '').split(',').slice(-MAX_HOPS).toReversed()) {
      if (!isTrusted(address)) return address;
      const next = plainAddress(hop.trim());
      if (isIP(next) === 0) return address;
      address = next;
    }
    return address;
  };
}

/** Sources that one caller can vary at will count as one: an IPv6 host owns a whole /64. */
export function sourceOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail = ''] = address.split('::', 2);
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const missing = address.includes('::') ? Math.max(0, 8 - left.length - right.length) : 0;
  const groups = [...left, ...Array<string>(missing).fill('0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** Without the IPv4-mapped prefix a dual-stack socket adds. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}
