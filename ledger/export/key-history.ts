import { canonicalJson } from '../canonical.ts';
import type { JsonValue } from '../canonical.ts';
import { DEPLOYMENT } from '../entry.ts';
import type { StoredCheckpoint } from '../epoch/stored.ts';
import { asObject } from '../verify/call-check.ts';
import { isoTime } from './viewed.ts';
import type { ViewedEntry } from './viewed.ts';
import type { OutFolder } from './out.ts';

interface WriterKey {
  readonly wid: string;
  readonly key: string;
  readonly log: string;
  readonly seq: number;
  readonly time: string;
}

interface CheckpointKey {
  readonly vkey: string;
  readonly first: number;
  last: number;
}

/** Which keys signed what, gathered from the deployment's log and its checkpoints: for people; a key in a bundle is not trust. */
export class KeyHistory {
  /** Epochs the deployment's log tells of. */
  epochs = 0;
  newest: StoredCheckpoint | null = null;
  readonly #writers: WriterKey[] = [];
  readonly #checkpoints: CheckpointKey[] = [];

  add(tenant: string, { kind, wid, log, seq, timeMs }: ViewedEntry, facts: JsonValue): void {
    if (tenant !== DEPLOYMENT) return;
    if (kind === 'epoch') this.epochs += 1;
    const { key } = asObject(facts);
    if (kind !== 'writer' || typeof key !== 'string') return;
    this.#writers.push({ wid, key, log, seq, time: isoTime(timeMs) });
  }

  addCheckpoint(checkpoint: StoredCheckpoint): void {
    this.newest = checkpoint;
    const { vkey, size } = checkpoint;
    const last = this.#checkpoints.at(-1);
    if (last?.vkey === vkey) last.last = size;
    else this.#checkpoints.push({ vkey, first: size, last: size });
  }

  async write(folder: OutFolder): Promise<void> {
    const writers = this.#writers.toSorted((a, b) => (a.wid < b.wid ? -1 : 1));
    const known = writers.map(({ wid, key }) => ({ algorithm: 'ed25519', key, wid }));
    await folder.write('keys/writers.json', `${canonicalJson(known)}\n`);
    const lines = [
      ...this.#writers.map((each) => ({ algorithm: 'ed25519', use: 'writer', ...each })),
      ...this.#checkpoints.map((each) => ({ use: 'checkpoint', ...each })),
    ];
    await folder.write('keys/history.jsonl', lines.map((line) => `${canonicalJson(line)}\n`).join(''));
    if (this.newest !== null) await folder.write('keys/checkpoint.vkey', `${this.newest.vkey}\n`);
  }
}
