import type { ExplainedCall } from '../../../gateway/ingress/admin/explain-routes.ts';
import type { JsonValue } from '../../../policies/index.ts';
import { ADMIN_OPTIONS, askAdministration } from '../../admin-client.ts';
import { CliError } from '../../errors.ts';
import type { Answer, Json, Verb, VerbContext } from '../../verb.ts';

async function run(context: VerbContext): Promise<Answer> {
  const [id = ''] = context.args.positionals;
  if (!/^[a-z0-9._:-]{1,64}$/.test(id))
    throw new CliError('usage', `policy explain: expected the id of a call, found "${id.slice(0, 80)}".`);
  const tenant = context.args.text('tenant');
  const query = tenant === null ? '' : `?tenant=${encodeURIComponent(tenant)}`;
  const explained = (await askAdministration(context, `/api/calls/${id}/explanation${query}`)) as ExplainedCall;
  return {
    exit: EXITS[explained.reproduction] ?? 0,
    data: explained as unknown as Json,
    text: textOf(explained),
  };
}

const EXITS: Readonly<Record<string, 1 | 3>> = { mismatch: 1, missing: 3, other_runtime: 3 };

function textOf(explained: ExplainedCall): string {
  const { call, tenant, time, facts, by, questions } = explained;
  const head = [
    `Call ${call} of ${tenant}, ${time}: ${word(facts['effect'])}${facts['code'] === null ? '' : ` (${word(facts['code'])})`}`,
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
    SENTENCES[explained.reproduction] ?? explained.reproduction,
    ...explained.problems,
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
  options: {
    tenant: { value: 'ID', help: "The tenant of the call. Default: the key's own tenant." },
    ...ADMIN_OPTIONS,
  },
  example: 'countersign policy explain cs-01890a5d7c3e7b1f8a2d4e6f90123456 --tenant demo',
  details:
    'Asks the administration listener of the running gateway, with a key that has the role auditor; who asked is recorded.\n' +
    'Exit code 1: not reproduced, no such call, or not allowed. 3: what decided is not kept, it was another runtime, or no gateway answers.',
  run,
};
