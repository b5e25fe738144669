/** What the process writes while a test runs: the log goes to standard output past every logger a test could replace. */
import fs from 'node:fs';

export interface CapturedOutput {
  readonly text: () => string;
  /** Lets the output through again. */
  release(): void;
}

/** Keeps what is written to standard output and error instead of printing it. */
export function captureOutput(): CapturedOutput {
  const { write, writeSync } = fs;
  let text = '';
  const keep = (data: unknown): number => {
    const piece = typeof data === 'string' ? data : Buffer.from(data as Uint8Array).toString('utf8');
    text += piece;
    return Buffer.byteLength(piece);
  };
  const isOutput = (fd: unknown): boolean => fd === 1 || fd === 2;
  const replaced = (fd: number, data: unknown, ...rest: unknown[]): void => {
    if (!isOutput(fd)) {
      Reflect.apply(write, fs, [fd, data, ...rest]);
      return;
    }
    const size = keep(data);
    const done = rest.at(-1);
    if (typeof done === 'function') setImmediate(() => Reflect.apply(done, null, [null, size, data]) as unknown);
  };
  const replacedSync = (fd: number, data: unknown, ...rest: unknown[]): number =>
    isOutput(fd) ? keep(data) : (Reflect.apply(writeSync, fs, [fd, data, ...rest]) as number);
  Object.assign(fs, { write: replaced, writeSync: replacedSync });
  return {
    text: () => text,
    release: () => void Object.assign(fs, { write, writeSync }),
  };
}
