import { createHeadStore, declareLoss, findFork, LedgerError, type Recovery } from '../../ledger/index.ts';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Sql } from 'postgres';
import type { Config } from '../../gateway/config.ts';
import { openKeys, withDatabase, type OpenDatabase } from '../database.ts';
import { readDatabaseUrl } from '../database-url.ts';
import { connect } from '../embedded/connection.ts';
import { CliError } from '../errors.ts';
import { operator } from '../key-desk.ts';
import { withMemories } from '../memories.ts';
import type { Answer, Json, Verb, VerbContext } from '../verb.ts';

const MAX_REASON = 1000;
const MAX_NOTE_BYTES = 100_000;

function run(context: VerbContext): Promise<Answer> {
  const config = context.project.config();
  return withDatabase(context, config, (database) =>
    context.args.flag('declare-loss') ? declare(context, config, database) : look(context, config, database),
  );
}

async function look(context: VerbContext, config: Config, { sql }: OpenDatabase): Promise<Answer> {
  const heads = createHeadStore(context.project.path(config.ledger.checkpoints));
  const { guard, problem, outside } = await withMemories(context, config, (memories) =>
    findFork(sql, heads, config.ledger.origin, memories),
  );
  const text =
    problem === null
      ? `Nothing is known to be missing (fork guard: ${guard}).`
      : `FORKED (fork guard: ${guard}): ${problem}`;
  return { exit: problem === null ? 0 : 1, data: { guard, fork: problem, outside: outside as unknown as Json }, text };
}

async function declare(context: VerbContext, config: Config, database: OpenDatabase): Promise<Answer> {
  const { args } = context;
  const reason = args.text('reason');
  if (reason === null || reason.length < 1 || reason.length > MAX_REASON)
    throw new CliError(
      'usage',
      `ledger recover --declare-loss: expected --reason with up to ${String(MAX_REASON)} characters.`,
    );
  const note = args.text('checkpoint');
  const sql = database.connectGateway(2);
  const keys = await openKeys(context, config, sql);
  const recovery = await withMemories(context, config, (outside) =>
    asOwner(context, config, database, (ownerSql) =>
      declareLoss({
        sql,
        outside,
        writerSql: database.connectGateway(1),
        ownerSql,
        keys,
        heads: createHeadStore(context.project.path(config.ledger.checkpoints)),
        origin: config.ledger.origin,
        now: context.now,
        checkpoint: note === null ? null : readNote(resolve(note)),
        by: operator(),
        reason,
        force: args.flag('force'),
      }).catch(explain),
    ),
  );
  return describe(recovery);
}

/** Nobody who serves may end a log: the owner's login is another one, except on a single host. */
async function asOwner<T>(
  { args, env }: VerbContext,
  config: Config,
  database: OpenDatabase,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  if (config.database.url === null) return work(database.sql);
  const url = args.text('url') ?? env['COUNTERSIGN_MIGRATE_URL'];
  if (url === undefined || url === null)
    throw new CliError(
      'usage',
      'ledger recover: expected --url or COUNTERSIGN_MIGRATE_URL with the login of the owner of the database.',
    );
  const sql = connect(readDatabaseUrl(url));
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function readNote(path: string): string {
  try {
    const note = readFileSync(path, 'utf8');
    if (note.length <= MAX_NOTE_BYTES) return note;
  } catch {
    // Said below.
  }
  throw new CliError('not_found', `--checkpoint: expected a signed note in ${path}, found none that can be read.`);
}

function explain(error: unknown): never {
  if (error instanceof LedgerError && (error.code === 'not_forked' || error.code === 'invalid_note'))
    throw new CliError('check_failed', `${error.message}.`);
  throw error;
}

function describe(recovery: Recovery): Answer {
  const { inc, origin, lost, logs, closed } = recovery;
  const { from, to } = lost;
  const end = to === null ? 'to an end nobody outside knows' : `up to ${String(to)}`;
  const range = to === from ? 'nothing that was published' : `entries from ${String(from)} ${end}`;
  const lines = [
    `Incarnation ${String(inc)} has begun: ${origin}. Lost of the deployment's log: ${range}.`,
    ...logs.map(
      (log) =>
        `  ${log.tenant}: log ${log.log} goes on from ${String(log.previous.size)} entries of ${log.previous.log}`,
    ),
    `${String(closed)} calls that were open are closed as unknown; their reservations are booked in full.`,
    'Start the gateways and the notary again. Witnesses and auditors need the new origin in their policy, with the same key.',
  ];
  return { exit: 0, data: { ...recovery } as unknown as Json, text: lines.join('\n') };
}

export const verbs: readonly Verb[] = [
  {
    path: ['ledger', 'recover'],
    summary:
      'Shows what is missing from the database, and declares it lost, so that a new incarnation of the ledger begins.',
    options: {
      'declare-loss': {
        help: 'End every log where the database ends, and begin new ones that say so in their first entry.',
      },
      reason: { value: 'TEXT', help: 'With --declare-loss: what happened; kept sealed in the first entries.' },
      checkpoint: {
        value: 'FILE',
        help: 'A signed checkpoint newer than those kept here, of a witness or an archive.',
      },
      force: { help: 'Declare it although nothing is known to be missing: after a restore that only you know of.' },
      url: { value: 'URL', help: 'With database.url: the login of its owner; else COUNTERSIGN_MIGRATE_URL.' },
    },
    example: 'countersign ledger recover --declare-loss --reason "disk lost, restored from the night\'s copy"',
    details:
      'After a restore, a failover to a copy that lagged, or when two histories exist, gateways answer 503 and write nothing\n' +
      '(FORKED). Before declaring the loss, look for a newer copy of the database: what is declared lost stays lost. All writers\n' +
      'are fenced; a running "up" ends with status 1 and can be started again. Exit code 1: something is missing.',
    run,
  },
];
