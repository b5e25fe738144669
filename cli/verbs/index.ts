import type { Verb } from '../verb.ts';

/** First word of a command line to the file that knows its verbs. Loaded only when needed, so that a verb starts fast. */
const GROUPS: Readonly<Record<string, () => Promise<{ readonly verbs: readonly Verb[] }>>> = {
  up: () => import('./up.ts'),
  migrate: () => import('./migrate.ts'),
  keys: () => import('./keys.ts'),
  policy: () => import('./policy.ts'),
  ledger: async () => {
    const files = await Promise.all([
      import('./ledger.ts'),
      import('./ledger-export.ts'),
      import('./ledger-controls.ts'),
      import('./ledger-page.ts'),
      import('./ledger-report.ts'),
      import('./ledger-proof.ts'),
      import('./ledger-recover.ts'),
      import('./ledger-prune.ts'),
    ]);
    return { verbs: files.flatMap(({ verbs }) => verbs) };
  },
  erase: () => import('./erase.ts'),
  hold: () => import('./hold.ts'),
  kill: () => import('./kill.ts'),
  waiver: () => import('./waiver.ts'),
  approvals: () => import('./approvals.ts'),
  costs: () => import('./costs.ts'),
  redact: () => import('./redact.ts'),
  config: () => import('./config.ts'),
  docs: () => import('./docs.ts'),
  demo: () => import('./demo.ts'),
  witness: () => import('./witness.ts'),
};

/** The verbs that a command line can mean: of one group when its first word names one, else all. */
export async function loadVerbs(argv: readonly string[]): Promise<readonly Verb[]> {
  const load = Object.hasOwn(GROUPS, argv[0] ?? '') ? GROUPS[argv[0] ?? ''] : undefined;
  const groups = await Promise.all((load === undefined ? Object.values(GROUPS) : [load]).map((group) => group()));
  return groups.flatMap(({ verbs }) => verbs);
}
