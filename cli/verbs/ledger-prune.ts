import type { Config } from '../../gateway/config.ts';
import { findPrunable, pruneBodies, type Prunable, type Retention } from '../../ledger/index.ts';
import { withDatabase } from '../database.ts';
import { CliError } from '../errors.ts';
import { TENANT, tenantOf } from '../governance-desk.ts';
import { withKeyDesk } from '../key-desk.ts';
import type { Answer, Verb, VerbContext } from '../verb.ts';

function run(context: VerbContext): Promise<Answer> {
  const config = context.project.config();
  const retention = retentionOf(config, tenantOf(context));
  const isDry = context.args.flag('dry-run');
  return withDatabase(context, config, (database) =>
    withKeyDesk(context, config, database, async (desk) => {
      const found = await findPrunable(desk, retention);
      return answer(found, isDry ? null : await pruneBodies(desk, retention, found));
    }),
  );
}

function retentionOf(config: Config, tenant: string): Retention {
  const days = config.tenants.get(tenant)?.retention ?? { decisionDays: null, outcomeDays: null };
  if (days.decisionDays !== null || days.outcomeDays !== null) return { tenant, ...days };
  throw new CliError(
    'check_failed',
    `Expected a retention of tenant "${tenant}", found none: set tenants[].retention.content_days.`,
  );
}

function answer(found: readonly Prunable[], removed: number | null): Answer {
  const lines = found.map(
    ({ log, before, bodies, bytes }) =>
      `${String(bodies)} bodies (${String(bytes)} bytes) of entries before ${String(before)} of log ${log}`,
  );
  const head = removed === null ? 'Could be removed:' : `${String(removed)} bodies removed. Found:`;
  const text = lines.length === 0 ? ['Nothing to prune.'] : [head, ...lines.map((line) => `  ${line}`)];
  return { exit: 0, data: { found: found.map((each) => ({ ...each })), removed }, text: text.join('\n') };
}

export const verbs: readonly Verb[] = [
  {
    path: ['ledger', 'prune'],
    summary:
      'Removes what was encrypted with destroyed keys, once its retention is over; hashes, facts and proofs stay.',
    options: { tenant: TENANT, 'dry-run': { help: 'Only count what would be removed.' } },
    example: 'countersign ledger prune --tenant demo --dry-run',
    details:
      'The same as the retention job of a running gateway does every hour. A prune entry says what is removed before it is;\n' +
      'holds, and keys that are there, keep everything they are about. See docs/erasure.md.',
    run,
  },
];
