import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPolicyInput, policyTime } from '../../../policies/index.ts';
import { ROLES } from '../../../gateway/access/principal.ts';
import { buildCurrent } from '../../../gateway/current.ts';
import { ADMIN_ROUTES } from '../../../gateway/ingress/admin.ts';
import { AdminStand } from './stand.ts';

let stand: AdminStand;
let keyAdmin: { id: string; token: string };
let approver: { id: string; token: string };
let auditor: { id: string; token: string };
beforeAll(async () => {
  stand = await AdminStand.start();
  keyAdmin = await stand.key('_deployment', ['key-admin']);
  approver = await stand.key('_deployment', ['approver']);
  auditor = await stand.key('_deployment', ['auditor']);
});
afterAll(() => stand.close());

const codeOf = (answer: { body: Record<string, unknown> }): unknown =>
  (answer.body['error'] as { code?: string } | undefined)?.code;

describe('who gets in', () => {
  test('nobody without a credential; it is counted, not recorded', async () => {
    const before = stand.events.length;
    for (const route of ADMIN_ROUTES) {
      const path = route.path.replace('{id}', 'aaaaaaaaaaaa');
      const answer = await stand.call(route.method, path, null, route.method === 'POST' ? {} : undefined);
      expect([route.path, answer.status, codeOf(answer)]).toEqual([route.path, 401, 'invalid_api_key']);
    }
    expect(stand.refusals).toHaveLength(ADMIN_ROUTES.length);
    expect(stand.events).toHaveLength(before);
  });

  test('a caller gets nowhere, and each try is an entry', async () => {
    const { token } = await stand.key('demo', ['caller']);
    for (const path of [
      '/api/keys',
      '/api/tenants',
      '/api/ledger/status',
      '/api/config',
      '/api/approvals',
      '/api/policy',
    ]) {
      const answer = await stand.call('GET', path, token);
      expect([path, answer.status, codeOf(answer)]).toEqual([path, 403, 'policy_denied']);
    }
    const facts = (await stand.facts('access', 'demo')).at(-1);
    expect(facts).toMatchObject({
      verb: 'policy.status',
      effect: 'refused',
      code: 'policy_denied',
      rules: ['administration.role'],
    });
  });

  test("every action is somebody's: the shipped policy knows each verb", async () => {
    const current = await buildCurrent(stand.config, {
      shippedBundles: 'policies/dist',
      resolvePath: (path) => path,
    });
    for (const { verb } of ADMIN_ROUTES) {
      const allowed = ROLES.filter((role) => {
        const input = createPolicyInput({
          point: `admin.${verb}`,
          call: { id: 'c', parent: null, run: null, turn: null },
          time: policyTime(0),
          tenant: { id: '_deployment', region: null, frameworks: [], labels: {} },
          principal: { type: 'user', id: 'x', roles: [role], groups: [], claims: {}, assurance: null },
        });
        const result = current.pdp.evaluate(['baseline'], input);
        return result.outcome === 'decided' && result.decision.effect === 'allow';
      });
      expect([verb, allowed.length > 0, allowed.includes('caller')]).toEqual([verb, true, false]);
    }
  });

  test('a token of an issuer works as well as a key', async () => {
    const token = await stand.issuer.token({ org: 'root', realm_access: { roles: ['ops'] } });
    expect((await stand.call('GET', '/api/keys', token)).status).toBe(200);
    expect(codeOf(await stand.call('GET', '/api/keys', await stand.issuer.token({ org: 'root' })))).toBe(
      'policy_denied',
    );
  });

  test('two excluding roles together administer nothing', async () => {
    const token = await stand.issuer.token({ org: 'root', realm_access: { roles: ['ops', 'audit'] } });
    expect(codeOf(await stand.call('GET', '/api/keys', token))).toBe('policy_denied');
  });
});

