import { pattern, words } from '../recognizer.ts';
import type { PresidioRecognizer } from '../recognizer.ts';

const raw = String.raw;
const OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const IPV4 = raw`(?:${OCTET}\.){3}${OCTET}`;
const IPV4_PREFIX = raw`(?:\/(?:3[0-2]|[0-2]?\d))?`;
const GROUP = '[0-9A-F]{1,4}';
const GROUPS = `${GROUP}(?::${GROUP}){0,6}`;
const IPV6_PREFIX = raw`(?:\/(?:12[0-8]|1[01]\d|\d{1,2}))?`;
const BEFORE = raw`(?<![\w:])`;
const AFTER = raw`(?![\w:]|\.[0-9])`;
const PAIR = '[0-9A-F]{2}';

export const NETWORK: readonly PresidioRecognizer[] = [
  {
    name: 'IpRecognizer',
    entity: 'IP_ADDRESS',
    languages: ['en'],
    standing: 'on',
    patterns: [
      pattern('IPv4', raw`\<${IPV4}${IPV4_PREFIX}\>`, 0.6),
      pattern(
        'IPv6',
        raw`${BEFORE}(?:(?:${GROUP}:){7}${GROUP}|${GROUPS}::(?:${GROUPS})?|::${GROUPS})(?:%[0-9A-Z]{1,64})?${IPV6_PREFIX}${AFTER}`,
        0.6,
      ),
      pattern(
        'IPv6 with IPv4',
        raw`${BEFORE}(?:(?:${GROUP}:){6}|(?:${GROUP}(?::${GROUP}){0,4})?::(?:${GROUP}:){0,5})${IPV4}${IPV6_PREFIX}${AFTER}`,
        0.6,
      ),
      pattern('IPv6 unspecified', raw`${BEFORE}::${IPV6_PREFIX}${AFTER}`, 0.1),
    ],
    context: words('ip, ipv4, ipv6'),
    invalidate: (match) => !isAddress(match),
    example: '192.168.0.1',
    source: 'RFC 791, RFC 4291 section 2.2, RFC 4632 and RFC 4007 for prefix and zone',
  },
  {
    name: 'MacAddressRecognizer',
    entity: 'MAC_ADDRESS',
    languages: ['en'],
    standing: 'on',
    patterns: [
      pattern('MAC_COLON_OR_HYPHEN', raw`\<(?:${PAIR}(?::${PAIR}){5}|${PAIR}(?:-${PAIR}){5})\>`, 0.6),
      pattern('MAC_CISCO_DOT', raw`\<[0-9A-F]{4}\.[0-9A-F]{4}\.[0-9A-F]{4}\>`, 0.6),
    ],
    context: words('mac, mac address, hardware address, physical address, ethernet'),
    invalidate: (match) => /^(?:0+|F+)$/i.test(match.replace(/[:.-]/g, '')),
    example: '00:1A:2B:3C:4D:5E',
    source: 'IEEE 802-2014 clause 8: EUI-48; neither the null nor the broadcast address',
  },
];

/** The expressions admit too many groups beside `::`; an IPv4 tail counts as two. */
function isAddress(match: string): boolean {
  const address = match.replace(/[%/].*$/s, '');
  if (!address.includes(':')) return true;
  const groups = address.split(/::?/).filter((group) => group !== '');
  const count = groups.reduce((sum, group) => sum + (group.includes('.') ? 2 : 1), 0);
  return address.includes('::') ? count <= 7 : count === 8;
}
