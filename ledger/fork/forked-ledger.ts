import { LedgerError } from '../error.ts';
import type { Ledger, LedgerStatus } from '../ledger.ts';

/** How often it is looked whether an operator has declared the loss. */
const LOOK_MS = 2000;

/**
 * What a process gets that starts on a database from which something is missing: it refuses everything and writes nothing,
 * not even who it is.
 *
 * @param isOver is asked again and again; onOver is called once, when it says so: the process can start anew
 */
export function forkedLedger(
  problem: string,
  { isOver, onOver }: { readonly isOver: () => Promise<boolean>; readonly onOver: () => void },
): Ledger {
  let refused = 0;
  let state: LedgerStatus['state'] = 'forked';
  const refuse = (): Promise<never> => {
    refused += 1;
    return Promise.reject(forkedError(problem));
  };
  const timer = setInterval(() => {
    isOver().then(
      (over) => {
        if (!over || state === 'closed') return;
        clearInterval(timer);
        onOver();
      },
      // The database is away: it is asked again.
      () => undefined,
    );
  }, LOOK_MS).unref();
  return {
    wid: 'none',
    append: refuse,
    signReceipt: refuse,
    signStatement: () => {
      throw forkedError(problem);
    },
    countRefused: () => {
      refused += 1;
    },
    status: () => ({
      state, fork: problem, wid: 'none', downSinceMs: null, queued: 0, inFlight: 0, appended: 0, batches: 0, refused, late: 0,
      openCalls: 0, last: null,
    }),
    close: () => {
      state = 'closed';
      clearInterval(timer);
      return Promise.resolve();
    },
  }; // prettier-ignore
}

export function forkedError(problem: string): LedgerError {
  return new LedgerError(
    'forked',
    `nothing is written until an operator has looked (${problem}); see "countersign ledger recover --help"`,
  );
}
