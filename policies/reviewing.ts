/** Reviews of a change of policies: what they share with no running gateway, above all the opa compiler. */
export { runMutants } from './review/kill.ts';
export type { MutationReport } from './review/kill.ts';
export { MUTATION_OPERATORS, mutantsOf } from './review/mutants.ts';
export { compareSurvivors, readSurvivors } from './review/survivors.ts';
export type { Survival } from './review/survivors.ts';
export { parseFolder } from './review/syntax.ts';
