import { describe, it } from 'vitest';
import { hasRedisServer } from './processes.ts';
import { runScenario } from './run-scenario.ts';

/** Small ones of the ten that `.ci/run` plays whole; `npm run chaos -- --seeds N --seed S` plays others, or these again. */
const SEEDS = [1, 2];

describe.skipIf(!hasRedisServer())('Under kill -9, stops, faults and limits in the middle of the work', () => {
  it.concurrent.for(SEEDS)('seed %i keeps every guarantee', { timeout: 600_000 }, async (seed, { expect }) => {
    const { problems, folder } = await runScenario(seed, { faults: [], small: true });
    expect(problems, `everything of this run is in ${folder}`).toEqual([]);
  });
});
