import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createNoteSigner } from '../../../ledger/note/key.ts';
import { openNote } from '../../../ledger/note/note.ts';
import { askWitness } from '../../../ledger/witness/client.ts';
import { formatAddCheckpoint } from '../../../ledger/witness/request.ts';
import { openConnections, PlainLog } from '../../support/anchors.ts';
import { freePort } from '../../support/program.ts';
import { findGo } from '../go/toolchain.ts';

const go = findGo();
const MODULE = join(process.cwd(), 'test', 'ledger', 'go-witness');
const SEED = Buffer.alloc(32, 8);
/** The first build compiles SQLite; later ones come out of Go's cache. */
const BUILD_MS = 600_000;

let folder: string;
let children: ChildProcess[] = [];
let url: string;
const log = new PlainLog('countersign.test/ledger/0');
const { key } = createNoteSigner('litewitness.test/w', 'cosignature', SEED);

beforeAll(async () => {
  if (go === null) return;
  folder = mkdtempSync(join(tmpdir(), 'cs-lw-'));
  const torchwood = 'filippo.io/torchwood/cmd/litewitness';
  execFileSync(go, ['build', '-o', `${folder}/`, '.', torchwood], { cwd: MODULE, stdio: 'pipe', timeout: BUILD_MS });
  const [db, socket] = [join(folder, 'witness.db'), join(folder, 'agent')];
  const origin = log.signer.key.name;
  const fingerprint = await startAgent(['-db', db, '-socket', socket, '-seed', SEED.toString('hex'), '-origin', origin, '-vkey', log.vkey]); // prettier-ignore
  const listen = `127.0.0.1:${String(await freePort())}`;
  const witness = spawn(join(folder, 'litewitness'), ['-db', db, '-name', key.name, '-ssh-agent', socket, '-key', fingerprint, '-listen', listen]); // prettier-ignore
  children.push(witness);
  await untilPrinted(witness.stderr, 'listening');
  url = `http://${listen}`;
}, BUILD_MS);

afterAll(async () => {
  for (const child of children) {
    child.kill('SIGINT');
    if (child.exitCode === null) await once(child, 'exit');
  }
  children = [];
  if (go !== null) rmSync(folder, { recursive: true, force: true });
});

async function startAgent(args: readonly string[]): Promise<string> {
  const agent = spawn(join(folder, 'witness'), args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(agent);
  return untilPrinted(agent.stdout, 'SHA256:');
}

async function untilPrinted(stream: NodeJS.ReadableStream | null, word: string): Promise<string> {
  if (stream === null) throw new TypeError('expected a pipe');
  for await (const line of createInterface({ input: stream })) if (line.includes(word)) return line;
  throw new TypeError(`expected a line with ${word} before the end`);
}

async function post(oldSize: number, from: PlainLog, proof = from.proof(oldSize)): Promise<[number, string]> {
  const body = formatAddCheckpoint({ oldSize, proof, note: from.note() });
  const response = await fetch(`${url}/add-checkpoint`, { method: 'POST', body });
  return [response.status, await response.text()];
}

describe.skipIf(go === null)('litewitness', () => {
  test('cosigns our checkpoints as the log grows, wherever the client thinks it stands', async () => {
    const { send, egress } = openConnections();
    const witness = { name: 'litewitness', key, url };
    const ask = (lastSize: number): Promise<{ line: string; timeS: number }> => {
      const size = log.leaves.length;
      const proof = (oldSize: number): Promise<string[]> => Promise.resolve(log.proof(oldSize));
      return askWitness({ send, witness, note: log.note(), size, lastSize, proof });
    };
    for (const count of [5, 1, 300, 1000]) {
      log.grow(count);
      const { line, timeS } = await ask(0);
      const { verified } = openNote(log.note() + line, [log.signer.key, key]);
      expect(verified.map((each) => [each.key.name, each.timeS])).toEqual([[log.signer.key.name, null], [key.name, timeS]]); // prettier-ignore
    }
    await ask(1306);
    const fork = new PlainLog(log.signer.key.name).grow(1306).grow(9, 'rewritten');
    fork.leaves[3] = fork.leaves[4] ?? '';
    const proof = (oldSize: number): Promise<string[]> => Promise.resolve(fork.proof(oldSize));
    const forked = askWitness({ send, witness, note: fork.note(), size: 1315, lastSize: 1306, proof });
    await expect(forked).rejects.toMatchObject({ code: 'forked' });
    await egress.close();
  });

  test('answers as ours does: 409 for a stale size, 422 for a fork, 403 and 404 for strangers', async () => {
    const fork = new PlainLog(log.signer.key.name).grow(1400, 'rewritten');
    expect(await post(5, log)).toEqual([409, '1306\n']);
    expect((await post(1306, fork))[0]).toBe(422);
    expect((await post(1306, new PlainLog(log.signer.key.name, Buffer.alloc(32, 1)).grow(1400)))[0]).toBe(403);
    expect((await post(0, new PlainLog('strange.test/0').grow(3)))[0]).toBe(404);
  });
});
