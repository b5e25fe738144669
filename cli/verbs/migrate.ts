import { join } from 'node:path';
import { migrate } from '../../migrations/index.ts';
import { checkReachable, prepareEmbedded } from '../database.ts';
import { readDatabaseUrl } from '../database-url.ts';
import { connect } from '../embedded/connection.ts';
import { startEmbedded } from '../embedded/embedded.ts';
import type { Answer, Verb, VerbContext } from '../verb.ts';

async function run({ args, project, env, out }: VerbContext): Promise<Answer> {
  const config = project.config();
  const url = args.text('url') ?? env['COUNTERSIGN_MIGRATE_URL'] ?? config.database.url;
  if (url === null) {
    const embedded = await startEmbedded({ dataRoot: project.stateDir, log: out.note, role: 'command' });
    try {
      return describe(await prepareEmbedded(embedded, project, config, out.note));
    } finally {
      await embedded.stop();
    }
  }
  const options = readDatabaseUrl(url);
  const sql = connect(options);
  await checkReachable(sql, options);
  try {
    return describe(await migrate(sql, { dir: join(project.root, 'migrations'), log: out.note }));
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function describe({ applied, current }: { readonly applied: readonly string[]; readonly current: string }): Answer {
  const done = applied.length === 0 ? 'Nothing to do' : `Applied ${String(applied.length)}`;
  return { exit: 0, data: { applied, current }, text: `${done}; the database is at ${current}.` };
}

export const verbs: readonly Verb[] = [
  {
    path: ['migrate'],
    summary: 'Brings the database to the schema of this release; forward only.',
    options: {
      url: {
        value: 'URL',
        help: 'Database with the rights of its owner; else COUNTERSIGN_MIGRATE_URL, else database.url.',
      },
    },
    example: 'COUNTERSIGN_MIGRATE_URL=postgres://owner:secret@db.internal/gate countersign migrate',
    details:
      'The gateway itself never has these rights: give database.url a login that is a member of cs_gateway. A URL on the command\n' +
      'line is visible to other users of the machine; prefer the variable.',
    run,
  },
];
