/**
 * What can go wrong before a verb has an answer. One class, a closed set of codes, and for each code the exit status:
 * 1 the thing asked about failed, 2 used wrongly, 3 could not tell. A message says what was expected, what was found
 * and what to do; it never holds a password, a key or a payload.
 */
export const CLI_ERRORS = {
  usage: { exit: 2 },
  config_invalid: { exit: 2 },
  refused_role: { exit: 1 },
  port_in_use: { exit: 1 },
  already_running: { exit: 1 },
  not_found: { exit: 1 },
  check_failed: { exit: 1 },
  fenced: { exit: 1 },
  held: { exit: 1 },
  not_migrated: { exit: 3 },
  database_unreachable: { exit: 3 },
  gateway_unreachable: { exit: 3 },
  tool_missing: { exit: 3 },
  unsupported_platform: { exit: 3 },
  binaries_missing: { exit: 3 },
  libraries_missing: { exit: 3 },
  wrong_version: { exit: 3 },
  no_unprivileged_user: { exit: 3 },
  folder_not_private: { exit: 3 },
  state_broken: { exit: 3 },
  data_broken: { exit: 3 },
  data_foreign: { exit: 3 },
  busy: { exit: 3 },
  start_failed: { exit: 3 },
  stop_failed: { exit: 3 },
} as const satisfies Record<string, { readonly exit: 1 | 2 | 3 }>;

export type CliErrorCode = keyof typeof CLI_ERRORS;

export class CliError extends Error {
  readonly code: CliErrorCode;
  readonly exitCode: 1 | 2 | 3;

  constructor(code: CliErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CliError';
    this.code = code;
    this.exitCode = CLI_ERRORS[code].exit;
  }
}

/** The `code` of a Node system error (`ENOENT`, `EADDRINUSE`, …), or null for anything else. */
export function errno(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}
