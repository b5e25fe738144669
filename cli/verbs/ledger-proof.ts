import { randomBytes } from 'node:crypto';
import { lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  epochOverview,
  findEntry,
  LedgerError,
  makeEpoch,
  parseReceipt,
  parseVerifierKey,
  proveEntry,
  publishCheckpoint,
  verifyProof,
  type EntryPlace,
} from '../../ledger/index.ts';
import { describeDatabase, openKeys, withDatabase, type OpenDatabase } from '../database.ts';
import { openOwnLedger, withReading } from '../key-desk.ts';
import { readDatabaseUrl } from '../database-url.ts';
import { CliError } from '../errors.ts';
import { checkNotaryRole, NOTARY_URL, openNotary, runNotary } from '../notary.ts';
import { listenForStop } from '../stop-signal.ts';
import type { Answer, Verb, VerbContext } from '../verb.ts';

const MAX_PROOF_BYTES = 1_000_000;

function proof(context: VerbContext): Promise<Answer> {
  const [file] = context.args.positionals;
  return file === undefined ? makeProof(context) : Promise.resolve(checkProof(context, resolve(file)));
}

function makeProof(context: VerbContext): Promise<Answer> {
  const wanted = context.args.text('tenant');
  const tenant = wanted !== null && context.project.config().tenants.has(wanted) ? wanted : '_deployment';
  return withReading(context, { tenant, verb: 'calls.read' }, async ({ sql }) => {
    const place = await findPlace(context, sql);
    const text = await proveEntry(sql, place).catch((error: unknown) => {
      if (error instanceof LedgerError && error.code === 'not_found') throw new CliError('not_found', error.message);
      throw error;
    });
    const { checkpoint } = await epochOverview(sql);
    const proven = verifyProof(text, [parseVerifierKey(checkpoint?.vkey ?? '')]);
    const out = context.args.text('out');
    if (out !== null) writeFileSync(resolve(out), text, { mode: 0o600 });
    const data = {
      log: place.log, seq: place.seq, hash: proven.hash, epoch: proven.epoch, key: checkpoint?.vkey ?? null, proof: text,
    }; // prettier-ignore
    return { exit: 0, data, text: out === null ? text : `Wrote the proof to ${out}.` };
  });
}

async function findPlace({ args }: VerbContext, sql: OpenDatabase['sql']): Promise<EntryPlace> {
  const receipt = args.text('receipt');
  if (receipt !== null) {
    const place = parseReceipt(receipt);
    if (place !== null) return place;
    throw new CliError('usage', '--receipt: expected the value of x-countersign-receipt, found another form.');
  }
  const [tenant, call] = [args.text('tenant'), args.text('call')];
  if (tenant === null || call === null)
    throw new CliError('usage', 'ledger proof: expected --receipt, or --tenant and --call, or a file to check.');
  const entryClass = args.text('class') ?? 'decision';
  const place = await findEntry(sql, tenant, call, entryClass);
  if (place !== null) return place;
  throw new CliError(
    'not_found',
    `Expected a ${entryClass} of call ${call.slice(0, 64)} in that tenant's log, found none.`,
  );
}

function checkProof({ args }: VerbContext, path: string): Answer {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() !== true || stat.size > MAX_PROOF_BYTES)
    throw new CliError('not_found', `Expected a proof at ${path}, found none.`);
  const key = args.text('key');
  if (key === null) throw new CliError('usage', 'ledger proof: expected --key, the verifier key of the log you trust.');
  try {
    const { header, hash, epoch, checkpoint } = verifyProof(readFileSync(path, 'utf8'), [parseVerifierKey(key)]);
    const { log, seq, kind, call } = header;
    const { origin, size, root } = checkpoint;
    const data = { valid: true, log, seq, kind, call, hash, epoch, checkpoint: { origin, size, root } };
    const text = `The entry ${String(seq)} (${kind} of ${call}) of log ${log} is in epoch ${String(epoch)}, under the checkpoint of ${origin} with ${String(size)} entries.`;
    return { exit: 0, data, text };
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    return { exit: 1, data: { valid: false, problem: error.message }, text: `Not proven: ${error.message}.` };
  }
}

