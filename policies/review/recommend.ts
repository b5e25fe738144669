import { PolicyError } from '../errors.ts';
import type { JsonValue, PolicyInput } from '../input.ts';
import { branches, placeText, ruleName } from './syntax.ts';
import type { RegoFile, Rule } from './syntax.ts';

/**
 * A draft that would no longer refuse what one rule was seen to refuse: the narrowest exemption all those calls have in common,
 * with tests made of their facts. A person decides whether it is right; nothing is released by it.
 */

export interface Recommendation {
  /** The changed file, and the tests beside it. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly calls: number;
  /** What the exempted calls have in common, as Rego. */
  readonly conditions: readonly string[];
}

export interface Refusal {
  readonly input: PolicyInput;
  readonly parameters: JsonValue;
}

const COMMON = [
  'tenant.id',
  'model.deployment',
  'model.region',
  'purpose.use_case',
  'data.classification',
  'request.api',
] as const;
const NAME = 'recommended_exemption';
const MAX_TESTS = 5;

/** Throws PolicyError `compiler_failed` when no rule of the files has that id in its METADATA, or nothing was refused by it. */
export function recommendExemption(
  files: readonly RegoFile[],
  ruleId: string,
  refusals: readonly Refusal[],
): Recommendation {
  const found = findRule(files, ruleId);
  if (found === null)
    throw new PolicyError(
      'compiler_failed',
      `expected a rule with METADATA custom.rule ${ruleId}, found none; check --head and --rule`,
    );
  if (refusals.length === 0)
    throw new PolicyError(
      'compiler_failed',
      `expected recorded calls that ${ruleId} refused, found none; look further back with --days`,
    );
  const conditions = COMMON.flatMap((path) => commonValue(path, refusals));
  const { file, rule } = found;
  const source = insertCondition(file.source, rule, `not ${NAME}`);
  const lines = [
    '# METADATA',
    `# title: Draft exemption from ${ruleId}`,
    `# description: What ${String(refusals.length)} recorded refusals have in common. To be reviewed, narrowed, or thrown away.`,
    `${NAME} if {`,
    ...conditions.map((condition) => `\t${condition}`),
    '}',
  ];
  return {
    files: [
      { path: file.path, text: `${source.trimEnd()}\n\n${lines.join('\n')}\n` },
      { path: `${NAME}_test.rego`, text: testsOf(file, rule, ruleId, refusals) },
    ],
    calls: refusals.length,
    conditions,
  };
}

function findRule(files: readonly RegoFile[], id: string): { file: RegoFile; rule: Rule } | null {
  for (const file of files) {
    const rule = file.rules
      .flatMap(branches)
      .find(({ annotations }) => annotations?.some(({ custom }) => custom?.['rule'] === id));
    if (rule !== undefined) return { file, rule };
  }
  return null;
}

function commonValue(path: string, refusals: readonly Refusal[]): string[] {
  const [section = '', member = ''] = path.split('.');
  const values = refusals.map(({ input }) => {
    const part = (input as unknown as Readonly<Record<string, Readonly<Record<string, unknown>> | null>>)[section];
    return part?.[member] ?? null;
  });
  const [first] = values;
  return typeof first === 'string' && values.every((value) => value === first)
    ? [`input.${path} == ${JSON.stringify(first)}`]
    : [];
}

/** As the first condition of the body, which has to be in braces as `opa fmt` writes longer ones. */
function insertCondition(source: string, rule: Rule, condition: string): string {
  const [first] = rule.body;
  const text = placeText(rule.location);
  const brace = text.indexOf('{', placeText(rule.head.location).length);
  const at = source.indexOf(text);
  if (first === undefined || first.generated === true || brace === -1 || at === -1) {
    throw new PolicyError(
      'compiler_failed',
      'expected the rule to have a body in braces, found another form; write the exemption by hand',
    );
  }
  return `${source.slice(0, at + brace + 1)}\n\t${condition}${source.slice(at + brace + 1)}`;
}

function testsOf(file: RegoFile, rule: Rule, ruleId: string, refusals: readonly Refusal[]): string {
  const cases = [
    ...new Map(refusals.map((refusal) => [JSON.stringify(withoutNames(refusal.input)), refusal])).values(),
  ].slice(0, MAX_TESTS);
  const name = ruleName(file, rule);
  const tests = cases.flatMap(({ input, parameters }, i) => [
    '',
    `refused_${String(i)} := json.unmarshal(\`${textOf(withoutNames(input))}\`)`,
    '',
    `parameters_${String(i)} := json.unmarshal(\`${textOf(parameters)}\`)`,
    '',
    `test_exempted_${String(i)} if {`,
    `\tevery reason in ${name} { reason.rule != ${JSON.stringify(ruleId)} } with input as refused_${String(i)}`,
    `\t\twith data.tenants as {refused_${String(i)}.tenant.id: parameters_${String(i)}}`,
    '}',
    '',
    `test_still_refused_for_others_${String(i)} if {`,
    `\tother := object.union(refused_${String(i)}, {"tenant": {"id": "somebody-else"}})`,
    `\tsome reason in ${name} with input as other with data.tenants as {"somebody-else": parameters_${String(i)}}`,
    `\treason.rule == ${JSON.stringify(ruleId)}`,
    '}',
  ]);
  return [`package countersign.${NAME}_test`, ...tests, ''].join('\n');
}

/** A raw string of Rego cannot hold a backtick; JSON can spell it. */
function textOf(value: unknown): string {
  return JSON.stringify(value).replaceAll('`', '\\u0060');
}

/** Facts without whose call it was. */
function withoutNames(input: PolicyInput): object {
  const { call: _call, agent: _agent, claimed: _claimed, session: _session, approvals: _approvals, ...rest } = input;
  const principal = { type: input.principal.type, roles: input.principal.roles };
  return { ...rest, principal, approvals: [] };
}
