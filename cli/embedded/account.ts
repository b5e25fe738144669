import { readFileSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { CliError } from '../errors.ts';

/** The operating-system account PostgreSQL runs under; null means "ours", because we are not root. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** In order of preference. Both exist on common systems; we never create a user on somebody's host. */
const CANDIDATES = ['postgres', 'nobody'] as const;

/**
 * PostgreSQL refuses to run as root, and initdb needs an account that is listed in the system's user file.
 * @param passwd content of the user file, in the format of passwd(5)
 * @throws CliError `no_unprivileged_user`
 */
export function chooseAccount(uid: number | undefined, passwd: () => string = readPasswd): Account | null {
  if (uid !== 0) return null;
  const lines = passwd().split('\n');
  for (const name of CANDIDATES) {
    const account = parseAccount(lines.find((line) => line.startsWith(`${name}:`)));
    if (account !== null) return account;
  }
  throw new CliError(
    'no_unprivileged_user',
    `Running as root, PostgreSQL needs an unprivileged account: expected a user called ${CANDIDATES.join(' or ')}, found neither. ` +
      'Run as an ordinary user, or set database.url to use a PostgreSQL of your own.',
  );
}

function readPasswd(): string {
  return readFileSync('/etc/passwd', 'utf8');
}

function parseAccount(line: string | undefined): Account | null {
  const fields = line?.split(':') ?? [];
  const uid = Number(fields[2]) >>> 0;
  const gid = Number(fields[3]) >>> 0;
  return fields[0] === undefined || uid === 0 ? null : { name: fields[0], uid, gid };
}

/**
 * Whether the account may enter the folder: every folder from the root down needs the search bit for it. Supplementary
 * groups do not count, because dropping privileges drops them. A folder that does not exist yet is judged by its parents.
 */
export function canEnter(folder: string, account: Account): boolean {
  for (let at = folder; ; at = dirname(at)) {
    const stats = statSync(at, { throwIfNoEntry: false });
    if (stats !== undefined && !mayEnter(stats, account)) return false;
    if (dirname(at) === at) return true;
  }
}

function mayEnter(stats: Stats, account: Account): boolean {
  if (stats.uid === account.uid) return (stats.mode & 0o100) !== 0;
  if (stats.gid === account.gid) return (stats.mode & 0o010) !== 0;
  return (stats.mode & 0o001) !== 0;
}
