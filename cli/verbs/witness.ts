import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import {
  createCheckpointKey,
  createNoteSigner,
  createWitness,
  createWitnessState,
  formatVerifierKey,
  readCheckpointKey,
} from '../../ledger/index.ts';
import { takeLock } from '../embedded/lock.ts';
import { CliError } from '../errors.ts';
import { readPolicyFile } from '../policy-file.ts';
import { listenForStop } from '../stop-signal.ts';
import type { Verb, VerbContext } from '../verb.ts';
import { serveWitness } from '../witness-server.ts';

/** Serves until a signal; without a database, a configuration or a connection to anywhere. */
async function run(context: VerbContext): Promise<null> {
  const { args, out, json, now } = context;
  const stop = listenForStop();
  const place = readPlace(args.text('listen') ?? '127.0.0.1:7380');
  const policy = readPolicyFile(args.required('logs'));
  const signer = await readSigner(args.required('name'), resolve(args.required('key')));
  const dir = resolve(args.required('state'));
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const lock = await takeLock(join(dir, 'lock'), 'server', { timeoutMs: 0, waitFor: () => false });
  try {
    const witness = createWitness({ signer, policy, state: createWitnessState(dir), now });
    const onError = (error: unknown): void => out.note(`Not cosigned: ${error instanceof Error ? error.message : ''}`);
    const server = await serveWitness(witness, { ...place, onError });
    const key = formatVerifierKey(witness.key);
    const text = `Witnessing ${String(policy.logs.length)} logs on ${server.url} with the key\n  ${key}\nStop with Ctrl-C.`;
    out.result(json ? JSON.stringify({ ready: true, url: server.url, key, pid: process.pid }) : text);
    await stop.wait();
    await server.close();
  } finally {
    lock.release();
  }
  return null;
}

function readPlace(listen: string): { host: string; port: number } {
  const found = /^(?:\[([0-9a-f:.]{2,45})\]|([A-Za-z0-9.-]{1,253})):([0-9]{1,5})$/i.exec(listen);
  const port = Number(found?.[3]);
  if (found !== null && port <= 65_535) return { host: found[1] ?? found[2] ?? '', port };
  throw new CliError('usage', 'witness: expected --listen as HOST:PORT, found another form.');
}

async function readSigner(name: string, path: string): Promise<ReturnType<typeof createNoteSigner>> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  await createCheckpointKey(path);
  return createNoteSigner(name, 'cosignature', await readCheckpointKey(path));
}

export const verbs: readonly Verb[] = [
  {
    path: ['witness'],
    summary: 'Cosigns the checkpoints of logs it is told of, and refuses those that do not continue what it has seen.',
    options: {
      state: { value: 'DIR', help: 'Folder with what it has cosigned. Losing it is forgetting.', required: true },
      key: { value: 'FILE', help: 'Its key; made when there is none.', required: true },
      name: { value: 'NAME', help: 'Name in its cosignatures, e.g. auditor.example/witness.', required: true },
      logs: {
        value: 'FILE',
        help: 'Policy file whose log lines name the logs (c2sp.org/tlog-policy).',
        required: true,
      },
      listen: { value: 'HOST:PORT', help: 'Where it listens; 127.0.0.1:7380 unless given, port 0 for a free one.' },
    },
    example: 'countersign witness --name auditor.example/w1 --state ./witness --key ./witness.key --logs ./logs.policy',
    details:
      'The protocol of c2sp.org/tlog-witness, for whoever should hold the operator to its word: it needs no database and no\n' +
      'configuration. Each checkpoint is on disk before it is cosigned. Put TLS in front of it when callers are elsewhere.',
    run,
  },
];
