import { CliError } from './errors.ts';

/** A database of the operator's own. `host` is a name, an address or the folder of a Unix socket. */
export interface DatabaseOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly ssl: false | 'require' | 'verify-full';
}

const SSL_MODES: ReadonlyMap<string, DatabaseOptions['ssl']> = new Map<string, DatabaseOptions['ssl']>([
  ['disable', false],
  ['require', 'require'],
  ['verify-full', 'verify-full'],
]);

/**
 * Reads `postgres://user:password@host:port/database?sslmode=verify-full`; a socket folder is given as `?host=/folder`.
 * Without sslmode: none on a socket or loopback, `verify-full` elsewhere, because a password must not cross a network
 * to whoever answers.
 * @throws CliError `config_invalid`; the message never repeats the URL, which holds a password
 */
export function readDatabaseUrl(text: string): DatabaseOptions {
  const url = parseUrl(text);
  const host = url.searchParams.get('host') ?? decodeURIComponent(url.hostname).replace(/^\[|\]$/g, '');
  const database = decodeURIComponent(url.pathname.slice(1));
  const user = decodeURIComponent(url.username);
  if (host === '' || database === '' || user === '') throw malformed('a host, a user and a database name');
  for (const name of url.searchParams.keys()) {
    if (!['host', 'port', 'sslmode'].includes(name)) throw malformed(`no parameter but host, port and sslmode`);
  }
  const port = Number(url.searchParams.get('port') ?? (url.port === '' ? 5432 : url.port));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw malformed('a port from 1 to 65535');
  return { host, port, user, database, password: decodeURIComponent(url.password), ssl: sslOf(url, host) };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && (url.protocol === 'postgres:' || url.protocol === 'postgresql:')) return url;
  throw malformed('postgres://user:password@host:port/database');
}

function sslOf(url: URL, host: string): DatabaseOptions['ssl'] {
  const mode = url.searchParams.get('sslmode');
  if (mode === null) return isLocal(host) ? false : 'verify-full';
  const ssl = SSL_MODES.get(mode);
  if (ssl === undefined) throw malformed(`sslmode ${[...SSL_MODES.keys()].join(', ')}`);
  return ssl;
}

function isLocal(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function malformed(expected: string): CliError {
  return new CliError(
    'config_invalid',
    `database.url: expected ${expected}, found something else. Its value is not shown, because it holds a password.`,
  );
}
