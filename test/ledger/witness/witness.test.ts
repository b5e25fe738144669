import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Egress } from '../../../gateway/egress.ts';
import type { AnchorSend } from '../../../ledger/anchor/send.ts';
import { createNoteSigner } from '../../../ledger/note/key.ts';
import { openNote } from '../../../ledger/note/note.ts';
import { askWitness } from '../../../ledger/witness/client.ts';
import type { StoredCosignature } from '../../../ledger/witness/client.ts';
import { parsePolicy } from '../../../ledger/witness/policy.ts';
import { formatAddCheckpoint } from '../../../ledger/witness/request.ts';
import { createWitnessState } from '../../../ledger/witness/state.ts';
import type { WitnessState } from '../../../ledger/witness/state.ts';
import { openConnections, PlainLog, startWitness, type TestWitness } from '../../support/anchors.ts';
import { temporaryFolder } from '../../support/folder.ts';

let log: PlainLog;
let dir: string;
let witness: TestWitness;
let connections: { readonly send: AnchorSend; readonly egress: Egress };

beforeEach(async () => {
  log = new PlainLog();
  dir = join(temporaryFolder(), 'state');
  witness = await open();
  connections = openConnections();
});
afterEach(async () => {
  await connections.egress.close();
  await witness.close();
});

function open(change: Partial<WitnessState> = {}, port = 0): Promise<TestWitness> {
  const policy = parsePolicy(`log ${log.vkey}\nquorum none\n`);
  return startWitness({ policy, state: { ...createWitnessState(dir), ...change }, port });
}

function ask(lastSize: number, from = log, size = from.leaves.length): Promise<StoredCosignature> {
  const target = { name: 'w1', key: witness.key, url: witness.url };
  const proof = (oldSize: number): Promise<string[]> => Promise.resolve(from.proof(oldSize, size));
  return askWitness({ send: connections.send, witness: target, note: from.note(size), size, lastSize, proof });
}

/** The request itself, for what our client would never send. */
async function post(
  body: string | Uint8Array,
  path = '/add-checkpoint',
  method = 'POST',
): Promise<[number, string, string]> {
  const response = await fetch(witness.url + path, { method, ...(method === 'POST' ? { body } : {}) });
  return [response.status, response.headers.get('content-type') ?? '', await response.text()];
}

const CODE = (code: string): Error => expect.objectContaining({ code }) as Error;

describe('a witness', () => {
  test('cosigns a log as it grows, and its signature stands under the checkpoint', async () => {
    log.grow(5);
    const first = await ask(0);
    expect(Math.abs(first.timeS - Date.now() / 1000)).toBeLessThan(120);
    log.grow(200);
    const second = await ask(5);
    const { verified } = openNote(log.note() + second.line, [log.signer.key, witness.key]);
    expect(verified.map(({ key }) => key.algorithm)).toEqual(['ed25519', 'cosignature']);
    const files = readdirSync(dir);
    expect(files).toHaveLength(1);
    expect(readFileSync(join(dir, files[0] ?? ''), 'utf8')).toBe(log.note());
    expect(statSync(join(dir, files[0] ?? '')).mode & 0o777).toBe(0o600);
  });

  test('tells a client with a stale size the right one, and signs the same checkpoint again', async () => {
    log.grow(7);
    await ask(0);
    log.grow(9);
    expect(await post(formatAddCheckpoint({ oldSize: 0, proof: [], note: log.note() }))).toEqual([
      409,
      'text/x.tlog.size',
      '7\n',
    ]);
    await ask(0);
    await ask(3);
    expect((await ask(16)).line).toContain('witness.test/w1');
  });

  test('refuses a fork with 422, keeps it as evidence, and goes on with the true log', async () => {
    log.grow(8);
    await ask(0);
    const fork = new PlainLog().grow(3).grow(9, 'rewritten');
    await expect(ask(8, fork)).rejects.toThrow(CODE('forked'));
    const body = formatAddCheckpoint({ oldSize: 8, proof: fork.proof(8), note: fork.note() });
    expect((await post(body))[0]).toBe(422);
    expect((await post(body))[0]).toBe(422);
    const kept = readdirSync(dir).filter((name) => name.includes('.fork-'));
    expect(kept.map((name) => readFileSync(join(dir, name), 'utf8'))).toEqual([fork.note()]);
    log.grow(1);
    await ask(8);
  });

  test('refuses another tree of the same size, a rollback, and a proof for nothing', async () => {
    log.grow(8);
    await ask(0);
    const other = new PlainLog().grow(8, 'other');
    expect(await post(formatAddCheckpoint({ oldSize: 8, proof: [], note: other.note() }))).toEqual([
      409,
      'text/x.tlog.size',
      '8\n',
    ]);
    await expect(ask(8, other)).rejects.toThrow(CODE('forked'));
    await expect(ask(4, log, 4)).rejects.toThrow(CODE('forked'));
    expect((await post(formatAddCheckpoint({ oldSize: 8, proof: [], note: log.note(4) })))[0]).toBe(400);
    log.grow(1);
    expect((await post(formatAddCheckpoint({ oldSize: 8, proof: [], note: log.note() })))[0]).toBe(422);
  });

  test('knows its logs by origin and key', async () => {
    const strange = new PlainLog('strange.test/0').grow(3);
    await expect(ask(0, strange)).rejects.toThrow('does not know this log');
    log.grow(3);
    const impostor = createNoteSigner('log.test/0', 'ed25519', Buffer.alloc(32, 4));
    expect((await post(formatAddCheckpoint({ oldSize: 0, proof: [], note: log.note(3, impostor) })))[0]).toBe(403);
    // A known key that signed another text.
    const damaged = log.note().replace('\n3\n', '\n2\n');
    expect((await post(formatAddCheckpoint({ oldSize: 0, proof: [], note: damaged })))[0]).toBe(403);
    expect(existsSync(dir)).toBe(false);
  });

  test.each([
    ['nothing', ''],
    ['no checkpoint', 'old 0\n\n'],
    ['a size with zeroes', 'old 00\n\nNOTE'],
    ['a negative size', 'old -1\n\nNOTE'],
    ['a hash that is none', 'old 0\nabc\n\nNOTE'],
    ['too many hashes', `old 1\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(64)}\nNOTE`],
    ['another first line', 'new 0\n\nNOTE'],
    ['no UTF-8', Buffer.from([0x6f, 0x6c, 0x64, 0x20, 0x30, 0x0a, 0x0a, 0xff, 0x0a])],
  ])('answers %s with a refusal', async (_name, body) => {
    log.grow(2);
    const [status] = await post(typeof body === 'string' ? body.replace('NOTE', log.note()) : body);
    expect([400, 404]).toContain(status);
  });

  test('reads no endless request, and has one path', async () => {
    expect((await post('x'.repeat(70_000)))[0]).toBe(413);
    expect((await post('', '/'))[0]).toBe(404);
    expect((await post('', '/add-checkpoint', 'GET'))[0]).toBe(405);
  });
});

