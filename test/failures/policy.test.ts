/** DESIGN §6: policy bundle missing, trapped, over its budget, undefined or speaking a language the gateway does not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildBundle } from '../../policies/testing.ts';
import { findTools, required } from '../policies/toolchain.ts';
import { startTestGateway } from '../support/gateway.ts';
import { startMockUpstream } from '../support/mock-upstream.ts';
import type { Stand } from './stand.ts';
import { configuration, startStand } from './stand.ts';

const tools = await findTools();
const run = test.skipIf(tools === null);

const decision = (over: object): string =>
  JSON.stringify({ effect: 'allow', reasons: [], obligations: [], user_message: '', ...over });
const ALLOW = decision({});

/** Policies that cannot decide a request, each in its own way; all but the last allow the answer. */
const REQUEST_FAULTS: Readonly<Record<string, { rego: string; code: string }>> = {
  trap: { rego: `decision := ${ALLOW}\n\ndecision := {} if input.point == "model.request"`, code: 'trap' },
  fuel: {
    rego: `decision := ${ALLOW} if not endless

endless if {
\tinput.point == "model.request"
\tevery n in numbers.range(1, 2000) { not contains(data.haystack, format_int(n, 10)) }
}`,
    code: 'fuel',
  },
  memory: {
    // Template strings use memory up faster than fuel.
    rego: `decision := ${ALLOW} if {\n\tevery a in numbers.range(1, size) {\n\t\tsome b in numbers.range(1, size)\n\t\t$"{a} of {b}" != ""\n\t}\n}\n\nsize := 2000 if {\n\tinput.point == "model.request"\n} else := 3`,
    code: 'memory',
  },
  undefined: { rego: `decision := ${ALLOW} if input.point != "model.request"`, code: 'undefined' },
  obligation: {
    rego: `decision := ${decision({ obligations: [{ type: 'notify', channel: 'ops' }] })}`,
    code: 'unknown_obligation',
  },
  shape: { rego: `decision := ${decision({ effect: 'maybe' })}`, code: 'invalid_decision' },
};
const ANSWER_FAULT = `decision := ${ALLOW}\n\ndecision := {} if input.point == "model.response"`;
const DENY = `decision := ${decision({ effect: 'deny', user_message: 'Not today.' })}`;

const folder = mkdtempSync(join(tmpdir(), 'countersign-policy-faults-'));
let stand: Stand | null = null;
const tokens = new Map<string, string>();

async function bundle(name: string, rego: string): Promise<string> {
  const dir = join(folder, name);
  await mkdir(dir, { recursive: true });
  writeFileSync(join(dir, 'main.rego'), `package countersign.main\n\n# METADATA\n# entrypoint: true\n${rego}\n`);
  writeFileSync(join(dir, 'data.json'), JSON.stringify({ haystack: 'x'.repeat(20_000) }));
  const out = join(folder, `${name}.tar.gz`);
  await buildBundle(dir, out, required(tools), { revision: 'test' });
  return out;
}

beforeAll(async () => {
  if (tools === null) return;
  const rules = Object.entries(REQUEST_FAULTS).map(([name, { rego }]) => [name, rego]);
  const all: Record<string, string> = {
    ...Object.fromEntries(rules),
    answer: ANSWER_FAULT,
    deny: DENY,
    allow: `decision := ${ALLOW}`,
  };
  const paths = await Promise.all(Object.entries(all).map(async ([name, rego]) => [name, await bundle(name, rego)]));
  const tenants = Object.keys(all).map((name) => `  - { id: ${name}, policies: [${name}] }`);
  stand = await startStand({
    tenant: `  - { id: demo, policies: [allow] }\n${tenants.join('\n')}`,
    yaml: `policies: { bundles: ${JSON.stringify(Object.fromEntries(paths))} }\n`,
  });
  for (const name of ['demo', ...Object.keys(all)])
    tokens.set(name, (await stand.gateway.createKey({ tenant: name })).token);
});

