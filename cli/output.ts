/** Where a verb prints: results on standard output, everything about the work itself on standard error. */
export interface Output {
  readonly result: (line: string) => void;
  /** Bytes of a result exactly as they are, for pipes. */
  readonly text: (text: string) => void;
  readonly note: (line: string) => void;
  /** Whether a person is likely to see the result as it is printed. */
  readonly terminal: boolean;
}

export function standardOutput(): Output {
  // A reader that has seen enough (`| head`) closes the pipe; that is not a failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  return {
    result: (line) => process.stdout.write(`${line}\n`),
    text: (text) => process.stdout.write(text),
    note: (line) => process.stderr.write(`${line}\n`),
    terminal: process.stdout.isTTY,
  };
}

/** A reason as a sentence of its own; one that ends with a question needs no full stop. */
export function sentence(reason: string): string {
  return reason.endsWith('?') ? reason : `${reason}.`;
}
