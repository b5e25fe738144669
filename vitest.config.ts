import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/cluster.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Processes, not threads: several tests send signals and kill children.
    pool: 'forks',
    maxWorkers: 2,
  },
});
