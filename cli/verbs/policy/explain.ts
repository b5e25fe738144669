import { recordedCall } from '../../../gateway/recorded.ts';
import { readRecordedCall, type RecordedCall as RecordedEntries } from '../../../ledger/index.ts';
import { explainCall, type Explanation, type JsonValue } from '../../../policies/index.ts';
import { openKeys, withDatabase } from '../../database.ts';
import { CliError } from '../../errors.ts';
import type { Answer, Json, Verb, VerbContext } from '../../verb.ts';
import { policySources } from './history.ts';

async function run(context: VerbContext): Promise<Answer> {
  const { args, project } = context;
  const [id = ''] = args.positionals;
  const config = project.config();
  const tenants = args.text('tenant') === null ? [...config.tenants.keys()] : [args.required('tenant')];
  return withDatabase(context, config, async ({ sql }) => {
    const keys = await openKeys(context, config, sql);
    for (const tenant of tenants) {
      const entries = await readRecordedCall(sql, keys, tenant, id);
      if (entries === null) continue;
      const explanation = await explainCall(recordedCall(entries), policySources(sql));
      const facts = entries.decision.facts as Readonly<Record<string, JsonValue>>;
      const exit = EXITS[explanation.reproduction] ?? 0;
      return { exit, data: { facts, ...explanation } as unknown as Json, text: textOf(entries, explanation, facts) };
    }
    throw new CliError(
      'not_found',
      `Expected a call ${id.slice(0, 80)} of ${tenants.join(', ')}, found none in the ledger.`,
    );
  });
}

const EXITS: Readonly<Record<string, 1 | 3>> = { mismatch: 1, missing: 3, other_runtime: 3 };

function textOf(
  entries: RecordedEntries,
  explanation: Explanation,
  facts: Readonly<Record<string, JsonValue>>,
): string {
  const { by, questions } = explanation;
  const head = [
    `Call ${entries.call} of ${entries.tenant}, ${new Date(entries.timeMs).toISOString()}: ${word(facts['effect'])}${facts['code'] === null ? '' : ` (${word(facts['code'])})`}`,
    ...by.bundles.map(({ name, digest }) => `Bundle ${name} ${digest}`),
    `Parameters ${by.parameters}, combiner ${by.combiner}, runtime ${by.runtime}`,
  ];
  const asked = questions.flatMap(({ point, effect, reasons, fired, obligations, facts: shown }) => [
    '',
    `${point}: ${effect}`,
    ...reasons.map(
      (reason) =>
        `  because ${reason.rule} (${reason.severity}) ${reason.title}: ${reason.message} [${reason.controls.join(', ')}]`,
    ),
    ...fired.map(
      ({ rule, title, controls, file, row }) =>
        `  fired ${rule}${title === '' ? '' : `: ${title}`}${controls.length === 0 ? '' : ` [${controls.join(', ')}]`} ${file}:${String(row)}`,
    ),
    ...obligations.map((obligation) => `  obligation ${JSON.stringify(obligation)}`),
    ...Object.entries(shown).map(
      ([name, value]) => `  ${name}: ${Array.isArray(value) ? value.join(', ') : String(value)}`,
    ),
  ]);
  return [
    ...head,
    ...asked,
    '',
    SENTENCES[explanation.reproduction] ?? explanation.reproduction,
    ...explanation.problems,
  ].join('\n');
}

function word(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

const SENTENCES: Readonly<Record<string, string>> = {
  reproduced: 'Reproduced now, bit for bit, with the stored bundles and parameters.',
  mismatch: 'NOT reproduced: the stored bundles decide it another way now.',
  erased: 'REPLAY_ERASED: the input was erased by order; only the facts are left.',
  undecided: 'A limit was hit; nothing is claimed about such a decision.',
  other_runtime: 'Decided by another runtime or combiner than this program has, and otherwise by this one.',
  not_decided: 'Refused before any policy was asked.',
  missing: 'Not reproduced: what decided is not kept.',
};

export const explain: Verb = {
  path: ['policy', 'explain'],
  summary: 'Shows why a recorded call was decided as it was, and decides it again with the stored policies.',
  positionals: ['CALL'],
  options: { tenant: { value: 'ID', help: 'The tenant of the call; else all of the configuration are searched.' } },
  example: 'countersign policy explain cs-01890a5d7c3e7b1f8a2d4e6f90123456 --tenant demo',
  details: 'Exit code 1: not reproduced, or no such call. 3: what decided is not kept, or it was another runtime.',
  run,
};
