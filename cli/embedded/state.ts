import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CliError, errno } from '../errors.ts';
import { canEnter, type Account } from './account.ts';
import { writeWhole } from './files.ts';

/**
 * What has to survive a restart: where the database lives and the two passwords. One file, mode 0600, in the state
 * folder of the clone; the database itself may lie elsewhere, so this file is also the pointer to it.
 */
export interface EmbeddedState {
  readonly format: 1;
  /** The folder that holds `data`, the socket folder and the configuration. */
  readonly home: string;
  readonly superuserPassword: string;
  readonly gatewayPassword: string;
}

const STATE_FILE = 'embedded.json';

/** Reads the state, or makes it at the first start. */
export function loadState(dataRoot: string, account: Account | null, elsewhere: string): EmbeddedState {
  const path = join(dataRoot, STATE_FILE);
  const known = readState(dataRoot);
  if (known !== null) return known;
  const state: EmbeddedState = {
    format: 1,
    home: chooseHome(dataRoot, account, elsewhere),
    superuserPassword: randomBytes(32).toString('hex'),
    gatewayPassword: randomBytes(32).toString('hex'),
  };
  writeWhole(path, `${JSON.stringify(state, null, 2)}\n`, 0o600);
  return state;
}

/** The state, or null before the first start. @throws CliError `state_broken` */
export function readState(dataRoot: string): EmbeddedState | null {
  const path = join(dataRoot, STATE_FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errno(error) === 'ENOENT') return null;
    throw new CliError(
      'state_broken',
      `Cannot read ${path} (${errno(error) ?? 'unknown'}): it belongs to the user who started first.`,
    );
  }
  return parseState(path, text);
}

function parseState(path: string, text: string): EmbeddedState {
  try {
    const value = JSON.parse(text) as Partial<EmbeddedState>;
    const passwords = [value.superuserPassword, value.gatewayPassword];
    if (
      value.format === 1 &&
      typeof value.home === 'string' &&
      passwords.every((word) => /^[0-9a-f]{64}$/.test(word ?? ''))
    ) {
      return value as EmbeddedState;
    }
  } catch {
    // Not JSON: the same answer as JSON of another shape.
  }
  throw new CliError(
    'state_broken',
    `Expected ${path} to hold the location and the passwords of the embedded database, found something else. ` +
      'Restore it from a backup. To begin anew, move its folder away: keys and ledger in it are then no longer used.',
  );
}

/**
 * In the state folder itself, unless PostgreSQL's account cannot enter it (a clone below root's home). The name is
 * random, so that a clone removed and made again never meets a database whose passwords it does not have.
 */
function chooseHome(dataRoot: string, account: Account | null, elsewhere: string): string {
  if (account === null || canEnter(dataRoot, account)) return join(dataRoot, 'postgres');
  const clone = createHash('sha256').update(dataRoot).digest('hex').slice(0, 8);
  return join(elsewhere, `${clone}-${randomBytes(4).toString('hex')}`);
}

/** Whether a data folder was ever completed there. */
export function hasData(home: string): boolean {
  return existsSync(join(home, 'data'));
}

/** Unix socket addresses end at 104 bytes on macOS and 108 on Linux. */
const SOCKET_PATH_MAX_BYTES = 100;

/** The folder for the socket: beside the data, or a short private one where that path would be too long. */
export function socketFolder(home: string, temporary: readonly string[]): string {
  const near = join(home, 'run');
  if (fits(near)) return near;
  const short = `countersign-${createHash('sha256').update(home).digest('hex').slice(0, 16)}`;
  const found = temporary.map((folder) => join(folder, short)).find(fits);
  if (found !== undefined) return found;
  throw new CliError(
    'folder_not_private',
    `Expected a folder whose socket path stays under ${String(SOCKET_PATH_MAX_BYTES)} bytes, found none: ` +
      `${basename(home)} lies too deep and so does the temporary folder. Set TMPDIR to a short path.`,
  );
}

function fits(folder: string): boolean {
  return Buffer.byteLength(join(folder, '.s.PGSQL.5432.lock')) < SOCKET_PATH_MAX_BYTES;
}
