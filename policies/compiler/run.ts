import { spawn } from 'node:child_process';
import { PolicyError } from '../errors.ts';

export interface OpaResult {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

const MAX_OUTPUT_BYTES = 32 * 1024 * 1024;
const TIMEOUT_MS = 5 * 60_000;

/**
 * Runs opa in a folder and collects what it prints. Arguments are passed as a list, never through a shell.
 * Throws PolicyError `compiler_failed` when it cannot be started, prints too much or does not end.
 */
export async function runOpa(opa: string, args: readonly string[], cwd: string, stdin = ''): Promise<OpaResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(opa, args, { cwd, stdio: 'pipe', timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
    const fail = (what: string, cause?: unknown): void => {
      reject(new PolicyError('compiler_failed', `opa ${args[0] ?? ''}: ${what}`, { cause }));
    };
    const collect = (stream: NodeJS.ReadableStream): Buffer[] => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_OUTPUT_BYTES) child.kill('SIGKILL');
        else chunks.push(chunk);
      });
      return chunks;
    };
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    child.on('error', (cause) => fail('it could not be started', cause));
    child.on('close', (exit) => {
      if (exit === null) fail('it did not end, or printed more than 32 MiB');
      else resolve({ exit, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
  });
}
