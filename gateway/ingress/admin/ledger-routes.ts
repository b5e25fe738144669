/** The evidence: what the ledger holds, whether it is consistent, and one call with its entries. */
import {
  epochOverview,
  ledgerStatus,
  readCall,
  verifyLive,
  type EntryRecord,
  type EpochOverview,
  type JsonValue,
  type VerifyReport,
} from '../../../ledger/index.ts';
import { GatewayError } from '../../errors.ts';
import type { AdminDeps } from './deps.ts';
import { answer, route, type AdminRoute } from './route.ts';

export const LEDGER_ROUTES: readonly AdminRoute[] = [
  route({
    method: 'GET',
    path: '/api/ledger/status',
    verb: 'ledger.status',
    summary: 'Heads and sizes of the logs, open calls, writers, the last epoch and checkpoint.',
    answers: { 200: 'The status.' },
    evidence: 'access',
    handle: async ({ deps, scope }) => {
      const { logs, openCalls, writers } = await ledgerStatus(deps.sql);
      const epochs = epochsAnswer(await epochOverview(deps.sql));
      const visible = logs.filter((log) => scope === null || log.tenant === scope).map((log) => ({ ...log }));
      if (scope !== null) return answer({ logs: visible, ...epochs });
      const { last, ...writer } = deps.ledger.status();
      return answer({
        logs: visible,
        open_calls: openCalls,
        writers: writers.map((other) => ({ ...other })),
        this_writer: { ...writer, last: last === null ? null : { ...last } },
        ...epochs,
      });
    },
  }),
  route({
    method: 'POST',
    path: '/api/ledger/verify',
    verb: 'ledger.verify',
    summary: 'Checks every log now; takes time with the size of the ledger.',
    answers: { 200: 'The report; read its verdict.' },
    evidence: 'access',
    handle: async ({ deps, scope }) => answer(verifyAnswer(await verifyOnce(deps), scope)),
  }),
  route({
    method: 'GET',
    path: '/api/calls/{id}',
    verb: 'calls.read',
    summary: 'Both entries of a call with their receipts; sections beyond the facts for auditors only.',
    id: /^[a-z0-9._:-]{1,64}$/,
    answers: { 200: 'The call.', 404: 'No such call in the tenant.' },
    evidence: 'access',
    handle: async ({ deps, principal, scope, id }) => {
      if (scope === null)
        throw new GatewayError('invalid_request', 'Name the tenant of the call.', { param: 'tenant' });
      const call = await readCall(deps.sql, deps.keys, scope, id);
      // Entries of other events share the id space; only calls are shown here.
      if (call === null || (call.decision === null && call.outcome === null))
        throw new GatewayError('not_found', 'There is no such call in this tenant.');
      const auditor = principal.roles.includes('auditor');
      return answer({
        call: call.call,
        log: call.log,
        inc: call.inc,
        open: call.open,
        decision: call.decision === null ? null : entryAnswer(call.decision, auditor),
        attempts: call.attempts.map((entry) => entryAnswer(entry, auditor)),
        outcome: call.outcome === null ? null : entryAnswer(call.outcome, auditor),
        late_outcome: call.lateOutcome === null ? null : entryAnswer(call.lateOutcome, auditor),
      });
    },
  }),
];

function epochsAnswer({ lastEpoch, checkpoint, witnesses }: EpochOverview): { [name: string]: JsonValue } {
  return {
    last_epoch: lastEpoch === null ? null : { epoch: lastEpoch.epoch, time: new Date(lastEpoch.madeMs).toISOString() },
    checkpoint:
      checkpoint === null
        ? null
        : { size: checkpoint.size, root: checkpoint.root, epoch: checkpoint.epoch, key: checkpoint.vkey },
    witnesses: [...witnesses],
  };
}

/** `facts` holds no personal data; every other section may. */
function entryAnswer(entry: EntryRecord, auditor: boolean): JsonValue {
  const names = Object.keys(entry.sections).filter((name) => auditor || name === 'facts');
  return {
    kind: entry.kind,
    class: entry.class,
    seq: entry.seq,
    hash: entry.hash,
    time: new Date(entry.timeMs).toISOString(),
    receipt: entry.receipt,
    sections: Object.fromEntries(names.map((name) => [name, entry.sections[name] ?? null])),
  };
}

/** One verification at a time and process, shared by everybody who asks meanwhile: it reads the whole ledger. */
const running = new WeakMap<AdminDeps['sql'], Promise<VerifyReport>>();

function verifyOnce({ sql, keys }: AdminDeps): Promise<VerifyReport> {
  const existing = running.get(sql);
  if (existing !== undefined) return existing;
  const started = verifyLive(sql, keys).finally(() => running.delete(sql));
  running.set(sql, started);
  return started;
}

/** A tenant sees the verdict about the whole deployment, but only its own logs. */
function verifyAnswer(report: VerifyReport, scope: string | null): JsonValue {
  const visible = (tenant: string | null): boolean => scope === null || tenant === scope;
  return {
    verdict: report.verdict,
    anchored: report.anchored,
    logs: report.logs
      .filter((log) => visible(log.tenant))
      .map((log) => ({ ...log, problem: problemAnswer(log.problem) })),
    first_bad: report.firstBad !== null && visible(report.firstBad.tenant) ? problemAnswer(report.firstBad) : null,
    not_proven: [...report.notProven],
  };
}

function problemAnswer(problem: VerifyReport['firstBad']): JsonValue {
  return problem === null ? null : { ...problem };
}
