import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openNote } from '../../ledger/note/note.ts';
import { parseVerifierKey } from '../../ledger/note/key.ts';
import { formatAddCheckpoint } from '../../ledger/witness/request.ts';
import { PlainLog } from '../support/anchors.ts';
import { temporaryFolder } from '../support/folder.ts';
import { run, start, type Running } from '../support/program.ts';

test('a witness on the command line remembers over being killed, and has its folder for itself', async () => {
  const folder = temporaryFolder();
  const log = new PlainLog().grow(6);
  writeFileSync(join(folder, 'logs.policy'), `# the logs\nlog ${log.vkey}\nquorum none\n`);
  const argv = ['witness', '--name', 'auditor.test/w1', '--state', 'state', '--key', 'witness.key', '--logs', 'logs.policy', '--listen', '127.0.0.1:0', '--json']; // prettier-ignore
  const ready = async (witness: Running): Promise<{ url: string; key: string }> =>
    JSON.parse(await witness.line((line) => line.includes('"ready"'))) as { url: string; key: string };
  const ask = (url: string, oldSize: number, from: PlainLog): Promise<Response> =>
    fetch(`${url}/add-checkpoint`, {
      method: 'POST',
      body: formatAddCheckpoint({ oldSize, proof: from.proof(oldSize), note: from.note() }),
    });

  const first = start(argv, { cwd: folder });
  const { url, key } = await ready(first);
  const cosigned = await ask(url, 0, log);
  expect(cosigned.status).toBe(200);
  expect(openNote(log.note() + (await cosigned.text()), [parseVerifierKey(key)]).verified).toHaveLength(1);
  const second = await run(argv, { cwd: folder });
  expect([second.status, second.stderr + second.stdout]).toEqual([1, expect.stringContaining('already running')]);
  first.child.kill('SIGKILL');
  await first.finished;

  const again = start(argv, { cwd: folder });
  const reopened = await ready(again);
  expect(reopened.key).toBe(key);
  expect((await ask(reopened.url, 6, new PlainLog().grow(2).grow(9, 'rewritten'))).status).toBe(422);
  expect((await ask(reopened.url, 6, log.grow(3))).status).toBe(200);
  again.child.kill('SIGTERM');
  expect((await again.finished).status).toBe(0);
});

test('a policy that names no quorum, or no file, is said so', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'logs.policy'), 'quorum nobody\n');
  const argv = (logs: string): string[] => ['witness', '--name', 'w', '--state', 's', '--key', 'k', '--logs', logs];
  const wrong = await run(argv('logs.policy'), { cwd: folder });
  expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('line 1: expected quorum none')]);
  const none = await run(argv('missing'), { cwd: folder });
  expect([none.status, none.stderr]).toEqual([1, expect.stringContaining('policy file')]);
});