describe('keys', () => {
  test('are made, listed without the secret, used and revoked; each change is an entry', async () => {
    const made = await stand.call('POST', '/api/keys', keyAdmin.token, {
      tenant: 'demo',
      name: 'app',
      models: ['sandbox'],
      budget: { monthly_usd: '1.5' },
      expires_at: '2099-01-01T00:00:00Z',
    });
    expect(made.status).toBe(201);
    const { id, key } = made.body as { id: string; key: string };
    expect(made.body).toMatchObject({ tenant: 'demo', roles: ['caller'], budget: { monthly_nusd: '1500000000' } });
    const listed = await stand.call('GET', '/api/keys?tenant=demo', keyAdmin.token);
    expect(listed.text).toContain(id);
    expect(listed.text).not.toContain(key.slice(16));
    const denied = await stand.call('GET', '/api/tenants', key);
    expect(codeOf(denied)).toBe('policy_denied');
    const revoked = await stand.call('POST', `/api/keys/${id}/revoke`, keyAdmin.token, { reason: 'test' });
    expect(revoked.body).toMatchObject({ id, revoked_by: `key:${keyAdmin.id}` });
    expect(codeOf(await stand.call('GET', '/api/tenants', key))).toBe('invalid_api_key');
    const facts = (await stand.facts('key')).filter((fact) => fact['key'] === id);
    expect(facts.map((fact) => fact['action'])).toEqual(['create', 'revoke']);
    expect(JSON.stringify([stand.events, stand.logLines])).not.toContain(key.slice(16));
  });

  test('what is wrong with a request is named', async () => {
    const bad: [unknown, string][] = [
      [{}, 'name'],
      [{ name: 'x', tenant: 'demo', roles: ['root'] }, 'roles.0'],
      [{ name: 'x', tenant: 'demo', unknown: 1 }, ''],
      [{ name: 'x', tenant: 'demo', models: ['nope'] }, 'models'],
      [{ name: 'x', tenant: 'demo', expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
      [{ name: 'x', tenant: 'demo', budget: { monthly_usd: '-1' } }, 'budget.monthly_usd'],
      [{ name: 'x', tenant: 'demo', roles: ['key-admin', 'auditor'] }, 'roles'],
      [{ name: 'x' }, 'tenant'],
    ];
    for (const [body, param] of bad) {
      const answer = await stand.call('POST', '/api/keys', keyAdmin.token, body);
      expect([answer.status, (answer.body['error'] as { param: string }).param]).toEqual([400, param]);
    }
    expect((await stand.call('POST', '/api/keys', keyAdmin.token, '{')).status).toBe(400);
    expect(
      (await stand.call('POST', '/api/keys', keyAdmin.token, 'a=b', { 'content-type': 'text/plain' })).status,
    ).toBe(415);
    expect((await stand.call('POST', '/api/keys', keyAdmin.token, `"${'x'.repeat(300_000)}"`)).status).toBe(413);
    expect(codeOf(await stand.call('POST', '/api/keys', keyAdmin.token, { name: 'x', tenant: 'nowhere' }))).toBe(
      'not_found',
    );
  });

  test('an unknown id is not found and an id of another shape is no id', async () => {
    expect((await stand.call('POST', '/api/keys/aaaaaaaaaaaa/revoke', keyAdmin.token, {})).status).toBe(404);
    expect((await stand.call('POST', '/api/keys/..%2f..%2f/revoke', keyAdmin.token, {})).status).toBe(404);
  });
});

describe('privileged roles take two people', () => {
  test('asked for, approved by a second person, made once', async () => {
    const wish = { tenant: 'demo', name: 'tenant admin', roles: ['tenant-admin'] };
    const first = await stand.call('POST', '/api/keys', keyAdmin.token, wish);
    expect([first.status, codeOf(first), first.headers.get('content-type')]).toEqual([
      403,
      'approval_required',
      'application/json; charset=utf-8',
    ]);
    const { id } = (first.body['error'] as { approval: { id: string } }).approval;
    const listed = await stand.call('GET', '/api/approvals?state=pending', approver.token);
    expect(listed.body['approvals']).toMatchObject([
      { id, subject: { name: 'tenant admin', roles: ['tenant-admin'] } },
    ]);
    expect(codeOf(await stand.call('POST', `/api/approvals/${id}/approve`, keyAdmin.token, {}))).toBe('policy_denied');
    expect((await stand.call('POST', `/api/approvals/${id}/approve`, approver.token, { reason: 'ok' })).status).toBe(
      200,
    );
    expect((await stand.call('POST', `/api/approvals/${id}/deny`, approver.token, {})).status).toBe(409);
    expect((await stand.call('POST', '/api/keys', keyAdmin.token, wish)).status).toBe(201);
    expect((await stand.call('POST', '/api/keys', keyAdmin.token, wish)).status).toBe(403);
    const steps = (await stand.facts('approval'))
      .filter((fact) => fact['approval'] === id)
      .map((fact) => fact['event']);
    expect(steps).toEqual(['requested', 'approved', 'consumed']);
  });

  test('the person who asked cannot approve through another role of the same identity', async () => {
    const both = { org: 'root', realm_access: { roles: ['ops', 'second'] } };
    const token = await stand.issuer.token(both);
    const asked = await stand.call('POST', '/api/keys', token, { tenant: 'demo', name: 'mine', roles: ['auditor'] });
    const { id } = (asked.body['error'] as { approval: { id: string } }).approval;
    expect(codeOf(await stand.call('POST', `/api/approvals/${id}/approve`, token, {}))).toBe('not_allowed');
    const agent = await stand.issuer.token({ ...both, sub: 'bot', act: { sub: 'alice' } });
    expect(codeOf(await stand.call('POST', `/api/approvals/${id}/approve`, agent, {}))).toBe('not_allowed');
    const other = await stand.issuer.token({ ...both, sub: 'bob' });
    expect((await stand.call('POST', `/api/approvals/${id}/approve`, other, {})).status).toBe(200);
  });
});

describe('a principal of a tenant', () => {
  test('sees and changes only its tenant', async () => {
    const admin = await stand.key('demo', ['tenant-admin']);
    const keysOfDemo = await stand.key('demo', ['key-admin']);
    const keysOfOther = await stand.key('other', ['caller']);
    expect((await stand.call('GET', '/api/tenants', admin.token)).body).toMatchObject({ tenants: [{ id: 'demo' }] });
    expect((await stand.call('GET', '/api/policy', admin.token)).body).toMatchObject({ tenants: [{ tenant: 'demo' }] });
    for (const tenant of ['other', 'nowhere', '_deployment']) {
      const answer = await stand.call('GET', `/api/tenants?tenant=${tenant}`, admin.token);
      expect([tenant, answer.status, codeOf(answer)]).toEqual([tenant, 403, 'not_allowed']);
    }
    expect(codeOf(await stand.call('GET', '/api/config', admin.token))).toBe('not_allowed');
    expect((await stand.call('GET', '/api/keys', keysOfDemo.token)).text).not.toContain(keysOfOther.id);
    expect((await stand.call('POST', `/api/keys/${keysOfOther.id}/revoke`, keysOfDemo.token, {})).status).toBe(404);
    expect(codeOf(await stand.call('POST', '/api/keys', keysOfDemo.token, { tenant: 'other', name: 'x' }))).toBe(
      'not_allowed',
    );
    const mine = await stand.call('POST', '/api/keys', keysOfDemo.token, { name: 'x' });
    expect(mine.body).toMatchObject({ tenant: 'demo' });
  });

  test('approvals of another tenant do not exist for it', async () => {
    const asked = await stand.call('POST', '/api/keys', keyAdmin.token, {
      tenant: 'other',
      name: 'z',
      roles: ['auditor'],
    });
    const { id } = (asked.body['error'] as { approval: { id: string } }).approval;
    const local = await stand.key('demo', ['approver']);
    expect((await stand.call('GET', '/api/approvals', local.token)).text).not.toContain(id);
    expect(codeOf(await stand.call('POST', `/api/approvals/${id}/approve`, local.token, {}))).toBe('not_found');
  });
});

describe('reading', () => {
  test('status, verification, configuration and policies, each with an entry before it', async () => {
    const paths = [
      '/api/ledger/status',
      '/api/config',
      '/api/policy',
      '/api/tenants',
      '/api/budgets',
      '/api/approvals',
    ];
    for (const path of paths) {
      const accesses = (): number => stand.events.filter(({ kind }) => kind === 'access').length;
      const before = accesses();
      const answer = await stand.call('GET', path, auditor.token);
      expect([path, answer.status, accesses() - before]).toEqual([path, 200, 1]);
    }
    const report = await stand.call('POST', '/api/ledger/verify', auditor.token);
    expect(report.status).toBe(200);
    expect(stand.events.at(-1)).toMatchObject({ kind: 'access', facts: { verb: 'ledger.verify', effect: 'allow' } });
    // The first use of the credential was a login, and the later ones were not.
    const logins = stand.events.filter(({ kind, detail }) => kind === 'login' && detail['key'] === auditor.id);
    expect(logins).toMatchObject([{ facts: { credential: 'api_key', roles: ['auditor'] } }]);
  });

  test('the configuration has no secret in it', async () => {
    const answer = await stand.call('GET', '/api/config', auditor.token);
    expect(answer.body).toMatchObject({ config: { tenants: [{ id: 'demo' }, { id: 'other' }] } });
    expect(answer.body['digest']).toMatch(/^[0-9a-f]{64}$/);
  });

  test('a call or a report needs a tenant, and a call that does not exist is not found', async () => {
    expect(codeOf(await stand.call('GET', '/api/calls/cs-1', auditor.token))).toBe('invalid_request');
    expect(codeOf(await stand.call('GET', '/api/costs?month=2026-11', auditor.token))).toBe('invalid_request');
    expect(codeOf(await stand.call('GET', '/api/calls/cs-1?tenant=demo', auditor.token))).toBe('not_found');
    expect(codeOf(await stand.call('GET', '/api/costs?month=2026-13&tenant=demo', auditor.token))).toBe(
      'invalid_request',
    );
    expect((await stand.facts('access', 'demo')).at(-2)).toMatchObject({
      verb: 'calls.read',
      target: 'cs-1',
      effect: 'allow',
    });
  });

  test('a call with both entries and its receipts', async () => {
    const call = 'cs-00000000000070008000000000000001';
    const item = { tenant: 'demo', call, subject: 'key:x' } as const;
    const sections = { facts: { effect: 'allow' }, content: { text: 'what was said' } };
    const decided = await stand.ledger.append({ ...item, kind: 'decision', class: 'decision', sections, open: true });
    await stand.ledger.signReceipt(decided, 'a'.repeat(64));
    await stand.ledger.append({ ...item, kind: 'outcome', class: 'outcome', sections: { facts: { status: 'ok' } } });
    const answer = await stand.call('GET', `/api/calls/${call}?tenant=demo`, auditor.token);
    expect(answer.body).toMatchObject({
      call,
      open: false,
      decision: {
        seq: decided.seq,
        hash: decided.hash,
        sections: { facts: { effect: 'allow' }, content: { text: 'what was said' } },
      },
      outcome: { sections: { facts: { status: 'ok' } } },
    });
    expect((await stand.call('GET', `/api/calls/${call}?tenant=other`, auditor.token)).status).toBe(404);
  });

  test('costs in every format', async () => {
    const json = await stand.call('GET', '/api/costs?month=2026-11&tenant=demo', auditor.token);
    expect(json.body).toMatchObject({ tenant: 'demo', month: '2026-11' });
    const csv = await stand.call('GET', '/api/costs?month=2026-11&tenant=demo&format=csv', auditor.token);
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  });

  test('without evidence nothing is read and nothing changes', async () => {
    stand.away = true;
    try {
      expect(codeOf(await stand.call('GET', '/api/tenants', auditor.token))).toBe('ledger_unavailable');
      expect(codeOf(await stand.call('POST', '/api/keys', keyAdmin.token, { tenant: 'demo', name: 'no' }))).toBe(
        'ledger_unavailable',
      );
      expect(codeOf(await stand.call('POST', `/api/keys/${auditor.id}/revoke`, keyAdmin.token, {}))).toBe(
        'ledger_unavailable',
      );
    } finally {
      stand.away = false;
    }
    expect((await stand.call('GET', '/api/tenants', auditor.token)).status).toBe(200);
  });
});

describe('the listener', () => {
  function raw(headers: Record<string, string>, path = '/api/openapi.json'): Promise<number> {
    return new Promise((resolve, reject) => {
      httpRequest({ host: '127.0.0.1', port: stand.port, path, headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
        .on('error', reject)
        .end();
    });
  }

  test('answers only to its own names and to no other web origin', async () => {
    const host = `127.0.0.1:${stand.port}`;
    expect(await raw({ host })).toBe(200);
    expect(await raw({ host: `localhost:${stand.port}` })).toBe(200);
    expect(await raw({ host: 'evil.example' })).toBe(403);
    expect(await raw({ host: '127.0.0.1.evil.example' })).toBe(403);
    expect(await raw({ host: 'evil.example' }, '/metrics')).toBe(403);
    expect(await raw({ host: 'evil.example' }, '/healthz')).toBe(200);
    expect(await raw({ host, origin: `http://${host}` })).toBe(200);
    expect(await raw({ host, origin: 'http://evil.example' })).toBe(403);
    expect(await raw({ host, origin: 'null' })).toBe(403);
    expect(await raw({ host, 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await raw({ host, 'sec-fetch-site': 'same-site' })).toBe(403);
  });

  test('has no CORS, stores nothing, is not framed', async () => {
    const answer = await stand.call('GET', '/api/openapi.json', null);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
    });
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect((await stand.call('OPTIONS', '/api/keys', null)).status).toBe(404);
  });

  test('describes every route', async () => {
    const { body } = await stand.call('GET', '/api/openapi.json', null);
    const paths = body['paths'] as Record<string, Record<string, { operationId: string; responses: object }>>;
    for (const route of ADMIN_ROUTES)
      expect(paths[route.path]?.[route.method.toLowerCase()]?.operationId).toBeDefined();
    const ids = Object.values(paths).flatMap((operations) =>
      Object.values(operations).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ADMIN_ROUTES.length);
  });

  test('health and metrics', async () => {
    expect((await stand.call('GET', '/healthz', null)).body).toEqual({ status: 'ok' });
    expect((await stand.call('GET', '/readyz', null)).body).toEqual({ ready: true, checks: { ledger: true } });
    const metrics = await stand.call('GET', '/metrics', null);
    expect(metrics.status).toBe(200);
    expect(metrics.text).toContain('# TYPE countersign_calls_total counter');
  });

  test('nothing unexpected happened', () => {
    expect(stand.logLines.filter((line) => line.includes('unexpected'))).toEqual([]);
  });
});
