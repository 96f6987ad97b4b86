import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Nights of a minute each: they mostly wait, so the others run beside them. */
const WAITS = 'test/e2e/schedules.test.ts';

/**
 * Folders whose tests are about functions and keep nothing for the next file: many files share one process, which loads the
 * program once. A test that starts processes, changes the environment or looks at the memory of its own process stands elsewhere.
 */
const SHARED = [
  'batches',
  'bills',
  'budgets',
  'calibration',
  'cascades',
  'checks',
  'config',
  'digests',
  'doctor',
  'evaluation',
  'finalize',
  'ledger',
  'local-model',
  'measures',
  'money',
  'operations',
  'page',
  'plans',
  'providers',
  'quota',
  'redaction',
  'reports',
  'requests',
  'results',
  'setup',
  'slices',
  'tasks',
  'text',
  'workflows',
].map((folder) => `test/${folder}/**/*.test.ts`);

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
    sequence: { sequencer: LongestFirst },
    // For two cores: end-to-end tests wait for processes of their own half of the time; more would only fight.
    maxWorkers: 3,
    // Generous: a bound on time is for what hangs, and machines are busy.
    testTimeout: 90_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'own process',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...SHARED],
          globalSetup: ['test/global-setup.ts'],
        },
      },
      { extends: true, test: { name: 'shared process', include: SHARED, isolate: false } },
    ],
  },
});
