import { mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** The newest entry of a log that a process was told is durable. */
export interface KeptHead {
  readonly inc: number;
  /** Of the log; null in files of older versions. */
  readonly slot: number | null;
  readonly seq: number;
  /** Leaf hash, lower hex. */
  readonly hash: string;
}

/** By log. */
export type KeptHeads = ReadonlyMap<string, KeptHead>;

/** What processes on this host were told is durable, outside the database; one file a process. */
export interface HeadKeeping {
  /** The newest of each log, of all processes. Read without a signature: whoever writes here can stop the gateway, and no more. */
  readonly acknowledged: (name: string) => Promise<KeptHeads>;
  /** Replaces what a process has kept; whole, and on disk, before this returns. */
  readonly keepAcknowledged: (name: string, writer: string, heads: KeptHeads) => Promise<void>;
  /** Makes what others kept this process's own: their files go. A process that lives makes its file again with its next entry. */
  readonly takeOver: (name: string, writer: string) => Promise<KeptHeads>;
}

const FORMAT = 'countersign/heads/v1';
const LINE = /^([0-9a-f]{64}) (\d{1,9}) (\d{1,15}) ([0-9a-f]{64})(?: (\d{1,9}))?$/;
/** Most logs of one file: those that were written to last. */
export const MAX_HEADS = 4096;

/** @param dir the head store's */
export function createHeadKeeping(dir: string, safe: (name: string) => string): HeadKeeping {
  const fileOf = (name: string, writer: string): string => `${safe(name)}.${safe(writer)}.heads`;
  const filesOf = async (name: string): Promise<string[]> =>
    (await list(dir)).filter((file) => file.startsWith(`${safe(name)}.`) && file.endsWith('.heads'));
  const keep = async (name: string, writer: string, heads: KeptHeads): Promise<void> => {
    const lines = [...heads].slice(-MAX_HEADS).map(([log, head]) => lineOf(log, head));
    const path = join(dir, fileOf(name, writer));
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const file = await open(`${path}.new`, 'w', 0o600);
    try {
      await file.writeFile(`${FORMAT}\n${lines.join('')}`);
      await file.sync();
    } finally {
      await file.close();
    }
    // A reader sees the old file or the new one.
    await rename(`${path}.new`, path);
  };
  return {
    acknowledged: async (name) => readAll(dir, await filesOf(name)),
    keepAcknowledged: keep,
    takeOver: async (name, writer) => {
      const claimed: string[] = [];
      for (const file of await filesOf(name)) {
        const claim = fileOf(name, `${writer}-${String(claimed.length)}`);
        // Whoever else starts at this moment claims it first; a crash from here on leaves files that are read like any other.
        const isMine = await rename(join(dir, file), join(dir, claim)).then(() => true, ignoreMissing);
        if (isMine === true) claimed.push(claim);
      }
      const heads = await readAll(dir, claimed);
      if (claimed.length > 0) await keep(name, writer, heads);
      for (const claim of claimed) await unlink(join(dir, claim));
      return heads;
    },
  };
}

function lineOf(log: string, { inc, slot, seq, hash }: KeptHead): string {
  return `${[log, inc, seq, hash, ...(slot === null ? [] : [slot])].join(' ')}\n`;
}

async function readAll(dir: string, files: readonly string[]): Promise<Map<string, KeptHead>> {
  const heads = new Map<string, KeptHead>();
  for (const file of files) {
    const text = (await readFile(join(dir, file), 'utf8').catch(ignoreMissing)) ?? '';
    for (const line of text.split('\n', MAX_HEADS + 1)) {
      const [, log = '', inc = '', seq = '', hash = '', slot = null] = LINE.exec(line) ?? [];
      if (log !== '' && Number(seq) > (heads.get(log)?.seq ?? -1))
        heads.set(log, { inc: Number(inc), slot: slot === null ? null : Number(slot), seq: Number(seq), hash });
    }
  }
  return heads;
}

async function list(dir: string): Promise<string[]> {
  return (await readdir(dir).catch(ignoreMissing)) ?? [];
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}
