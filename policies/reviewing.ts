/** Reviews of a change of policies: what they share with no running gateway, above all the opa compiler. */
export { runMutants } from './review/kill.ts';
export type { MutationReport } from './review/kill.ts';
export { MUTATION_OPERATORS, mutantsOf } from './review/mutants.ts';
export { compareSurvivors, readSurvivors } from './review/survivors.ts';
export type { Survival } from './review/survivors.ts';
export { parseFolder } from './review/syntax.ts';
export { htmlReport } from './review/html.ts';
export { markdownReport } from './review/markdown.ts';
export type { BundleChange } from './review/replay.ts';
export { reviewChange } from './review/review.ts';
export type { NotDone, ReplayedRange, ReplayPart } from './review/review.ts';
export { NO_BASE } from './review/sides.ts';
export { judge } from './review/verdict.ts';
export { headline } from './review/words.ts';
export { recommendExemption } from './review/recommend.ts';
export type { Refusal } from './review/recommend.ts';
