/**
 * As much of DER (X.690) as RFC 3161 needs: definite lengths, at most 32 levels, bytes that are looked at and never copied.
 * Anything else is null, and what is null is refused.
 */
export interface DerNode {
  /** The identifier octet: class, constructed bit and number, for numbers up to 30. */
  readonly tag: number;
  /** Contents. */
  readonly value: Uint8Array;
  /** Identifier, length and contents. */
  readonly whole: Uint8Array;
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  octets: 0x04,
  null: 0x05,
  oid: 0x06,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

const MAX_CHILDREN = 256;

/** The one element that the bytes are. */
export function readDer(bytes: Uint8Array): DerNode | null {
  const node = readFirst(bytes);
  return node !== null && node.whole.length === bytes.length ? node : null;
}

/** The elements that a value is made of; null when it is not exactly that, or of more than 256. */
export function readChildren(node: DerNode | null | undefined): DerNode[] | null {
  if (node === null || node === undefined) return null;
  const children: DerNode[] = [];
  for (let at = 0; at < node.value.length;) {
    const child = readFirst(node.value.subarray(at));
    if (child === null || children.length === MAX_CHILDREN) return null;
    children.push(child);
    at += child.whole.length;
  }
  return children;
}

function readFirst(bytes: Uint8Array): DerNode | null {
  const [tag = 0, first = 0] = bytes;
  // Numbers above 30 take more octets, and an indefinite length (0x80) is not DER.
  if (bytes.length < 2 || (tag & 0x1f) === 0x1f || first === 0x80) return null;
  let length = first;
  let start = 2;
  if (first > 0x80) {
    const octets = first - 0x80;
    if (octets > 4 || bytes.length < 2 + octets) return null;
    length = 0;
    for (const octet of bytes.subarray(2, 2 + octets)) length = length * 256 + octet;
    start = 2 + octets;
    // One spelling of each length.
    if (length < 0x80 || length < 256 ** (octets - 1)) return null;
  }
  if (start + length > bytes.length) return null;
  return { tag, value: bytes.subarray(start, start + length), whole: bytes.subarray(0, start + length) };
}

/** An element with these contents. */
export function writeDer(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(contents);
  if (value.length < 0x80) return Buffer.concat([Buffer.of(tag, value.length), value]);
  const hex = value.length.toString(16);
  const length = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.of(tag, 0x80 + length.length), length, value]);
}

/** An object identifier from its dotted form. */
export function writeOid(dotted: string): Buffer {
  const [first = 0, second = 0, ...arcs] = dotted.split('.').map(Number);
  return writeDer(TAG.oid, Buffer.from([first * 40 + second, ...arcs.flatMap(base128)]));
}

function base128(arc: number): number[] {
  const octets = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) octets.unshift(128 + (rest % 128));
  return octets;
}

/** Does an element say exactly what another does? */
export function sameBytes(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0;
}

/** A non-negative INTEGER of up to 20 octets, lower hex without leading zeroes; null for another element. */
export function readInteger(node: DerNode | undefined): string | null {
  if (node?.tag !== TAG.integer || node.value.length < 1 || node.value.length > 21 || (node.value[0] ?? 0) > 0x7f)
    return null;
  return Buffer.from(node.value)
    .toString('hex')
    .replace(/^0+(?=.)/, '');
}

/** A GeneralizedTime in UTC as unix ms; fractions of a second are cut to ms. */
export function readTime(node: DerNode | undefined): number | null {
  if (node?.tag !== TAG.generalizedTime) return null;
  const text = Buffer.from(node.value).toString('latin1');
  const found = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(?:\.(\d{1,9}))?Z$/.exec(text);
  if (found === null) return null;
  const [, year, month, day, hour, minute, second, fraction = ''] = found;
  const iso = `${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}`;
  const ms = Date.parse(`${iso}.${fraction.padEnd(3, '0').slice(0, 3)}Z`);
  // Dates that do not exist are moved by some parsers; here they are refused.
  return Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(iso) ? null : ms;
}
