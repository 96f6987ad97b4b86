import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Nights of a minute each: they mostly wait, so the others run beside them. */
const WAITS = 'test/e2e/schedules.test.ts';

/** What takes minutes comes first, so that no process is left alone with it at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number =>
      moduleId.endsWith(WAITS) ? 0 : /\/test\/(e2e|chaos)\//.test(moduleId) ? 1 : 2;
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    globalSetup: ['test/global-setup.ts'],
    include: ['test/**/*.test.ts'],
    sequence: { sequencer: LongestFirst },
    // For two cores: end-to-end tests wait for processes of their own half of the time; more would only fight.
    maxWorkers: 3,
    // Generous: a bound on time is for what hangs, and machines are busy.
    testTimeout: 90_000,
    hookTimeout: 60_000,
  },
});