describe('after a crash', () => {
  test('between persisting and answering, the same checkpoint is cosigned when asked again', async () => {
    log.grow(4);
    await ask(0);
    await witness.close();
    const { keep } = createWitnessState(dir);
    witness = await open({
      keep: async (origin, note) => {
        await keep(origin, note);
        throw new TypeError('killed');
      },
    });
    log.grow(4);
    await expect(ask(4)).rejects.toThrow(CODE('witness'));
    await witness.close();
    witness = await open();
    // What was persisted counts, though nobody heard of it: a fork from the old size comes too late.
    const fork = new PlainLog().grow(4).grow(5, 'rewritten');
    expect(await post(formatAddCheckpoint({ oldSize: 4, proof: fork.proof(4), note: fork.note() }))).toEqual([
      409,
      'text/x.tlog.size',
      '8\n',
    ]);
    await ask(4);
  });

  test('before persisting nothing is signed and nothing is known', async () => {
    await witness.close();
    witness = await open({ keep: () => Promise.reject(new TypeError('killed')) });
    log.grow(4);
    await expect(ask(0)).rejects.toThrow(CODE('witness'));
    await witness.close();
    witness = await open();
    await ask(0);
  });

  test('a state that is damaged is not taken for an empty one', async () => {
    log.grow(4);
    await ask(0);
    const file = join(dir, readdirSync(dir)[0] ?? '');
    writeFileSync(file, readFileSync(file, 'utf8').replace('\n4\n', '\n1\n'));
    log.grow(1);
    await expect(ask(4)).rejects.toThrow(CODE('witness'));
    expect((await post(formatAddCheckpoint({ oldSize: 0, proof: [], note: log.note() })))[0]).toBe(500);
  });

  test('of two requests at once the smaller never comes after the larger', async () => {
    log.grow(30);
    await ask(0, log, 1);
    await Promise.allSettled([ask(1, log, 10), ask(1, log, 30), ask(1, log, 20)]);
    const [status, , size] = await post(formatAddCheckpoint({ oldSize: 0, proof: [], note: log.note() }));
    expect([status, size]).toEqual([409, '30\n']);
  });
});

test('a request that never ends holds nothing up', async () => {
  const slow = httpRequest(`${witness.url}/add-checkpoint`, { method: 'POST', headers: { 'content-length': '500' } });
  slow.on('error', () => undefined);
  slow.write('old 0\n');
  log.grow(2);
  await ask(0);
  slow.destroy();
});
