import { cp, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { recordedCall } from '../../../gateway/recorded.ts';
import { readRecorded } from '../../../ledger/index.ts';
import { findParameters } from '../../../policies/index.ts';
import { parseFolder, recommendExemption, type Refusal } from '../../../policies/reviewing.ts';
import { testPolicies } from '../../../policies/testing.ts';
import { withDatabase } from '../../database.ts';
import { recordReading, withKeyDesk } from '../../key-desk.ts';
import type { Answer, Verb, VerbContext } from '../../verb.ts';
import { readWhole, toolchain } from './source.ts';

const DAY_MS = 86_400_000;
/** Enough to see what calls have in common. */
const MAX_REFUSALS = 1000;

async function run(context: VerbContext): Promise<Answer> {
  const { args } = context;
  const [rule, head, out] = [args.required('rule'), resolve(args.required('head')), resolve(args.required('out'))];
  const tools = await toolchain(context);
  const files = await parseFolder(tools.opa, head);
  const draft = recommendExemption(files, rule, await refusals(context, rule, args.required('tenant')));
  await cp(head, out, { recursive: true });
  for (const { path, text } of draft.files) await writeFile(join(out, path), text);
  const report = await testPolicies(out, tools);
  const verdict = report.ok || report.problems.length + report.failed === 0 ? 'pass' : 'do NOT pass';
  const text = [
    `A draft that exempts what ${String(draft.calls)} recorded refusals by ${rule} have in common:`,
    ...draft.conditions.map((condition) => `  ${condition}`),
    `Written to ${out}; its tests ${verdict} (${String(report.passed)} passed, ${String(report.failed)} failed).`,
    `Next: countersign policy review --base ${head} --head ${out} --out ./review`,
  ];
  const data = {
    out,
    rule,
    calls: draft.calls,
    conditions: [...draft.conditions],
    passed: report.passed,
    failed: report.failed,
  };
  return { exit: report.failed === 0 && report.passed > 0 ? 0 : 1, data, text: text.join('\n') };
}

function refusals(context: VerbContext, rule: string, tenant: string): Promise<Refusal[]> {
  const { args, now } = context;
  const days = readWhole('policy recommend: --days', args.text('days'), 7, 36_500);
  const config = context.project.config();
  return withDatabase(context, config, (database) =>
    withKeyDesk(context, config, database, async (desk) => {
      const { sql, keys } = desk;
      await recordReading(desk, tenant, 'policy.recommend');
      const span = { tenant, fromMs: now() - days * DAY_MS, toMs: now(), onRange: (): void => undefined };
      const found: Refusal[] = [];
      for await (const entries of readRecorded(sql, keys, span)) {
        const { by, questions } = recordedCall(entries);
        for (const { inputs, recorded } of questions) {
          const [input] = inputs;
          const evaluations = recorded.form === 'evaluations' ? recorded.evaluations : [];
          const refused = evaluations.some(
            (one) => one.outcome === 'decided' && one.decision.reasons.some((reason) => reason.rule === rule),
          );
          if (!refused || input === undefined) continue;
          found.push({ input, parameters: (await findParameters(sql, by.parameters))?.[tenant] ?? {} });
        }
        if (found.length >= MAX_REFUSALS) break;
      }
      return found;
    }),
  );
}

export const recommend: Verb = {
  path: ['policy', 'recommend'],
  summary: 'Drafts an exemption from a rule out of the calls it refused, with tests, for a person to judge.',
  options: {
    rule: { value: 'ID', help: 'The rule, by the id in its METADATA, e.g. hosts.unlisted.', required: true },
    tenant: { value: 'ID', help: 'The tenant whose refused calls are looked at.', required: true },
    head: { value: 'DIR', help: 'Folder of Rego that has the rule.', required: true },
    out: { value: 'DIR', help: 'New folder: a copy of --head with the draft in it.', required: true },
    days: { value: 'N', help: 'Recorded calls of the last N days; 7 when absent.' },
  },
  example:
    'countersign policy recommend --rule hosts.unlisted --tenant demo --head policies/rego/baseline --out ./draft',
  details: "The draft is never released by itself. Its tests hold facts of recorded calls, without callers' names.",
  run,
};
