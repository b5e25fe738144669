import { fork } from 'node:child_process';
import { join } from 'node:path';

/** A process of ours that answers one message at a time. */
export interface Worker {
  readonly pid: number;
  ask<T>(message: object): Promise<T>;
  stop(): Promise<void>;
}

/** Starts `<name>.js` of the compiled benchmark and waits for its first message. */
export async function startWorker(
  name: string,
  env: NodeJS.ProcessEnv = {},
): Promise<{ worker: Worker; ready: unknown }> {
  const child = fork(join(import.meta.dirname, `${name}.js`), {
    env: { ...process.env, ...env },
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  const next = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const ended = (code: number | null): void => {
        reject(new Error(`The ${name} process ended (${code ?? 'signal'}) before it answered.`));
      };
      child.once('exit', ended);
      child.once('message', (message) => {
        child.off('exit', ended);
        resolve(message);
      });
    });
  const ready = await next();
  const worker: Worker = {
    pid: child.pid ?? 0,
    ask: async <T>(message: object) => {
      const answer = next();
      child.send(message);
      return (await answer) as T;
    },
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        child.once('exit', () => {
          resolve();
        });
        child.kill('SIGKILL');
      }),
  };
  return { worker, ready };
}
