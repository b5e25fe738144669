import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readValue } from '../../policies/wasm/value.ts';
import type { Value } from '../../policies/wasm/value.ts';

/** The real opa, answering over a socket of its own. */
export interface OpaServer {
  /** The answer's `result`; undefined when the document is. `json` is the text of the input. */
  readonly ask: (path: string, json: string) => Promise<unknown>;
  /** The same with every digit of its numbers. */
  readonly askExactly: (path: string, json: string) => Promise<Value>;
  readonly put: (path: string, body: unknown) => Promise<void>;
  readonly close: () => void;
}

let started = 0;

/** Serves a folder of Rego as a bundle, without its tests. */
export async function startOpa(opa: string, dir: string): Promise<OpaServer> {
  started += 1;
  const socket = join('/tmp', `countersign-opa-${process.pid}-${started}.sock`);
  const args = ['run', '--server', '--addr', `unix://${socket}`, '--log-level', 'error', '--bundle'];
  const server = spawn(opa, [...args, '--ignore', '*_test.rego', '.'], { cwd: dir, stdio: 'ignore' });
  for (let tries = 0; ; tries += 1) {
    const up = await send(socket, 'GET', '/health', null).catch(() => null);
    if (up !== null) break;
    if (tries > 600) throw new Error('opa does not answer');
    await sleep(50);
  }
  const post = async (path: string, json: string): Promise<string> => send(socket, 'POST', path, `{"input":${json}}`);
  return {
    ask: async (path, json) => resultOf(JSON.parse(await post(path, json))),
    askExactly: async (path, json) => readValue(await post(path, json)),
    put: async (path, body) => {
      const answer = await send(socket, 'PUT', path, JSON.stringify(body));
      if (answer !== '') throw new Error(`opa answered ${answer}`);
    },
    close: () => server.kill('SIGKILL'),
  };
}

function resultOf(answer: unknown): unknown {
  return typeof answer === 'object' && answer !== null && 'result' in answer ? answer.result : undefined;
}

async function send(socketPath: string, method: string, path: string, body: string | null): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, headers: { 'content-type': 'application/json' } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve(Buffer.concat(chunks).toString()));
    });
    sent.on('error', reject);
    sent.end(body ?? undefined);
  });
}
