import type { ControlQuery } from './control.ts';

/** Every model or tool call: what was decided, tried, and how it ended. */
export const CALLS: ControlQuery = { log: 'tenant', kinds: ['decision', 'attempt', 'outcome', 'late_outcome'] };

/** Calls that were not allowed. */
export const REFUSED: ControlQuery = {
  log: 'tenant',
  kinds: ['decision'],
  where: [{ fact: 'effect', is: ['deny', 'require_approval', 'undecided', 'refused'] }],
};

/** Calls where something sensitive was changed or withheld on the way: rules about personal data and secrets spoke. */
export const PROTECTED: ControlQuery = {
  log: 'tenant',
  kinds: ['decision'],
  where: [
    { fact: 'rules', is: ['pii.refused', 'pii.redacted', 'pii.response', 'secrets.outbound', 'secrets.inbound'] },
  ],
};

/** What people did: requests for approval and their answers. */
export const APPROVALS: ControlQuery = { log: 'both', kinds: ['approval'] };

/** Credentials and roles given and taken away. */
export const GRANTS: ControlQuery = { log: 'deployment', kinds: ['key', 'role', 'approval'] };

/** Every administrative action and its result. */
export const ADMINISTRATION: ControlQuery = {
  log: 'both',
  kinds: ['access', 'key', 'role', 'approval', 'config', 'reload', 'budget', 'policy', 'tenant', 'migration', 'hold', 'erasure', 'prune'],
}; // prettier-ignore

/** Who read the evidence, and what was handed out. */
export const READS: ControlQuery = { log: 'both', kinds: ['access', 'export'] };

/** Reviews of the log, signed off. */
export const REVIEWS: ControlQuery = {
  log: 'both',
  kinds: ['access'],
  where: [{ fact: 'verb', is: ['ledger.review'] }],
};

/** Begin and end of recording, and everything that interrupted it. */
export const RECORDING: ControlQuery = { log: 'both', kinds: ['start', 'stop', 'gap', 'recovery', 'migration'] };

/** Calls whose outcome was not recorded in time, and times in which nothing could be recorded. */
export const FAILURES: ControlQuery = {
  log: 'both',
  kinds: ['gap', 'recovery', 'late_outcome'],
};

/** Changes of what is in force: configuration, policies, schema. */
export const CHANGES: ControlQuery = {
  log: 'deployment',
  kinds: ['config', 'reload', 'policy', 'role', 'budget', 'migration', 'start'],
};

/** Refused attempts: at the data listener, before authentication, and at administration. */
export const DENIED_ACCESS: ControlQuery = {
  log: 'both',
  kinds: ['refusals'],
};

/** Personal data erased by order, what was pruned after it, and holds that forbid it. */
export const ERASURES: ControlQuery = { log: 'tenant', kinds: ['erasure', 'hold', 'prune'] };

/** What binds the log: writers, epochs, logs. */
export const INTEGRITY: ControlQuery = { log: 'deployment', kinds: ['writer', 'epoch', 'log'] };
