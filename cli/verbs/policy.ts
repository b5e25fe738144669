import type { Verb } from '../verb.ts';
import { activate } from './policy/activate.ts';
import { approve } from './policy/approve.ts';
import { build } from './policy/build.ts';
import { check } from './policy/check.ts';
import { evaluate } from './policy/eval.ts';
import { explain } from './policy/explain.ts';
import { mutants } from './policy/mutants.ts';
import { observe } from './policy/observe.ts';
import { recommend } from './policy/recommend.ts';
import { report } from './policy/report.ts';
import { review } from './policy/review.ts';
import { rollback } from './policy/rollback.ts';
import { status } from './policy/status.ts';
import { test } from './policy/test.ts';

/** Each subcommand is a file of its own in policy/; its line here makes it known. */
export const verbs: readonly Verb[] = [
  test,
  check,
  build,
  evaluate,
  explain,
  mutants,
  recommend,
  review,
  status,
  activate,
  approve,
  rollback,
  observe,
  report,
];