function epoch(context: VerbContext): Promise<Answer> {
  const config = context.project.config();
  return withDatabase(context, config, async (database) => {
    const sql = database.connectGateway(2);
    const keys = await openKeys(context, config, sql);
    const ledger = await openOwnLedger(context, config, { sql, writerSql: database.connectGateway(1), keys });
    const made = await makeEpoch({ sql, ledger, random: randomBytes }, true).finally(() => ledger.close());
    // Elsewhere the notary, another process, signs within a second.
    if (config.database.url === null)
      await publishCheckpoint(await openNotary(context, config, database.connectNotary()));
    const { checkpoint } = await epochOverview(sql);
    const data = { epoch: made?.epoch ?? null, changed: made?.changed ?? null, checkpoint: checkpoint?.size ?? null };
    const signed = checkpoint === null ? 'none signed yet' : `checkpoint of ${String(checkpoint.size)} entries`;
    return { exit: 0, data, text: `Epoch ${String(made?.epoch ?? 'made by another process')}, ${signed}.` };
  });
}

/** A process of its own beside the gateways, under an account that can read the key and a login that can only sign. */
async function notary(context: VerbContext): Promise<null> {
  const url = context.env[NOTARY_URL];
  if (url === undefined || url === '')
    throw new CliError(
      'usage',
      `ledger notary: expected ${NOTARY_URL}, the login of a member of cs_notary; an embedded database needs no notary.`,
    );
  const stop = listenForStop();
  const config = context.project.config();
  const options = readDatabaseUrl(url);
  const database = describeDatabase(options, options, () => Promise.resolve());
  try {
    await checkNotaryRole(database.sql);
    const job = runNotary(await openNotary(context, config, database.sql), context);
    context.out.note('Signing checkpoints. Stop with Ctrl-C.');
    await stop.wait();
    await job.close();
  } finally {
    await database.close();
  }
  return null;
}

export const verbs: readonly Verb[] = [
  {
    path: ['ledger', 'proof'],
    summary:
      'Exchanges a receipt, or a call, for a proof that its entry is under a checkpoint; or checks such a proof.',
    positionals: ['[FILE]'],
    options: {
      receipt: { value: 'RECEIPT', help: 'Value of x-countersign-receipt.' },
      tenant: { value: 'ID', help: 'Tenant of the call.' },
      call: { value: 'ID', help: 'Value of x-countersign-call.' },
      class: { value: 'CLASS', help: 'Which entry: decision (default), outcome, late_outcome, attempt:1, event.' },
      out: { value: 'FILE', help: 'Write the proof there.' },
      key: { value: 'VKEY', help: "With FILE: the log's verifier key, from a source you trust." },
    },
    example: 'countersign ledger proof --tenant demo --call cs-0198f3a2b4c5d6e7f8091a2b3c4d5e6f --out call.tlog-proof',
    details:
      'The proof is text of c2sp.org/tlog-proof and is checked without a database. There is one after the next epoch and its\n' +
      'checkpoint. Exit code 1: no such entry, or not proven.',
    run: proof,
  },
  {
    path: ['ledger', 'epoch'],
    summary: 'Binds the heads of all logs now, instead of within a minute.',
    options: { now: { help: 'Accepted for clarity; there is no other time.' } },
    example: 'countersign ledger epoch --now',
    run: epoch,
  },
  {
    path: ['ledger', 'notary'],
    summary: 'Signs checkpoints for gateways that use a database of their own.',
    example: `${NOTARY_URL}=postgres://notary:…@db/ledger countersign ledger notary`,
    details:
      'Run it under another account than the gateways, so that none of them can read the key (ledger.checkpoint_key). It reads\n' +
      'nothing of a tenant. It keeps what it signed in ledger.checkpoints and refuses to sign a log that does not continue it.',
    run: notary,
  },
];
