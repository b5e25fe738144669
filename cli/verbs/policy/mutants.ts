import {
  compareSurvivors,
  MUTATION_OPERATORS,
  mutantsOf,
  parseFolder,
  readSurvivors,
  runMutants,
  type MutationReport,
  type Survival,
} from '../../../policies/reviewing.ts';
import type { Answer, Json, Verb, VerbContext } from '../../verb.ts';
import { folder, toolchain } from './source.ts';

const PROGRESS_EVERY = 50;

/** Exit code 1 when a mutant lives that is not listed, or one is listed that does not live. */
async function run(context: VerbContext): Promise<Answer> {
  const { args, out } = context;
  const dir = folder(context);
  const [tools, wanted, only] = [await toolchain(context), args.text('operator'), args.text('rule')];
  const files = await parseFolder(tools.opa, dir);
  const mutants = files
    .flatMap(mutantsOf)
    .filter(({ operator, rule }) => (wanted ?? operator) === operator && (only === null || rule.includes(only)));
  const known = (await readSurvivors(dir)).filter(
    ({ mutant }) => (wanted === null || mutant.startsWith(wanted)) && (only === null || mutant.includes(only)),
  );
  const report = await runMutants(dir, files, mutants, tools, (done) => {
    if (done % PROGRESS_EVERY === 0) out.note(`${String(done)} of ${String(mutants.length)} mutants tried`);
  });
  const survival = compareSurvivors(report, known);
  const exit = survival.unexplained.length + survival.stale.length === 0 ? 0 : 1;
  const data = { ...report, ...survival, known: known.length } as unknown as Json;
  return { exit, data, text: textOf(report, survival, known.length) };
}

function textOf({ mutants, killed, invalid, survivors }: MutationReport, survival: Survival, known: number): string {
  const alive = survivors.filter(({ id }) => survival.unexplained.includes(id));
  return [
    ...alive.map(({ id, file, row }) => `survived: ${file}:${String(row)}  ${id}`),
    ...survival.stale.map((id) => `listed in survivors.json and not alive: ${id}`),
    `${String(mutants)} mutants: ${String(killed)} killed, ${String(invalid)} do not compile, ${String(survivors.length)} survived (${String(known)} of them listed with a reason)`,
  ].join('\n');
}

export const mutants: Verb = {
  path: ['policy', 'mutants'],
  summary: "Breaks the rules of a folder in small ways, one at a time, and names the breaks its tests don't notice.",
  positionals: ['DIR'],
  options: {
    operator: { value: 'NAME', help: 'Only this way of breaking.', choices: [...MUTATION_OPERATORS] },
    rule: { value: 'TEXT', help: 'Only rules whose name has this in it, e.g. rules.hosts.' },
  },
  example: 'countersign policy mutants policies/rego/baseline --rule hosts',
  details:
    'drop_rule: a definition never holds. drop_condition: a condition always holds. flip_operator: a comparison or\n' +
    'negation is turned around or moved by one. change_constant: a literal is another.\n' +
    'DIR/survivors.json lists mutants that may live: [{"mutant": "<id>", "reason": "<why>"}]. Exit code 1: one lives\n' +
    'that is not listed, or one is listed that does not live.',
  run,
};
