import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { createLog } from '../../src/adapters/pino/pino-log.ts';
import { openApp } from '../../src/app.ts';
import { usdToNano } from '../../src/money/money.ts';
import { listBudgets, setBudget } from '../../src/operations/budgets.ts';
import { readStatus } from '../../src/operations/read-status.ts';
import { downloadResults } from '../../src/results/download-results.ts';
import { readCommands } from '../chaos/append-only-file.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { startRedisServer } from '../helpers/redis-server.ts';
import { expectBalanced, Workspace } from '../helpers/workspace.ts';

/** Made by `node scripts/record-night.ts` with an earlier build. */
const RECORDED = fileURLToPath(new URL('../fixtures/recorded-night/', import.meta.url));

interface Facts {
  readonly sizes: Readonly<Record<'ended' | 'held' | 'running' | 'waiting', number>>;
  readonly paidOfHeld: number;
  readonly paidOfRunning: number;
  readonly billNano: number;
}

test('a worker of today ends the night that an earlier build has left in Redis and store, and pays for nothing twice', async () => {
  await using model = await HttpModel.start();
  await using redis = await startRedisServer();
  const yaml = readFileSync(`${RECORDED}nightmill.yaml`, 'utf8');
  await using workspace = await Workspace.make({
    'nightmill.yaml': yaml.replace('{{MODEL}}', model.url).replace('{{REDIS}}', redis.url),
  });
  execFileSync('tar', ['xzf', `${RECORDED}night.tar.gz`, '-C', workspace.folder]);
  const facts = JSON.parse(readFileSync(workspace.path('facts.json'), 'utf8')) as Facts;
  const client = await redis.connect();
  for (const [name = Buffer.alloc(0), ...args] of readCommands(readFileSync(workspace.path('redis.aof')))) {
    await client.call(name.toString(), args);
  }

  const config = loadConfig({ cwd: workspace.folder, env: {} });
  const log = createLog('silent', []);
  await using app = await openApp({ config, log, announce: () => {}, searchPath: undefined });

  expect(await readStatus(app, 'ended')).toMatchObject({ state: 'completed', documents: { succeeded: 6 } });
  await workspace.startWorker();
  await workspace.statusWhen('running', ({ state }) => state === 'completed');
  await workspace.statusWhen('waiting', ({ state }) => state === 'completed');
  expect(await readStatus(app, 'held')).toMatchObject({ state: 'paused', limit: 300_000 });
  await setBudget(app, 'batch:held', usdToNano(1));
  await workspace.statusWhen('held', ({ state }) => state === 'completed');

  const { sizes, paidOfHeld, paidOfRunning, billNano } = facts;
  // The four calls in flight at the death of the worker are asked again; no reply that was paid for is.
  const open = sizes.held + sizes.running + sizes.waiting - paidOfHeld - paidOfRunning;
  expect(model.calls).toHaveLength(open);
  let [cost, uncertain] = [0, 0];
  for (const [batch, size] of Object.entries(sizes)) {
    mkdirSync(workspace.path(`results/${batch}`), { recursive: true });
    await downloadResults(app.store, batch, workspace.path(`results/${batch}`));
    const output = await workspace.readOutput(`results/${batch}`);
    expectBalanced(
      output,
      Array.from({ length: size }, (_, index) => `${batch}-${index}`),
    );
    expect(output.results).toHaveLength(size);
    cost += usdToNano(output.manifest.costUsd);
    uncertain += usdToNano(output.manifest.uncertainUsd);
  }
  expect(cost).toBe(billNano + model.billNano);
  expect(uncertain).toBeGreaterThan(0);
  expect(await listBudgets(app)).toContainEqual(
    expect.objectContaining({ scope: expect.objectContaining({ name: 'workflow:triage/month' }), limit: usdToNano(5) }),
  );
  expect((await app.apiKeys.list()).map(({ name }) => name)).toEqual(['team']);
}, 240_000);
