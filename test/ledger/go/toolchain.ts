import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** The module that pins the Go packages our output is checked with. */
export const GO_MODULE = join(process.cwd(), 'test', 'ledger', 'go');

/** The go command, or null with the reason printed. In CI (COUNTERSIGN_NO_SKIP=1) a missing one fails. */
export function findGo(command = 'go'): string | null {
  try {
    execFileSync(command, ['version'], { stdio: 'pipe' });
    return command;
  } catch (error) {
    const reason = 'Go is not installed: our notes, tiles and proofs are not checked with golang.org/x/mod';
    if (process.env['COUNTERSIGN_NO_SKIP'] === '1') throw new TypeError(reason, { cause: error });
    process.stderr.write(`skipped: ${reason}\n`);
    return null;
  }
}
