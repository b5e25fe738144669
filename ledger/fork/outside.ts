import type postgres from 'postgres';
import { agree } from '../epoch/continuity.ts';
import type { DeploymentLog } from '../epoch/continuity.ts';
import { LedgerError } from '../error.ts';
import { originLine, parseCheckpoint } from '../note/checkpoint.ts';

/** The newest checkpoint that the database has. */
export interface KnownCheckpoint {
  /** Of the deployment. */
  readonly name: string;
  /** Newest incarnation; -1 in an empty database, which has no log. */
  readonly inc: number;
  readonly log: string | null;
  /** 0 and null before the first. */
  readonly size: number;
  readonly note: string | null;
}

/** A checkpoint as somebody outside remembers it, read without its signature: whoever is asked can stop the gateway, and no more. */
export interface Remembered {
  readonly origin: string;
  readonly size: number;
  /** Lower hex; null when only the size was said. */
  readonly root: string | null;
  readonly note: string | null;
}

/** Somebody outside who remembers checkpoints: a witness, an archive. */
export interface OutsideMemory {
  /** `witness:…` or `archive:…`, as among the anchors. */
  readonly id: string;
  /** Null when nothing newer than what is known, and nothing else, is remembered. Rejects when there is no answer. */
  readonly newest: (known: KnownCheckpoint) => Promise<Remembered | null>;
}

/** What somebody outside said. */
export interface OutsideAnswer {
  readonly id: string;
  /** `unreached`: no answer in time, or none that says anything. */
  readonly said: 'agrees' | 'differs' | 'unreached';
  readonly remembered: Remembered | null;
  /** What is missing; null unless it differs. */
  readonly problem: string | null;
}

const WAIT_MS = 5000;

/** A remembered note as its checkpoint. @throws {LedgerError} `invalid_note` when it is none of the origin that was asked for */
export function rememberedNote(note: string, origin: string): Remembered {
  const checkpoint = parseCheckpoint(note.slice(0, note.indexOf('\n\n') + 1));
  if (checkpoint.origin === origin) return { ...checkpoint, note };
  throw new LedgerError('invalid_note', `expected a checkpoint of ${origin}, found one of another log`);
}

/** Asks everybody at once, each for a few seconds: who cannot be reached keeps nobody from starting. */
export async function askOutside(
  sql: postgres.Sql,
  log: DeploymentLog | null,
  known: KnownCheckpoint,
  memories: readonly OutsideMemory[],
): Promise<OutsideAnswer[]> {
  return Promise.all(
    memories.map(async ({ id, newest }) => {
      let remembered: Remembered | null;
      try {
        remembered = await inTime(newest(known));
      } catch {
        return { id, said: 'unreached' as const, remembered: null, problem: null };
      }
      const problem = remembered === null ? null : await missingOf(sql, log, known, remembered);
      const about = problem === null ? null : `${id} remembers ${problem}`;
      return { id, said: problem === null ? ('agrees' as const) : ('differs' as const), remembered, problem: about };
    }),
  );
}

/** What the database lacks of a checkpoint; null when it has all of it. */
async function missingOf(
  sql: postgres.Sql,
  log: DeploymentLog | null,
  known: KnownCheckpoint,
  { origin, size, root }: Remembered,
): Promise<string | null> {
  const what = `a checkpoint of ${String(size)} entries of ${origin}`;
  if (log === null || origin !== log.origin) return `${what}, which the database does not know`;
  if (root === null) {
    if (size === known.size) return `another history than that of the first ${String(size)} entries of ${origin}`;
    const rows = await sql`select 1 from ledger.entries where log = ${log.log} and seq = ${size - 1}`;
    return rows.length > 0 ? null : `${what}, and the database has fewer`;
  }
  try {
    await agree(sql, log, { origin, size, root, extensions: [] }, null);
    return null;
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'forked') return `${what}, which the database does not continue`;
    throw error;
  }
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LedgerError('unavailable', 'expected an answer in time, found none')), WAIT_MS);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

/** Origins that may be remembered of a deployment: of the incarnation it knows, and of one that began after what was restored. */
export function originsOf({ name, inc }: KnownCheckpoint): string[] {
  return [originLine(name, inc + 1), ...(inc < 0 ? [] : [originLine(name, inc)])];
}
