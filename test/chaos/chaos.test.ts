import { describe, expect, it } from 'vitest';
import { ALL_TESTS } from '../helpers/all-tests.ts';
import { hasRedisServer } from './processes.ts';
import { runScenario } from './run-scenario.ts';

/**
 * One of the ten that `.ci/run` plays, with workers that are killed, stopped and ended; `npm run chaos -- --seeds N --seed S`
 * plays others, or this one again.
 */
const SEEDS = ALL_TESTS ? [1, 2] : [2];

describe.skipIf(!hasRedisServer())('Under kill -9, stops, faults and limits in the middle of the work', () => {
  it.for(SEEDS)('seed %i keeps every guarantee', { timeout: 600_000 }, async (seed) => {
    const { problems, folder } = await runScenario(seed, { faults: [] });
    expect(problems, `everything of this run is in ${folder}`).toEqual([]);
  });
});
