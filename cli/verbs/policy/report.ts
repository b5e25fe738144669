import { tenantState } from '../../../gateway/governance/desk.ts';
import type { GovernanceReport } from '../../../gateway/governance/report.ts';
import { governanceReport } from '../../../gateway/governance/report.ts';
import { stateAnswer } from '../../../gateway/ingress/admin/governance-answer.ts';
import { DEPLOYMENT } from '../../../ledger/index.ts';
import { openKeys, withDatabase } from '../../database.ts';
import { CliError } from '../../errors.ts';
import { TENANT, tenantOf } from '../../governance-desk.ts';
import type { Answer, Json, Verb, VerbContext } from '../../verb.ts';

const DAY_MS = 86_400_000;

function run(context: VerbContext): Promise<Answer> {
  const tenant = tenantOf(context);
  const days = readDays(context.args.text('days') ?? '7');
  const config = context.project.config();
  return withDatabase(context, config, async ({ sql }) => {
    const toMs = context.now();
    const keys = await openKeys(context, config, sql);
    const state = stateAnswer(await tenantState({ sql, keys }, tenant), toMs);
    const everywhere = stateAnswer(await tenantState({ sql, keys }, DEPLOYMENT), toMs)['switches'];
    const report = await governanceReport(sql, tenant, { fromMs: toMs - days * DAY_MS, toMs });
    const all = { ...state, switches_of_all_tenants: everywhere ?? [] };
    const data = { tenant, days, ...all, ...report } as unknown as Json;
    return { exit: 0, data, text: [...stateLines(all), ...reportLines(report, days)].join('\n') };
  });
}

function readDays(text: string): number {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= 3660) return days;
  throw new CliError('usage', `--days: expected 1 to 3660, found "${text.slice(0, 20)}".`);
}

type State = ReturnType<typeof stateAnswer>;

function stateLines(state: State): string[] {
  const list = (name: string): Record<string, string>[] => (state[name] ?? []) as unknown as Record<string, string>[];
  const line = (name: string, ...members: string[]): string[] =>
    list(name).map((item) => `${name.replaceAll('_', ' ')}: ${members.map((member) => item[member] ?? '').join('  ')}`);
  const observing = state['observing_until'];
  return [
    ...line('releases', 'bundle', 'revision', 'digest'),
    ...line('shadows', 'bundle', 'revision', 'digest'),
    ...(typeof observing === 'string' ? [`observing until ${observing}`] : []),
    ...line('waivers', 'id', 'rule', 'scope', 'until'),
    ...line('to_review', 'id', 'rule', 'scope', 'by', 'reason'),
    ...line('switches', 'id', 'kind', 'target', 'since', 'reason'),
    ...line('switches_of_all_tenants', 'id', 'kind', 'target', 'since', 'reason'),
  ];
}

function reportLines(report: GovernanceReport, days: number): string[] {
  const { would_have_blocked: blocked, shadow } = report;
  const counted = (title: string, counts: Readonly<Record<string, number>>): string[] =>
    Object.entries(counts)
      .toSorted(([, a], [, b]) => b - a)
      .map(([name, count]) => `${title} ${name}: ${String(count)}`);
  return [
    `last ${String(days)} days: ${String(report.decisions)} decisions, ${String(report.denied)} denied by policy`,
    `would have been blocked while observing: ${String(blocked.calls)}`,
    ...counted('  rule', blocked.by_rule),
    `candidates compared: ${String(shadow.compared)}, different: ${String(shadow.different)}`,
    ...counted('  would', shadow.by_effect),
    ...counted('  rule', shadow.by_rule),
    ...counted('calls with waiver', report.waived),
    ...counted('calls stopped by a switch of the kind', report.switched_off),
  ];
}

export const report: Verb = {
  path: ['policy', 'report'],
  summary: 'Says what governs a tenant, what would have been blocked while it observed, and how candidates compare.',
  options: { tenant: TENANT, days: { value: 'N', help: 'Days back from now; default 7.' } },
  example: 'countersign policy report --tenant demo --days 30 --json',
  run,
};
