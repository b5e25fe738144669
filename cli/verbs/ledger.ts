import {
  createHeadStore,
  epochOverview,
  findFork,
  ledgerStatus,
  readAnchorStatus,
  reportText,
  verifyFolder,
  verifyLive,
  type EpochOverview,
  type ForkFinding,
  type LedgerOverview,
  type ReaderTrust,
  type VerifyReport,
} from '../../ledger/index.ts';
import { resolve } from 'node:path';
import { anchorsText } from '../anchors-text.ts';
import { openKeys, withDatabase } from '../database.ts';
import { withMemories } from '../memories.ts';
import { sentence } from '../output.ts';
import { readPolicyFile } from '../policy-file.ts';
import { readTrustFiles, TRUST_OPTIONS } from '../trust-files.ts';
import { CliError } from '../errors.ts';
import { recordLook } from '../key-desk.ts';
import { readWhole } from '../numbers.ts';
import type { Answer, ExitCode, Json, Verb, VerbContext } from '../verb.ts';

const EXIT_BY_VERDICT: Readonly<Record<VerifyReport['verdict'], ExitCode>> = {
  VALID: 0,
  VALID_WITH_ERASURES: 0,
  INCOMPLETE: 1,
  TAMPERED: 1,
  FORKED: 1,
  UNANCHORED: 3,
  UNVERIFIABLE: 3,
};

async function verify(context: VerbContext): Promise<Answer> {
  const [dir] = context.args.positionals;
  const trust = readTrustFiles(context.args);
  const at = readWhole(context.args, 'at');
  if (at !== null && dir === undefined)
    throw new CliError('usage', 'ledger verify: --at needs an exported folder; write one with "ledger export".');
  const report =
    dir === undefined ? await verifyDatabase(context, trust) : await verifyFolder(resolve(dir), trust, { at });
  const data = { ...report } as unknown as Json;
  return { exit: EXIT_BY_VERDICT[report.verdict], data, text: reportText(report) };
}

function verifyDatabase(context: VerbContext, trust: ReaderTrust): Promise<VerifyReport> {
  const config = context.project.config();
  return withDatabase(context, config, async (database) => {
    const { sql } = database;
    const keys = await openKeys(context, config, sql).catch((error: unknown) => {
      if (!isReadOnly(error)) throw error;
      context.out.note('The database is read-only, so no encrypted section was opened.');
      return null;
    });
    const report = await verifyLive(sql, keys, trust);
    await recordLook(context, database, { verb: 'ledger.verify', verdict: report.verdict });
    return report;
  });
}

/** SQLSTATE read_only_sql_transaction: opening keys carries out what an older copy of them has not seen. */
function isReadOnly(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '25006';
}

function status(context: VerbContext): Promise<Answer> {
  const config = context.project.config();
  const { witnesses } = config.ledger;
  const policy = witnesses === null ? null : readPolicyFile(context.project.path(witnesses));
  return withDatabase(context, config, async (database) => {
    const { sql } = database;
    const overview = await ledgerStatus(sql);
    const epochs = await epochOverview(sql);
    const anchors = await readAnchorStatus(sql, policy);
    const heads = createHeadStore(context.project.path(config.ledger.checkpoints));
    const fork = await withMemories(context, config, (memories) =>
      findFork(sql, heads, config.ledger.origin, memories),
    );
    await recordLook(context, database, { verb: 'ledger.status' });
    const data = { ...overview, ...epochs, anchors, fork } as unknown as Json;
    const text = [forkText(fork), overviewText(overview), epochsText(epochs), anchorsText(anchors, context.now())];
    return { exit: 0, data, text: text.join('\n') };
  });
}

function forkText({ guard, problem, outside }: ForkFinding): string {
  const state =
    problem === null ? `Fork guard: ${guard}` : `FORKED: ${sentence(problem)} See "countersign ledger recover --help".`;
  return [state, ...outside.map(({ id, said }) => `  ${id}: ${said}`)].join('\n');
}

function overviewText({ logs, openCalls, writers }: LedgerOverview): string {
  const rows = logs.map(
    (log) =>
      `  ${log.tenant}: ${String(log.entries)} entries, head ${log.hash?.slice(0, 16) ?? 'none'}, log ${log.log}`,
  );
  const alive = writers.filter(({ fenced }) => !fenced).length;
  return [`${String(logs.length)} logs, ${String(openCalls)} open calls, ${String(alive)} writers`, ...rows].join('\n');
}

function epochsText({ lastEpoch, checkpoint, witnesses }: EpochOverview): string {
  const made =
    lastEpoch === null ? 'none yet' : `${String(lastEpoch.epoch)}, ${new Date(lastEpoch.madeMs).toISOString()}`;
  const size = checkpoint === null ? 'none yet' : `${String(checkpoint.size)} entries of the deployment's log`;
  const lines = [`Last epoch: ${made}`, `Checkpoint: ${size}`];
  if (checkpoint !== null) lines.push(`  key ${checkpoint.vkey}`);
  lines.push(`Witnesses: ${witnesses.length === 0 ? 'none' : witnesses.join(', ')}`);
  return lines.join('\n');
}

export const verbs: readonly Verb[] = [
  {
    path: ['ledger', 'verify'],
    summary: 'Checks the ledger in the database, or an exported folder, and names the first bad entry.',
    positionals: ['[DIR]'],
    options: {
      ...TRUST_OPTIONS,
      at: { value: 'SEQ', help: "Only the state of the folder's newest log when this was its last entry." },
    },
    example: 'countersign ledger verify ./evidence --trust auditor.policy --json',
    details:
      'A folder is checked without a database, a network or a key. VALID and VALID_WITH_ERASURES (exit code 0) need your own\n' +
      'policy file and somebody in it who has seen a checkpoint over every entry: keys that come with the folder never count.\n' +
      'Every other file of the folder is made again from the entries and compared; what is no part of the export is named.\n' +
      'Exit code 1: TAMPERED, FORKED, INCOMPLETE; 3: UNANCHORED (consistent, and no outside anchor covers all of it),\n' +
      'UNVERIFIABLE (could not be read).',
    run: verify,
  },
  {
    path: ['ledger', 'status'],
    summary:
      'Shows the size and head of every log, open calls, writers, the last epoch and checkpoint, outside anchors.',
    example: 'countersign ledger status --json',
    run: status,
  },
];
