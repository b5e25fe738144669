/** Where each row of the list of attacks is performed, and what catches it. */
export interface AttackRow {
  readonly attack: number;
  readonly title: string;
  /** `export`: rows of cases.ts, in Node and in a browser. Else a test file and words of a test's name in it. */
  readonly tests: readonly ('export' | 'hostile' | readonly [file: string, name: string])[];
}

const LIVE = 'test/ledger/verify.test.ts';
const EPOCHS = 'test/ledger/epoch/live.test.ts';
const RIGHTS = 'test/ledger/privileges.test.ts';

/** Detection: D in the append transaction, V at any verification, C from the next checkpoint on, A with something held outside, R with outside data. */
export const ATTACKS: readonly AttackRow[] = [
  { attack: 1, title: 'edit header or body of a row', tests: ['export', [LIVE, 'the facts are edited'], [LIVE, 'one byte of the encrypted input is flipped']] },
  { attack: 2, title: 'delete a row inside', tests: ['export', [LIVE, 'a row is deleted']] },
  { attack: 3, title: 'truncate the tail before any checkpoint or receipt', tests: ['export', [LIVE, 'an end is cut behind which the writer wrote nothing']] },
  { attack: 4, title: 'truncate the tail after a checkpoint', tests: ['export', [EPOCHS, 'the end of a log is cut that an epoch bound']] },
  { attack: 5, title: 'swap or reorder', tests: ['export', [LIVE, 'two rows are swapped']] },
  { attack: 6, title: 're-chain without the log key', tests: ['export', [EPOCHS, 'log is chained again from an entry on']] },
  { attack: 7, title: 're-chain with the log key', tests: ['export', ['test/ledger/attacks/export.test.ts', 'a witness that has seen the first history']] },
  { attack: 8, title: 'restore the whole database to an old snapshot', tests: ['export', ['test/ledger/fork.test.ts', 'is not written to by a process that starts on it']] },
  { attack: 9, title: 'fail over to a lagging standby', tests: ['export', ['test/ledger/fork.test.ts', 'by a lagging copy finds out before it appends anything']] },
  { attack: 10, title: 'split view to two auditors', tests: ['export'] },
  { attack: 11, title: 'two heads for one tenant in one epoch', tests: ['export', [EPOCHS, 'a head stored for an epoch is edited']] },
  { attack: 12, title: 'call entry forged by a compromised gateway', tests: ['export'] },
  { attack: 13, title: 'gateway calls a model without an intent', tests: [['test/failures/database-before.test.ts', 'nothing sent'], ['test/gateway/egress.test.ts', 'in the product sources'], ['test/gateway/bypass.test.ts', 'is on the bill and nowhere else']] },
  { attack: 14, title: 'intent, then crash', tests: ['export', [LIVE, 'an open call is forgotten']] },
  { attack: 15, title: 'outcome suppressed or doubled', tests: ['export'] },
  { attack: 16, title: 'clock set back or forward', tests: ['export'] },
  { attack: 17, title: 'one sequence twice, by concurrent writers', tests: [['test/ledger/processes/eight.test.ts', 'eight processes on'], ['test/ledger/append.test.ts', 'any interleaving of appends of two processes'], [RIGHTS, 'leaves a gap']] },
  { attack: 18, title: 'superuser disables triggers, replica role, TRUNCATE or DETACH of a partition', tests: [[RIGHTS, 'refuse even the owner'], [RIGHTS, 'a session in replica role'], [LIVE, 'the partition of a log is emptied'], [LIVE, 'the partition of a log is detached']] },
  { attack: 19, title: 'insert past the function', tests: [[RIGHTS, 'can neither add to, change, remove from nor empty'], [RIGHTS, 'links to another entry']] },
  { attack: 20, title: 'canonicalisation', tests: ['export'] },
  { attack: 21, title: 'field boundary', tests: ['export'] },
  { attack: 22, title: 'second preimage of a tree', tests: ['export', ['test/ledger/tree/proof.test.ts', 'an inner node is no leaf']] },
  { attack: 23, title: 'proof, timestamp or signature transplanted', tests: ['export', ['test/ledger/anchor/export.test.ts', 'by anchors of another history']] },
  { attack: 24, title: 'erasure abused to hide evidence', tests: ['export', [LIVE, 'gone without an erasure entry']] },
  { attack: 25, title: 'key rotation forged', tests: ['export'] },
  { attack: 26, title: 'ledger down, calls go on', tests: [['test/failures/database-before.test.ts', 'nothing sent, one gap entry on return'], ['test/ledger/faults.test.ts', 'refuses while it lasts and leaves one gap entry']] },
  { attack: 27, title: 'the verifier attacked', tests: ['hostile'] },
  { attack: 28, title: 'seal holes, lost file', tests: ['export', ['test/ledger/export/parts.test.ts', 'robbed of its evidence']] },
  { attack: 29, title: 'one tenant rewritten between two epochs', tests: ['export', [EPOCHS, 'log is chained again from an entry on']] },
]; // prettier-ignore
