import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { percentile } from './statistics.ts';

/** How quiet the machine is: figures of a run are comparable with another's only when these are. */
export interface Noise {
  /** One 8 KiB write made durable, µs. */
  readonly fdatasyncP50Us: number;
  /** The same fixed work, over and over, µs: p99 far above p50 means that something else wants the processor. */
  readonly spinP50Us: number;
  readonly spinP99Us: number;
}

const SYNCS = 200;
const SPINS = 300;

export function probeNoise(): Noise {
  const spins = timed(SPINS, spin);
  return { fdatasyncP50Us: probeDisk(), spinP50Us: percentile(spins, 0.5), spinP99Us: percentile(spins, 0.99) };
}

function probeDisk(): number {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-noise-'));
  const file = openSync(join(folder, 'probe'), 'w');
  const block = Buffer.alloc(8192, 1);
  try {
    return percentile(
      timed(SYNCS, () => {
        writeSync(file, block);
        fdatasyncSync(file);
      }),
      0.5,
    );
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
}

function spin(): void {
  let state = 1;
  for (let step = 0; step < 400_000; step += 1) state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff;
  if (state === -1) throw new Error('never: it keeps the loop from being removed');
}

function timed(times: number, work: () => void): Float64Array {
  const samples = Float64Array.from({ length: times }, () => {
    const startedMs = performance.now();
    work();
    return (performance.now() - startedMs) * 1000;
  });
  return samples.sort();
}
