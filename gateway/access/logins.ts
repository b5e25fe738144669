/** Logins of administrators: the first time a principal shows its credential, and again when it has been away for long. */
import type { RecordEvent } from './events.ts';
import type { Principal } from './principal.ts';

/** A working day: whoever goes on without a pause is still the same login. */
const LOGIN_MS = 8 * 3_600_000;
/** More principals than administer one deployment; the longest away is forgotten first, and then is recorded again. */
const MAX_KNOWN = 10_000;

/** Resolves when the login, if it is one, is durable. @throws LedgerError */
export type NoteLogin = (principal: Principal) => Promise<void>;

/** There are no sessions: every request carries its credential, so a login is its first use. */
export function createLoginBook(record: RecordEvent, now: () => number): NoteLogin {
  const seen = new Map<string, number>();
  return async (principal) => {
    const { id, tenant, credential, keyId, assurance, roles, actors } = principal;
    const name = `${tenant} ${id} ${keyId ?? ''}`;
    const last = seen.get(name);
    if (last === undefined || now() - last > LOGIN_MS) {
      await record({
        kind: 'login',
        tenant,
        facts: { credential, assurance, roles: [...roles].toSorted(), delegated: actors.length > 0 },
        detail: { by: id, key: keyId, actors: [...actors] },
      });
    }
    seen.delete(name);
    seen.set(name, now());
    const [oldest] = seen.keys();
    if (seen.size > MAX_KNOWN && oldest !== undefined) seen.delete(oldest);
  };
}