function bearer(token: string | undefined): Record<string, string> {
  return { authorization: `Bearer ${token ?? ''}`, 'content-type': 'application/json' };
}
afterAll(async () => {
  await stand?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Entry {
  readonly kind: string;
  readonly facts: Record<string, unknown>;
}

/** One call of a tenant: what it was told, what was sent, what was written. */
async function call(tenant: string, body: object = {}): Promise<{ answer: Told; sent: number; entries: Entry[] }> {
  if (stand === null) throw new TypeError('this test needs the policy compiler');
  const before = stand.mock.counters.requests;
  const answer = await stand.chat(body, { headers: bearer(tokens.get(tenant)) });
  const rows = await stand.sql<{ kind: string; facts: string }[]>`
    select kind, facts from ledger.entries where call = ${answer.call} order by seq`;
  const entries = rows.map(({ kind, facts }) => ({ kind, facts: JSON.parse(facts) as Record<string, unknown> }));
  return { answer, sent: stand.mock.counters.requests - before, entries };
}
type Told = Awaited<ReturnType<Stand['chat']>>;

describe('policy cannot decide: 503, nothing sent, entry with effect undecided', () => {
  run.each(Object.entries(REQUEST_FAULTS))('%s', async (name, { code }) => {
    for (const stream of [false, true]) {
      const { answer, sent, entries } = await call(name, { stream });
      expect([answer.status, answer.code, sent]).toEqual([503, 'policy_unavailable', 0]);
      expect(entries).toMatchObject([
        { kind: 'decision', facts: { effect: 'undecided', undecided: code, code: 'policy_unavailable' } },
      ]);
      expect(answer.headers.get('x-countersign-receipt')).not.toBeNull();
    }
  });

  run('a trap ends one evaluation: other tenants and later calls are decided', async () => {
    const results = await Promise.all([call('trap'), call('demo'), call('fuel'), call('demo'), call('memory')]);
    expect(results.map(({ answer }) => answer.status)).toEqual([503, 200, 503, 200, 503]);
  });

  run('a denial is another thing: 403, nothing sent, entry with effect deny', async () => {
    const { answer, sent, entries } = await call('deny');
    expect([answer.status, answer.code, sent]).toEqual([403, 'policy_denied', 0]);
    expect(answer.text).toContain('Not today.');
    expect(entries).toMatchObject([{ kind: 'decision', facts: { effect: 'deny', code: 'policy_denied' } }]);
  });
});

describe('policy cannot decide about the answer: withheld, and recorded as withheld', () => {
  run.each([false, true])('stream: %s', async (stream) => {
    stand?.mock.next({ content: 'The answer nobody may see.' });
    const { answer, sent, entries } = await call('answer', { stream });
    expect([answer.status, answer.code, sent]).toEqual([503, 'policy_unavailable', 1]);
    expect(answer.text).not.toContain('nobody may see');
    expect(entries).toMatchObject([
      { kind: 'decision', facts: { effect: 'allow' } },
      {
        kind: 'outcome',
        facts: { status: 'withheld', code: 'policy_unavailable', response_effect: 'undecided', released_bytes: 0 },
      },
    ]);
  });
});

const BAD_BUNDLES: Readonly<Record<string, (path: string) => void>> = {
  missing: (path) => {
    rmSync(path, { force: true });
  },
  'not a bundle': (path) => {
    writeFileSync(path, 'not a bundle');
  },
};

describe('policy bundle bad', () => {
  run.each(Object.entries(BAD_BUNDLES))('%s at the start: the gateway does not start', async (_, spoil) => {
    const path = join(folder, 'start.tar.gz');
    spoil(path);
    const mock = await startMockUpstream();
    const yaml = configuration(mock, {
      tenant: '  - { id: demo, policies: [own] }',
      yaml: `policies: { bundles: { own: "${path}" } }\n`,
    });
    await expect(startTestGateway(yaml)).rejects.toThrow(/own|start\.tar\.gz/);
    await mock.close();
  });

  run.each(Object.entries(BAD_BUNDLES))(
    '%s at a reload: the last good one stays, a policy entry has the reason',
    async (_, spoil) => {
      const allow = await bundle('changing', `decision := ${ALLOW}`);
      const mine = await startStand({
        tenant: '  - { id: demo, policies: [changing] }',
        yaml: `policies: { bundles: { changing: "${allow}" } }\n`,
      });
      const config = mine.gateway.configFrom(
        configuration(mine.mock, {
          tenant: '  - { id: demo, policies: [changing] }',
          yaml: `policies: { bundles: { changing: "${allow}" } }\n`,
        }),
      );
      const before = await mine.chat();
      spoil(allow);
      await expect(mine.gateway.reload(config)).rejects.toThrow();
      const after = await mine.chat();
      expect([before.status, after.status]).toEqual([200, 200]);
      expect(after.headers.get('x-countersign-policy')).toBe(before.headers.get('x-countersign-policy'));
      expect((await mine.facts('policy')).slice(1)).toMatchObject([
        { action: 'refused', code: expect.any(String) as string },
      ]);

      await bundle('changing', DENY);
      await mine.gateway.reload(config);
      expect((await mine.chat()).status).toBe(403);
      await mine.stop();
    },
  );
});
