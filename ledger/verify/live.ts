import type postgres from 'postgres';
import type { JsonValue } from '../canonical.ts';
import { DEPLOYMENT } from '../entry.ts';
import { checkErasures } from '../erasure/live-check.ts';
import type { KeyRing } from '../keyring.ts';
import { storedBody } from '../seal.ts';
import { openSections } from '../sections.ts';
import { readEntries } from '../stored.ts';
import type { StoredEntry } from '../stored.ts';
import { readAnchors } from '../anchor/stored.ts';
import { AnchorCheck } from './anchors.ts';
import { BudgetCheck } from './budget-check.ts';
import type { BoundHead } from '../epoch/check.ts';
import { readCheckpoints, readOpenings, readWholeEpoch } from '../epoch/stored.ts';
import type { EvidenceEntry } from './evidence.ts';
import { HeadCheck } from './heads.ts';
import { announcement, LogCheck } from './log-check.ts';
import { ReceiptCheck } from './receipt-check.ts';
import { buildReport } from './report.ts';
import type { BadVerdict, Problem, VerifyReport } from './report.ts';
import { readSnapshot } from './snapshot.ts';
import type { Snapshot, SnapshotLog } from './snapshot.ts';
import { TreeWalk } from './tree-walk.ts';
import { NO_TRUST } from './trust.ts';
import type { ReaderTrust } from './trust.ts';
import { WriterCheck } from './writer-check.ts';

/**
 * Checks every log of the database as of now, in short reads that do not disturb the writers. With `keys` the sealed sections
 * are opened and compared too; without, only the facts. With `trust` the anchors that are stored count.
 */
export async function verifyLive(
  sql: postgres.Sql,
  keys: KeyRing | null,
  trust: ReaderTrust = NO_TRUST,
): Promise<VerifyReport> {
  const snapshot = await readSnapshot(sql);
  const writers = new WriterCheck();
  const budgets = new BudgetCheck(snapshot.budgets);
  const checks = new Map<string, LogCheck>();
  // The deployment's logs come first: writers' keys are known before the entries they signed.
  const walk = new TreeWalk();
  const anchors = new AnchorCheck(trust);
  const receipts = new ReceiptCheck(trust.receipts);
  for (const log of snapshot.logs) {
    const check = new LogCheck(log, writers, null, Infinity, previousOf(snapshot, checks, log));
    const heads = new HeadCheck(log, walk, trust, anchors);
    const [from, kept] = [walk.places, receipts.of(log.log)];
    if (log.tenant === DEPLOYMENT) await anchors.begin(readAnchors(sql, log.log, log.checkpoint));
    await walk.walk(log, check, headsOf(sql, log, snapshot, walk, heads), readEvidence(sql, keys, log), ({ hash }) => {
      if (check.calls.booking !== null) budgets.book(check.calls.booking);
      kept?.see(hash, check);
    });
    kept?.end(check, null);
    if (log.tenant === DEPLOYMENT) anchors.ranges.push({ from, to: from + check.anchored });
    checks.set(log.log, check);
  }
  for (const log of snapshot.logs) {
    const check = checks.get(log.log);
    if (check !== undefined) checkCalls(check, log, snapshot, budgets);
  }
  await checkKeys(sql, snapshot, checks);
  const general = checkAround(snapshot, checks, writers);
  if (general.length === 0) general.push(...(await checkEpochs(sql, snapshot, walk)));
  const sound = general.length === 0 && [...checks.values()].every((check) => check.problem === null);
  if (sound) general.push(...budgets.problems().map((problem) => generalProblem(problem)));
  return buildReport(
    [...checks.values()].map((check) => check.report()),
    general,
    anchors.newest,
  );
}

/** The log it goes on from. */
function previousOf(
  { logs }: Snapshot,
  checks: ReadonlyMap<string, LogCheck>,
  { tenant, inc }: SnapshotLog,
): LogCheck | null {
  const before = logs.filter((log) => log.tenant === tenant && log.inc < inc).toSorted((a, b) => b.inc - a.inc);
  return checks.get(before[0]?.log ?? '') ?? null;
}

/** By tenant: an erasure also stands for what the tenant's earlier logs hold. */
async function checkKeys(sql: postgres.Sql, { logs }: Snapshot, checks: ReadonlyMap<string, LogCheck>): Promise<void> {
  for (const tenant of new Set(logs.map((log) => log.tenant ?? ''))) {
    const own = logs.flatMap(({ log, tail, tenant: owner }) => {
      const check = owner === tenant ? checks.get(log) : undefined;
      return check === undefined ? [] : [{ log, tail, check }];
    });
    await checkErasures(sql, tenant, own);
  }
}

async function* readEvidence(
  sql: postgres.Sql,
  keys: KeyRing | null,
  { log, tail, tenant }: SnapshotLog,
): AsyncGenerator<EvidenceEntry> {
  for await (const stored of readEntries(sql, log, Number.MIN_SAFE_INTEGER, tail))
    yield await toEvidence(stored, tenant ?? '', keys);
}

