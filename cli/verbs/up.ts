import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { startGateway, type RunningGateway } from '../../gateway/main.ts';
import type { Config } from '../../gateway/config.ts';
import { LedgerError, readRootKey } from '../../ledger/index.ts';
import { rootKeySource } from '../database.ts';
import { connectServing } from '../embedded/connection.ts';
import { CliError } from '../errors.ts';
import { sentence } from '../output.ts';
import { ensureFirstKey } from '../first-key.ts';
import { serveNotary } from '../notary.ts';
import { openServing, type ServingDatabase } from '../serving.ts';
import { checkPorts } from '../ports.ts';
import { shippedBundles, type Project } from '../project.ts';
import { greeting } from '../greeting.ts';
import { listenForStop, type StopSignal } from '../stop-signal.ts';
import type { Verb, VerbContext } from '../verb.ts';

/**
 * Database, keys, gateway: up in this order, down in the opposite one. PostgreSQL stops last, because the last outcomes
 * of calls in progress are written while draining.
 */
async function run(context: VerbContext): Promise<null> {
  const stop = listenForStop();
  collectEarly();
  const config = context.project.config();
  await checkPorts(config.listen);
  const database = await openServing(context, config);
  try {
    if (stop.reason === null) await serve(context, config, database, stop);
  } finally {
    await database.close();
    context.out.note('Stopped.');
  }
  return null;
}

/**
 * V8 lets the heap of a busy server grow to several times what is alive in it before it collects: calls in progress outlive a young
 * collection and die in the old generation. Much smaller steps make it mark all the time and cost a quarter of the speed. A young
 * collection by several threads costs them 50 µs a call and saves the serving thread nothing (docs/decisions/0009).
 */
function collectEarly(): void {
  setFlagsFromString('--heap-growing-percent=200');
  setFlagsFromString('--no-parallel-scavenge');
}

async function serve(context: VerbContext, config: Config, database: ServingDatabase, stop: StopSignal): Promise<void> {
  const firstKey = await ensureFirstKey(context, config, database);
  const { leaseMs } = config.ledger;
  const gateway = await startGateway({
    config,
    connect: (max, statementMs) => connectServing(database.gateway, max, statementMs),
    rootKey: await readRootKey(rootKeySource(context.project, config, context.env)),
    build: buildName(context.project.root),
    shippedBundles: shippedBundles(context.project),
    resolvePath: (path) => context.project.path(path),
  }).catch((error: unknown) => {
    throw error instanceof LedgerError && error.code === 'fenced' ? lostLease(leaseMs) : error;
  });
  const notary = await serveNotary(context, config, database).catch(async (error: unknown) => {
    await gateway.drain();
    throw error;
  });
  try {
    announce(context, gateway, config, firstKey);
    reloadOnRequest(context, gateway);
    const reason = await Promise.race([stop.wait(), gateway.fenced.then(() => FENCED)]);
    context.out.note(`${reason === FENCED ? 'Fenced' : reason}: finishing the calls in progress…`);
    if (reason === FENCED) throw gateway.fork === null ? lostLease(leaseMs) : lossDeclared();
  } finally {
    await gateway.drain();
    await notary?.close();
  }
}

const FENCED = 'fenced';

/** A process that lives is fenced after a pause only; a new one serves at once, so a supervisor is told to start it. */
function lostLease(leaseMs: number): CliError {
  return new CliError(
    'fenced',
    `Expected to renew the lease on the ledger every ${String(leaseMs)} ms, found that another process has taken over because this one ` +
      'was silent for longer (stopped, suspended, starved of CPU, or cut off from the database). What its calls came to is recorded as far ' +
      'as it may be. Start it again; if this repeats, give it more CPU or raise ledger.lease_ms.',
  );
}

function lossDeclared(): CliError {
  return new CliError(
    'fenced',
    'Expected to wait for an operator, found that the loss was declared: start again to serve.',
  );
}

/** SIGHUP reads the configuration anew: all of it or, when anything is wrong with it, nothing. */
function reloadOnRequest({ project, out }: VerbContext, gateway: RunningGateway): void {
  process.on('SIGHUP', () => {
    void reload(project, gateway).then(out.note, (error: unknown) => {
      out.note(
        `Not reloaded, still serving with the old configuration. ${error instanceof Error ? error.message : ''}`,
      );
    });
  });
}

async function reload(project: Project, gateway: RunningGateway): Promise<string> {
  await gateway.reload(project.config());
  return `Reloaded ${project.configPath}.`;
}

function announce(context: VerbContext, gateway: RunningGateway, config: Config, firstKey: string | null): void {
  const { dataUrl, adminUrl } = gateway;
  const startMs = Math.round(context.now() - context.startedAtMs);
  const { fork } = gateway;
  if (fork !== null)
    context.out.note(
      `FORKED: ${sentence(fork)} Calls are answered 503 and nothing is written; see "countersign ledger recover --help".`,
    );
  if (context.json) {
    context.out.result(
      JSON.stringify({
        ready: fork === null,
        fork,
        data_url: dataUrl,
        admin_url: adminUrl,
        start_ms: startMs,
        pid: process.pid,
      }),
    );
    return;
  }
  if (fork !== null) return;
  const model = config.models.keys().next().value ?? 'MODEL';
  context.out.result(greeting({ dataUrl, adminUrl, model, startMs, firstKey, terminal: context.out.terminal }));
}

/** Version and digest of the code, for every entry: the digest is the one the compilation was stamped with. */
function buildName(root: string): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const stamp = readFileSync(join(root, 'dist', '.stamp'), 'utf8');
  return `countersign-${version}+${hash('sha256', stamp, 'hex').slice(0, 16)}`;
}

export const verbs: readonly Verb[] = [
  {
    path: ['up'],
    summary: 'Starts the gateway, with an embedded PostgreSQL unless database.url is set.',
    example: 'countersign up --config countersign.yaml',
    details:
      'The first start makes the database, the root key and a first API key in .countersign/first-key. Stop with Ctrl-C or\n' +
      'SIGTERM: calls in progress are finished and recorded. A second signal ends at once; nothing acknowledged is lost.\n' +
      'SIGHUP reads the configuration anew. Ends by itself with status 1 when it was paused for so long that another process\n' +
      'took over its lease on the ledger: run it under a supervisor that starts it again.',
    run,
  },
];
