import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { ApprovalError, consume, decide, identitiesOf, stateAt, wishDigest } from '../../approvals/index.ts';
import type { ApprovalRequest, Party, Wish } from '../../approvals/index.ts';

const WISH: Wish = {
  tenant: null,
  action: 'keys.create',
  subject: { name: 'ops', roles: ['key-admin'] },
  approverRoles: ['approver'],
};
const ALICE: Party = { id: 'idp:alice', credential: 'idp:alice', chain: [], roles: ['key-admin'], tenant: null };
const BOB: Party = { id: 'idp:bob', credential: 'idp:bob', chain: [], roles: ['approver'], tenant: null };

function request(over: Partial<ApprovalRequest> = {}): ApprovalRequest {
  return {
    ...WISH,
    id: 'ap-00000000000000000000000000000000',
    digest: wishDigest(WISH),
    requester: ALICE.id,
    requesterIdentities: identitiesOf(ALICE),
    state: 'pending',
    createdMs: 1000,
    expiresMs: 2000,
    decidedBy: null,
    decidedIdentities: null,
    decidedMs: null,
    reason: null,
    consumedMs: null,
    ...over,
  };
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ApprovalError) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('the two-person rule', () => {
  test('a second person approves, then it is used once', () => {
    const approved = decide(request(), 'approve', BOB, 1500, 'fine');
    expect(approved).toMatchObject({ state: 'approved', decidedBy: 'idp:bob', decidedMs: 1500, reason: 'fine' });
    const used = consume(approved, 1600);
    expect(used).toMatchObject({ state: 'consumed', consumedMs: 1600 });
    expect(codeOf(() => consume(used, 1700))).toBe('not_pending');
  });

  const same: [string, Party, Party][] = [
    ['the requester', ALICE, { ...ALICE, roles: ['approver'] }],
    ['another identity with the same credential', { ...ALICE, credential: 'key:1' }, { ...BOB, credential: 'key:1' }],
    ['an agent acting for the requester', ALICE, { ...BOB, chain: ['idp:alice'] }],
    ['the person the requester acted for', { ...ALICE, chain: ['idp:bob'] }, BOB],
    ['two with a common actor', { ...ALICE, chain: ['idp:bot'] }, { ...BOB, chain: ['idp:bot'] }],
  ];
  test.each(same)('%s cannot decide', (_name, requester, by) => {
    const open = request({ requester: requester.id, requesterIdentities: identitiesOf(requester) });
    expect(codeOf(() => decide(open, 'approve', by, 1500, null))).toBe('same_person');
    expect(codeOf(() => decide(open, 'deny', by, 1500, null))).toBe('same_person');
  });

  test('needs the role, the tenant and the time', () => {
    expect(codeOf(() => decide(request(), 'approve', { ...BOB, roles: ['auditor'] }, 1500, null))).toBe('role_missing');
    expect(codeOf(() => decide(request(), 'approve', { ...BOB, tenant: 'demo' }, 1500, null))).toBe('other_tenant');
    expect(codeOf(() => decide(request({ tenant: 'demo' }), 'approve', { ...BOB, tenant: 'other' }, 1500, null))).toBe(
      'other_tenant',
    );
    expect(codeOf(() => decide(request({ tenant: 'demo' }), 'approve', { ...BOB, tenant: 'demo' }, 1500, null))).toBe(
      'accepted',
    );
    expect(codeOf(() => decide(request(), 'approve', BOB, 2000, null))).toBe('expired');
    expect(codeOf(() => consume(decide(request(), 'approve', BOB, 1999, null), 2000))).toBe('expired');
  });

  test('nothing but approve, then use, ever leads to consumed', () => {
    const step = fc.oneof(
      fc.record({ op: fc.constantFrom('approve' as const, 'deny' as const), who: fc.constantFrom(ALICE, BOB) }),
      fc.record({ op: fc.constant('consume' as const), who: fc.constant(ALICE) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), fc.integer({ min: 1000, max: 2500 }), (steps, nowMs) => {
        let current = request();
        const done: string[] = [];
        for (const { op, who } of steps) {
          const from = stateAt(current, nowMs);
          try {
            current = op === 'consume' ? consume(current, nowMs) : decide(current, op, who, nowMs, null);
            done.push(`${from}:${op}`);
          } catch (error) {
            expect(error).toBeInstanceOf(ApprovalError);
          }
        }
        expect(['', 'pending:approve', 'pending:deny', 'pending:approve,approved:consume']).toContain(done.join());
        if (current.state !== 'pending') expect(current.decidedBy).toBe(BOB.id);
      }),
    );
  });
});

describe('the digest', () => {
  test('is the same for the same wish however its members are ordered', () => {
    expect(wishDigest({ ...WISH, subject: { roles: ['key-admin'], name: 'ops' } })).toBe(wishDigest(WISH));
    expect(wishDigest(WISH)).toMatch(/^[0-9a-f]{64}$/);
  });

  test('differs for any other wish', () => {
    const others: Wish[] = [
      { ...WISH, tenant: 'demo' },
      { ...WISH, action: 'keys.revoke' },
      { ...WISH, subject: { ...WISH.subject, name: 'ops2' } },
      { ...WISH, subject: { ...WISH.subject, roles: ['key-admin', 'approver'] } },
      { ...WISH, approverRoles: ['policy-approver'] },
    ];
    expect(new Set([WISH, ...others].map(wishDigest)).size).toBe(others.length + 1);
  });

  test('refuses what has no single spelling or no bound', () => {
    expect(codeOf(() => wishDigest({ ...WISH, subject: { x: 0.5 } }))).toBe('invalid_request');
    expect(codeOf(() => wishDigest({ ...WISH, subject: { x: 'a'.repeat(40_000) } }))).toBe('invalid_request');
  });
});
