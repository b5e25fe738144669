import { statfsSync } from 'node:fs';
import { totalmem } from 'node:os';

/** The Unix socket's port: only a part of a file name, so it can be the same everywhere. */
export const SOCKET_PORT = 5432;
export const SUPERUSER = 'countersign_super';
export const GATEWAY_ROLE = 'cs_gateway';
export const NOTARY_ROLE = 'cs_notary';
export const DATABASE = 'countersign';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

export interface Machine {
  readonly memoryBytes: number;
  readonly freeDiskBytes: number;
}

export function inspectMachine(folder: string): Machine {
  const disk = statfsSync(folder);
  return { memoryBytes: totalmem(), freeDiskBytes: disk.bavail * disk.bsize };
}

/**
 * The server's configuration, written anew at every start. Durability is never traded: fsync, synchronous_commit and
 * full_page_writes are on. Nothing listens on TCP. Its log holds no statement, no parameter and no row.
 */
export function serverSettings(socketDir: string, machine: Machine): string {
  const settings: readonly (readonly [string, string | number])[] = [
    ['listen_addresses', ''],
    ['port', SOCKET_PORT],
    ['unix_socket_directories', socketDir],
    ['unix_socket_permissions', '0700'],
    ['max_connections', 100],
    ['password_encryption', 'scram-sha-256'],
    ['allow_alter_system', 'off'],
    ['fsync', 'on'],
    ['synchronous_commit', 'on'],
    ['full_page_writes', 'on'],
    // A checkpoint under load is the slowest moment of an append; a large log makes it rare.
    ['max_wal_size', `${String(walMegabytes(machine.freeDiskBytes))}MB`],
    ['checkpoint_timeout', '30min'],
    ['wal_compression', 'pglz'],
    ['shared_buffers', `${String(bufferMegabytes(machine.memoryBytes))}MB`],
    // Short statements only: compiling them, or sharing them between processes, costs more than it gives.
    ['jit', 'off'],
    ['max_parallel_workers_per_gather', 0],
    ['update_process_title', 'off'],
    ['timezone', 'UTC'],
    ['log_timezone', 'UTC'],
    ['lc_messages', 'C'],
    ['log_destination', 'stderr'],
    ['logging_collector', 'off'],
    ['log_min_messages', 'warning'],
    ['log_checkpoints', 'off'],
    ['log_error_verbosity', 'terse'],
    ['log_min_error_statement', 'panic'],
    ['log_parameter_max_length', 0],
    ['log_parameter_max_length_on_error', 0],
  ];
  return settings.map(([name, value]) => `${name} = ${quote(value)}\n`).join('');
}

function quote(value: string | number): string {
  return typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
}

function walMegabytes(freeDiskBytes: number): number {
  if (freeDiskBytes >= 40 * GIB) return 6144;
  if (freeDiskBytes >= 16 * GIB) return 4096;
  return freeDiskBytes >= 4 * GIB ? 1024 : 256;
}

function bufferMegabytes(memoryBytes: number): number {
  return Math.min(512, Math.max(128, Math.floor(memoryBytes / 16 / MIB)));
}

/** Who may connect: whoever can enter the socket's folder and knows a password. No network line exists. */
export const HOST_BASED_ACCESS = 'local all all scram-sha-256\n';
