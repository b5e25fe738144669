/** What an approval is about. The digest binds it to exactly one wish; whatever differs is another wish. */
import { hash } from 'node:crypto';
import { ApprovalError } from './errors.ts';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** A person or service with everything that stands for the same one: identity, credential, on-behalf-of chain. */
export interface Party {
  readonly id: string;
  /** The credential used, e.g. `key:<id>`; equal for two people who share it, who then count as one. */
  readonly credential: string;
  /** Who acts on behalf of whom, in any order. */
  readonly chain: readonly string[];
  readonly roles: readonly string[];
  /** Tenant the party belongs to; null = the whole deployment. */
  readonly tenant: string | null;
}

/** Where a request stands; see rule.ts for how it moves. */
export type ApprovalState = 'pending' | 'approved' | 'denied' | 'expired' | 'consumed';

/** What is wished for. */
export interface Wish {
  /** Tenant it concerns; null = the whole deployment. */
  readonly tenant: string | null;
  /** `noun.verb`, e.g. `keys.create`. */
  readonly action: string;
  /** Everything that matters about it, without secrets: the approver is shown this and the digest is over it. */
  readonly subject: { readonly [key: string]: JsonValue };
  /** One of these roles decides. */
  readonly approverRoles: readonly string[];
}

/** A wish of one requester and what became of it. Times are unix ms. */
export interface ApprovalRequest extends Wish {
  readonly id: string;
  readonly digest: string;
  readonly requester: string;
  readonly requesterIdentities: readonly string[];
  readonly state: ApprovalState;
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly decidedBy: string | null;
  readonly decidedIdentities: readonly string[] | null;
  readonly decidedMs: number | null;
  readonly reason: string | null;
  readonly consumedMs: number | null;
}

const MAX_SUBJECT = 32_768;
const MAX_IDENTITIES = 32;

/** SHA-256, lower hex, over the canonical form of the wish. Who asks is not in it: the rule compares people itself. */
export function wishDigest(wish: Wish): string {
  const { tenant, action, subject, approverRoles } = wish;
  const text = canonical({ v: 1, tenant, action, subject, approver_roles: [...approverRoles] });
  if (text.length > MAX_SUBJECT) {
    throw new ApprovalError(
      'invalid_request',
      `expected a subject of at most ${MAX_SUBJECT} characters, found ${text.length}`,
    );
  }
  return hash('sha256', `countersign/approval/v1\n${text}`, 'hex');
}

/** Every name that stands for the party; two parties with one in common are the same person. */
export function identitiesOf(party: Party): readonly string[] {
  const identities = [...new Set([party.id, party.credential, ...party.chain])];
  if (identities.length > MAX_IDENTITIES) {
    throw new ApprovalError('invalid_request', `expected at most ${MAX_IDENTITIES} identities of a party, found more`);
  }
  return identities;
}

/** JSON with sorted members. Numbers are integers here, so that there is one spelling of each value (RFC 8785). */
function canonical(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.keys(value)
      .toSorted()
      .map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`);
    return `{${members.join(',')}}`;
  }
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new ApprovalError('invalid_request', 'expected whole numbers in what is approved, found another number');
  }
  return JSON.stringify(value);
}
