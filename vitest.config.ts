import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['test/global-setup.ts'],
    include: ['test/**/*.test.ts'],
    // Two cores: more forks only fight over them, and the end-to-end tests start processes of their own.
    maxWorkers: 2,
    // Generous: a bound on time is for what hangs, and machines are busy.
    testTimeout: 90_000,
    hookTimeout: 60_000,
  },
});