/** What the log was bound with: checkpoints, or epochs. An epoch that is stored without its entry is one in the making. */
function headsOf(
  sql: postgres.Sql,
  log: SnapshotLog,
  { lastEpoch }: Snapshot,
  { book }: TreeWalk,
  heads: HeadCheck,
): AsyncIterable<BoundHead> {
  if (log.tenant === DEPLOYMENT) return heads.checkpoints(readCheckpoints(sql, log.log, log.checkpoint));
  return heads.epochs(readOpenings(sql, log, lastEpoch === book.count ? lastEpoch - 1 : lastEpoch));
}

/** The newest epoch is built again from all heads: a log that did not change is bound in it too. */
async function checkEpochs(sql: postgres.Sql, { lastEpoch }: Snapshot, { book }: TreeWalk): Promise<Problem[]> {
  if (lastEpoch > book.count)
    return [
      generalProblem(`the end of the deployment log is missing: epoch ${String(lastEpoch)} is not in it`, 'INCOMPLETE'),
    ];
  const newest = book.count === 0 ? null : await readWholeEpoch(sql, book.count - 1);
  if (book.count === 0 || newest?.tree.root === book.find(book.count - 1)?.root) return [];
  return [
    generalProblem(
      `what is stored of epoch ${String(book.count - 1)} was changed: it does not have the root its entry names`,
    ),
  ];
}

async function toEvidence(stored: StoredEntry, tenant: string, keys: KeyRing | null): Promise<EvidenceEntry> {
  const opened = await openSections(stored, tenant, keys);
  const leaves = stored.leaves.match(/.{1,64}/g) ?? [];
  return {
    header: stored.header,
    hash: stored.hash,
    leaves,
    sections: opened.sections,
    receipt: stored.receipt,
    row: { ...stored, damaged: opened.damaged, body: storedBody(stored.kind, leaves, stored) },
  };
}

/** What stands outside the log and refers into it: a cut tail leaves these behind. */
function checkCalls(check: LogCheck, log: SnapshotLog, snapshot: Snapshot, budgets: BudgetCheck): void {
  const rows = new Map(snapshot.openCalls.filter((row) => row.log === log.log).map((row) => [row.call, row]));
  for (const row of rows.values()) {
    const decision = check.calls.open.get(row.call);
    if (decision?.seq === row.seq && decision.reserved === row.reserved) continue;
    if (row.seq >= check.length) {
      check.fail(check.length, {
        problem: `the end of the log is missing: call ${row.call} was opened by entry ${String(row.seq)}`,
        shows: 'INCOMPLETE',
      });
    } else check.fail(row.seq, { problem: `call ${row.call} is listed as open, but the log does not say so` });
  }
  if (log.lastReceipt >= check.length) {
    check.fail(check.length, {
      problem: `the end of the log is missing: a receipt is about entry ${String(log.lastReceipt)}`,
      shows: 'INCOMPLETE',
    });
  }
  for (const [call, decision] of check.calls.open) {
    budgets.hold(decision);
    if (rows.has(call)) continue;
    check.fail(check.length, {
      problem: `call ${call} was closed, but its outcome is not in the log: the end of the log is missing`,
      shows: 'INCOMPLETE',
    });
  }
}

/** What only all logs together show. */
function checkAround(snapshot: Snapshot, checks: ReadonlyMap<string, LogCheck>, writers: WriterCheck): Problem[] {
  const problems: Problem[] = snapshot.strays.map((log) => ({
    ...generalProblem(`there are entries of log ${log}, which is not a log of this ledger`),
    log,
  }));
  if ([...checks.values()].some((check) => check.problem !== null)) return problems;
  // Of every incarnation: each tells of its own logs.
  const deployments = snapshot.logs.filter((log) => log.tenant === DEPLOYMENT);
  const announced = new Set(deployments.flatMap(({ log }) => [...(checks.get(log)?.announced ?? [])]));
  for (const { log, inc, nonce, origin, slot, tail } of snapshot.logs) {
    const text = announcement({ inc, log, nonce, origin, slot } satisfies Record<string, JsonValue>);
    if (tail >= 0 && !announced.has(text))
      problems.push({ ...generalProblem('the deployment log does not tell of this log', 'INCOMPLETE'), log });
  }
  for (const wid of writers.strangers())
    problems.push(generalProblem(`no deployment log tells of writer ${wid}, who wrote entries`, 'INCOMPLETE'));
  for (const { wid, key, wseq } of snapshot.writers) {
    const known = writers.keys.get(wid);
    if (known !== undefined && known !== key)
      problems.push(generalProblem(`the key stored for writer ${wid} is not the one the deployment log names`));
    if (wseq > writers.highest(wid)) {
      problems.push(
        generalProblem(
          `the end of a log is missing: writer ${wid} had its entry ${String(wseq)} confirmed, the logs end at ${String(writers.highest(wid))}`,
          'INCOMPLETE',
        ),
      );
    }
  }
  const gap = writers.firstGap();
  if (gap !== null)
    problems.push(
      generalProblem(
        `entry ${String(gap.wseq)} of writer ${gap.wid} is in no log: the end of a log was cut`,
        'INCOMPLETE',
      ),
    );
  return problems;
}

function generalProblem(problem: string, shows: BadVerdict = 'TAMPERED'): Problem {
  return { log: null, tenant: null, seq: null, section: null, writer: null, file: null, problem, shows };
}
