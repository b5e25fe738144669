/**
 * How often one source may fail to authenticate. A token bucket per source; memory is bounded by forgetting the source
 * that was seen least recently.
 */
export interface FailureLimiter {
  /** 0 when the source may still try, else seconds until it may. */
  blockedForS(source: string, nowMs: number): number;
  fail(source: string, nowMs: number): void;
  readonly size: number;
}

export interface FailureLimits {
  /** Failures a quiet source may make at once. */
  readonly burst: number;
  /** Time in which one failure is forgiven. */
  readonly forgiveMs: number;
  readonly maxSources: number;
}

const DEFAULTS: FailureLimits = { burst: 20, forgiveMs: 3000, maxSources: 10_000 };

interface Bucket {
  readonly failures: number;
  readonly atMs: number;
}

export function createFailureLimiter(limits: Partial<FailureLimits> = {}): FailureLimiter {
  const { burst, forgiveMs, maxSources } = { ...DEFAULTS, ...limits };
  const buckets = new Map<string, Bucket>();
  const failuresOf = (source: string, nowMs: number): number => {
    const bucket = buckets.get(source);
    // A clock that went back forgives nothing.
    return bucket === undefined ? 0 : Math.max(0, bucket.failures - Math.max(0, nowMs - bucket.atMs) / forgiveMs);
  };
  return {
    blockedForS(source, nowMs) {
      const excess = failuresOf(source, nowMs) - (burst - 1);
      return excess <= 0 ? 0 : Math.max(1, Math.ceil((excess * forgiveMs) / 1000));
    },
    fail(source, nowMs) {
      const failures = Math.min(failuresOf(source, nowMs) + 1, burst);
      buckets.delete(source);
      buckets.set(source, { failures, atMs: nowMs });
      if (buckets.size > maxSources) {
        const oldest = buckets.keys().next();
        if (!oldest.done) buckets.delete(oldest.value);
      }
    },
    get size() {
      return buckets.size;
    },
  };
}
