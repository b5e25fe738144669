import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The code blocks of VERIFY.md, in their order. */
export const NOTE_BLOCKS = ['files', 'entries', 'views', 'checkpoint', 'signatures', 'timestamps'] as const;

/** The code blocks of a folder's VERIFY.md, as they stand. */
export function noteBlocks(dir: string): string[] {
  const text = readFileSync(join(dir, 'VERIFY.md'), 'utf8');
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map((found) => found[1] ?? '');
}

/** Runs one block as the page says: bash, in the folder, with nothing but what the reader set. */
export function runNoteBlock(
  dir: string,
  name: (typeof NOTE_BLOCKS)[number],
  env: Readonly<Record<string, string>> = {},
): { readonly status: number | null; readonly said: string } {
  const block = noteBlocks(dir)[NOTE_BLOCKS.indexOf(name)] ?? 'exit 99';
  const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', block], {
    cwd: dir,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], GOPROXY: 'off', LC_ALL: 'C.UTF-8', ...env },
    timeout: 240_000,
  });
  return { status, said: stdout + stderr };
}
