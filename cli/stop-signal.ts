const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

export interface StopSignal {
  /** The signal that has arrived, or null. */
  readonly reason: string | null;
  /** Resolves with the first signal. */
  wait(): Promise<string>;
}

/** Ctrl-C under npm arrives twice: from the terminal, and passed on by npm. */
const SAME_MS = 1000;

/**
 * Takes over the signals that ask to stop. A second one means "now": the process ends at once. What was acknowledged is
 * in the database, and the next start finds the database as it is.
 */
export function listenForStop(): StopSignal {
  let reason: string | null = null;
  let firstMs = 0;
  let tell: (name: string) => void = () => undefined;
  const first = new Promise<string>((resolve) => (tell = resolve));
  for (const name of SIGNALS) {
    process.on(name, () => {
      const nowMs = performance.now();
      if (reason === null) firstMs = nowMs;
      else if (nowMs - firstMs > SAME_MS) process.exit(1);
      reason ??= name;
      tell(name);
    });
  }
  return {
    get reason() {
      return reason;
    },
    wait: () => first,
  };
}
