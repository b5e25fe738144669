import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/cluster.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Faults are injected into real processes and connections: on a busy machine one may strike a moment too early. A test
    // that fails twice fails; one that needed its second try is named in the run's summary.
    retry: 1,
    // Processes, not threads: several tests send signals and kill children.
    pool: 'forks',
    maxWorkers: 2,
  },
});
