import { spawn } from 'node:child_process';

const KEPT_CHARACTERS = 20_000;
const PROGRESS_MS = 10_000;

/**
 * Runs a program to its end, keeping the tail of what it prints.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, show?: boolean, progress?: (seconds: number) => void }} options
 *   show: print its output as it comes; progress: called every 10 s
 * @returns {Promise<{ status: number, output: string }>} status -1 when it could not be started
 */
export function runProgram(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', options.show ? 'inherit' : 'pipe', options.show ? 'inherit' : 'pipe'],
    });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk.toString('utf8')).slice(-KEPT_CHARACTERS);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    const started = Date.now();
    const ticking = setInterval(() => options.progress?.(Math.round((Date.now() - started) / 1000)), PROGRESS_MS);
    const finish = (status, extra) => {
      clearInterval(ticking);
      resolve({ status, output: output + extra });
    };
    child.once('error', (error) => finish(-1, error.message));
    child.once('close', (code, signal) => finish(code ?? 1, signal === null ? '' : `\nended by ${signal}`));
  });
}
