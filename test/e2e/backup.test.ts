import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { startRedisServer } from '../helpers/redis-server.ts';
import { configYaml, expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

/**
 * What docs/runbook.md says of backup and restore, typed while a worker works. Between the two copies one batch continues
 * and another one ends: the copy of Redis knows of neither, the copy of the store has both.
 */
test('a night is restored from copies of Redis and store, and what ended between the copies by recover', async () => {
  await using model = await HttpModel.start();
  await using workspace = await Workspace.make();
  mkdirSync(workspace.path('redis'));
  await using redis = await startRedisServer(['--appendonly', 'yes', '--dir', workspace.path('redis')]);
  const redisCli = (...args: string[]) =>
    execFileSync('redis-cli', ['-s', redis.url.replace('unix://', ''), ...args]).toString();
  const copy = (from: string, to: string) => cpSync(workspace.path(from), workspace.path(to), { recursive: true });
  const documents = makeDocuments(24);
  const early = documents.slice(0, 6).map((document) => ({ ...document, id: `early-${document.id}` }));
  const worker = 'slices: 1';
  await workspace.write(
    'nightmill.yaml',
    configYaml({ url: model.url, redis: redis.url, slice: 4, concurrency: 4, worker, more: 'store: file:./store' }),
  );
  await workspace.write('docs.jsonl', toJsonl(documents));
  await workspace.write('early.jsonl', toJsonl(early));
  model.holdAfter(5);
  await workspace.run(['submit', 'early.jsonl', '-w', 'triage', '--id', 'early']);
  const first = await workspace.startWorker();
  await workspace.statusWhen('early', ({ documents: { done = 0 }, heldUsd }) => done >= 4 && heldUsd > 0);

  // Redis first. What it knows has its objects in the store, which is copied afterwards.
  redisCli('BGREWRITEAOF');
  do await delay(50);
  while (!redisCli('INFO', 'persistence').includes('aof_rewrite_in_progress:0'));
  await workspace.run(['submit', 'docs.jsonl', '-w', 'triage', '--id', 'night']);
  copy('redis/appendonlydir', 'backup/appendonlydir');
  model.holdAfter(12);
  await workspace.statusWhen('early', ({ state }) => state === 'completed');
  await workspace.statusWhen('night', ({ documents: { done = 0 } }) => done >= 8);
  copy('store', 'backup/store');

  first.kill('SIGKILL');
  await first.exited;
  await redis.kill();
  for (const lost of ['store', 'redis/appendonlydir']) rmSync(workspace.path(lost), { recursive: true });
  const billBefore = model.billNano;
  model.release();
  copy('backup/store', 'store');
  copy('backup/appendonlydir', 'redis/appendonlydir');
  await redis.start();
  expect((await workspace.run(['doctor'])).stdout).toMatch(/ok +checkpoint/);
  const second = await workspace.startWorker();
  await workspace.statusWhen('night', ({ state }) => state === 'completed');
  // Redis's copy took the ended batch for an open one, whose rows have become the output by now: its manifest ends it.
  await workspace.statusWhen('early', ({ state }) => state === 'completed');
  second.kill('SIGKILL');
  await second.exited;

  redisCli('FLUSHALL');
  const recovered = await workspace.run(['recover']);
  expect(recovered, recovered.stderr).toMatchObject({ code: 0 });
  let booked = 0;
  for (const [batch, ids] of [
    ['night', documents.map(({ id }) => id)],
    ['early', early.map(({ id }) => id)],
  ] as const) {
    expect(await workspace.status(batch)).toMatchObject({ state: 'completed', documents: { succeeded: ids.length } });
    await workspace.run(['results', batch, '-o', batch]);
    const output = await workspace.readOutput(batch);
    expectBalanced(output, ids);
    booked += usdToNano(output.manifest.costUsd);
  }
  // What was paid for after Redis was copied is paid for again, and only the provider's bill knows of it.
  expect(model.billNano - booked).toBeGreaterThan(0);
  expect(model.billNano - booked).toBeLessThanOrEqual(billBefore);
}, 240_000);
