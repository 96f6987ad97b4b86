import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { connect } from '../../src/library/index.ts';
import { setState, startTestSimulator } from '../helpers/simulator.ts';
import { makeDocuments, Workspace } from '../helpers/workspace.ts';

/** A program that brings the simulator into this state and writes a word, as a cloud's own tool would. */
function switchTo(simulatorUrl: string, state: object, file: string, word: string): readonly string[] {
  const body = JSON.stringify(JSON.stringify(state));
  return [
    process.execPath,
    '-e',
    `fetch(${JSON.stringify(new URL('/state', simulatorUrl))}, { method: 'POST', body: ${body} })
      .then(() => require('fs').appendFileSync(${JSON.stringify(file)}, '${word} '))`,
  ];
}

it('switches a server on by its command for a batch, books its minutes for it, and off when nothing needs it', async () => {
  await using simulator = await startTestSimulator();
  await setState(simulator, { down: true });
  await using workspace = await Workspace.make();
  const switched = workspace.path('switched.txt');
  await workspace.write(
    'nightmill.yaml',
    JSON.stringify({
      providers: {
        gpu: {
          kind: 'openai',
          baseUrl: simulator.url,
          power: {
            start: switchTo(simulator.url, {}, switched, 'up'),
            stop: switchTo(simulator.url, { down: true }, switched, 'down'),
            afterIdleMinutes: 0,
          },
          price: { perHour: 1.2 },
        },
      },
      models: {
        small: { provider: 'gpu', id: 'small-2026-01-01', price: { inputPerMillion: 0, outputPerMillion: 0 } },
      },
      workflows: { triage: { task: 'classify', labels: ['billing', 'bug', 'other'], cascade: [{ model: 'small' }] } },
      budget: { day: 5 },
    }),
  );
  await using mill = await connect({ cwd: workspace.folder, logLevel: 'error' });
  const batch = await mill.submit('triage', makeDocuments(10), { id: 'night' });
  await batch.wait();
  expect((await batch.manifest()).documents).toMatchObject({ total: 10, succeeded: 10 });
  // Nothing was asked before it was ready.
  expect(simulator.totals()).toMatchObject({ calls: 10, replies: { 200: 10 } });
  const stopped = async () => (await readFile(switched, 'utf8')).trim();
  await expect.poll(stopped, { timeout: 60_000, interval: 100 }).toBe('up down');
  await expect(fetch(`${simulator.url}/models`)).rejects.toThrow();

  const [time] = (await batch.status()).power ?? [];
  expect(time).toMatchObject({ provider: 'gpu', state: 'off' });
  const minutes = (time?.seconds ?? 0) / 60;
  expect(Number.isInteger(minutes) && minutes > 0, `${minutes} minutes`).toBe(true);
  expect(time?.costUsd).toBeCloseTo(minutes * 0.02, 9);
  const { cost } = (await batch.manifest()) as unknown as { cost: { power: readonly object[] } };
  expect(cost.power).toEqual([{ provider: 'gpu', seconds: 60 * minutes, costUsd: time?.costUsd }]);
  // A minute in which it was idle may have begun before it was stopped.
  const day = (await mill.budgets.list()).find(({ scope }) => scope === 'global/day');
  expect(day?.spentUsd).toBeGreaterThan(minutes * 0.02 - 1e-9);
});
