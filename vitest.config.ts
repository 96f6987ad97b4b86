import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Nights of a minute each: they mostly wait, so the others run beside them. */
const WAITS = 'test/e2e/schedules.test.ts';

/**
 * Each of these files has a process of its own: it looks at the memory of its process, changes its environment or its
 * globals, or has its set-up in a module that another file loads too. All others share a few processes, each of which
 * loads the program once: a file that loads it anew costs three seconds of CPU.
 */
const OWN_PROCESS = [
  'test/adapters/first-byte.test.ts',
  'test/adapters/openai-compatible.test.ts',
  'test/adapters/openai-connections.test.ts',
  'test/adapters/s3-store.test.ts',
  'test/calls/call-model*.test.ts',
  'test/adapters/webhook-notices.test.ts',
  'test/documents/duplicate-ids.test.ts',
  'test/documents/read-documents.test.ts',
  'test/documents/read-tables.test.ts',
  'test/e2e/upgrade.test.ts',
  'test/packaging/{containers,deployment,launch}.test.ts',
  'test/worker/end-bound.test.ts',
];

/** For servers that scripts/test-s3.sh and scripts/test-cluster.sh start; `npm test` leaves them out. */
const LANES = 'test/{s3,cluster}-lane/**/*.test.ts';

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
    // For two cores: end-to-end tests wait for processes of their own half of the time, and one file waits all the time.
    maxWorkers: 4,
    // Generous: a bound on time is for what hangs, and machines are busy.
    testTimeout: 90_000,
    hookTimeout: 60_000,
    globalSetup: ['test/global-setup.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'shared process',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...OWN_PROCESS, LANES],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'own process', include: OWN_PROCESS } },
      { extends: true, test: { name: 'lanes', include: [LANES] } },
    ],
  },
});
