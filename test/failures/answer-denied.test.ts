/** A tenant's policy that says no to an answer: whole ones never leave, of streams only what had left before. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildBundle } from '../../policies/testing.ts';
import { findTools, required } from '../policies/toolchain.ts';
import type { Answer, Facts, Stand } from './stand.ts';
import { startStand } from './stand.ts';

const tools = await findTools();
const run = test.skipIf(tools === null);

const RULES = `package countersign.main

# METADATA
# entrypoint: true
default decision := {"effect": "allow", "reasons": [], "obligations": [], "user_message": ""}

decision := {"effect": "deny", "reasons": reasons, "obligations": [], "user_message": "This answer is not for you."} if {
	input.point == "model.response"
	count(reasons) > 0
}

reasons contains reason("address") if "EMAIL_ADDRESS" in {finding.type | some finding in input.findings}

reasons contains reason("tool") if "delete_all" in {call.name | some call in input.response.tool_calls}

reasons contains reason("caller") if "silenced" in input.principal.groups

reason(rule) := {
	"rule": rule,
	"title": "Not in an answer",
	"message": "Found what this tenant does not want in answers.",
	"severity": "high",
	"controls": [],
	"path": "",
}
`;

const SECRET_END = 'Write to anna.smith@example.org';
const LONG = `${'The first part is harmless and long enough to leave early. '.repeat(20)}${SECRET_END}`;

const folder = mkdtempSync(join(tmpdir(), 'countersign-answers-'));
let stand: Stand;
let silenced = '';
beforeAll(async () => {
  if (tools === null) return;
  mkdirSync(join(folder, 'rego'));
  writeFileSync(join(folder, 'rego', 'main.rego'), RULES);
  const bundle = join(folder, 'answers.tar.gz');
  await buildBundle(join(folder, 'rego'), bundle, required(tools), { revision: 'test' });
  stand = await startStand({
    tenant: '  - { id: demo, policies: [answers] }',
    yaml: `policies: { bundles: { answers: "${bundle}" } }\n`,
  });
  silenced = (await stand.gateway.createKey({ groups: ['silenced'] })).token;
});
afterAll(async () => {
  if (tools !== null) await stand.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function outcome(answer: Answer): Promise<Facts> {
  const rows = await stand.sql<{ kind: string; facts: string }[]>`
    select kind, facts from ledger.entries where call = ${answer.call} order by seq`;
  expect(rows.map(({ kind }) => kind)).toEqual(['decision', 'outcome']);
  expect(JSON.parse(rows[0]?.facts ?? '{}')).toMatchObject({ effect: 'allow' });
  return JSON.parse(rows[1]?.facts ?? '{}') as Facts;
}

describe('answer in one piece', () => {
  run('denied: 403, nothing of it leaves, the outcome says withheld', async () => {
    stand.mock.next({ content: LONG });
    const answer = await stand.chat();
    expect([answer.status, answer.code]).toEqual([403, 'policy_denied']);
    expect(answer.text).toContain('This answer is not for you.');
    expect(answer.text).not.toMatch(/harmless|anna\.smith/);
    expect(await outcome(answer)).toMatchObject({
      status: 'withheld',
      code: 'policy_denied',
      response_effect: 'deny',
      released_bytes: 0,
    });
  });

  run('a tool call the policy forbids does not leave', async () => {
    stand.mock.next({ toolCalls: [{ name: 'delete_all', arguments: '{"sure":true}' }] });
    const answer = await stand.chat();
    expect([answer.status, answer.code]).toEqual([403, 'policy_denied']);
    expect(answer.text).not.toContain('delete_all');
    expect(await outcome(answer)).toMatchObject({ status: 'withheld', released_bytes: 0 });
  });

  run('an answer the policy has nothing against leaves as it is', async () => {
    stand.mock.next({ content: 'Nothing to hide.' });
    const answer = await stand.chat();
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('Nothing to hide.');
    expect(await outcome(answer)).toMatchObject({ status: 'ok', response_effect: 'allow' });
  });
});

/** What a stream's reader got before the error. */
function beforeError({ text }: Answer): string {
  const at = text.lastIndexOf('data: {"error"');
  expect(at).toBeGreaterThan(-1);
  return text.slice(0, at);
}

describe('stream', () => {
  run('denied at the end: the rest is withheld, error event, no [DONE], the outcome counts what had left', async () => {
    stand.mock.next({ content: LONG, chunks: 40 });
    const answer = await stand.chat({ stream: true });
    expect([answer.status, answer.code]).toEqual([200, 'policy_denied']);
    expect(answer.text).not.toContain('[DONE]');
    const received = beforeError(answer);
    expect(received).toContain('harmless');
    expect(received).not.toContain('anna.smith');
    expect(received).not.toContain('"finish_reason":"stop"');
    expect(await outcome(answer)).toMatchObject({
      status: 'withheld',
      code: 'policy_denied',
      response_effect: 'deny',
      released_bytes: Buffer.byteLength(received),
    });
  });

  run('denied before the first byte: 403 like any other refusal', async () => {
    stand.mock.next({ content: LONG, chunks: 40 });
    const headers = { authorization: `Bearer ${silenced}`, 'content-type': 'application/json' };
    const answer = await stand.chat({ stream: true }, { headers });
    expect([answer.status, answer.code]).toEqual([403, 'policy_denied']);
    expect(answer.text).not.toContain('harmless');
    expect(await outcome(answer)).toMatchObject({ status: 'withheld', response_effect: 'deny', released_bytes: 0 });
  });

  run('a tool call the policy forbids does not leave, not even its name', async () => {
    stand.mock.next({ content: 'I will see. ', toolCalls: [{ name: 'delete_all', arguments: '{"sure":true}' }] });
    const answer = await stand.chat({ stream: true });
    expect([answer.status, answer.code]).toEqual([200, 'policy_denied']);
    expect(answer.text).not.toMatch(/delete_all|sure|\[DONE\]/);
    expect(await outcome(answer)).toMatchObject({
      status: 'withheld',
      released_bytes: Buffer.byteLength(beforeError(answer)),
    });
  });
});
