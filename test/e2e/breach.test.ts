import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { startTcpRedis } from '../helpers/tcp-redis.ts';
import { configYaml, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

const MAX_MS = 1_000;

it('a reached limit of all workflows pauses every queue of the cluster within a second of the refused call', async () => {
  await using model = await HttpModel.start();
  await using server = await startTcpRedis();
  const config = configYaml({ url: model.url, redis: server.url, more: 'budget: { day: 0.002 }' });
  const prefix = /redisPrefix: (\S+)/.exec(config)?.[1];
  await using workspace = await Workspace.make({
    'nightmill.yaml': config,
    'docs.jsonl': toJsonl(makeDocuments(400)),
  });
  const redis = new Redis(server.url);
  try {
    await workspace.startWorker();
    await workspace.startWorker();
    const waiting = workspace.run(['submit', 'docs.jsonl', '-w', 'triage', '--id', 'breach', '--wait', '--json']);
    const pausedAt = await Promise.all(
      ['triage', 'digest'].map(async (queue) => {
        while ((await redis.hexists(`{${prefix}}:bull:${queue}:meta`, 'paused')) === 0) await delay(5);
        return Date.now();
      }),
    );
    const [json = '{}'] = await redis.hvals(`{${prefix}}:pauses:triage`);
    const hold = JSON.parse(json) as { since: number; scope: string };
    expect(hold.scope).toBe('global/day');
    for (const at of pausedAt) expect(at - hold.since).toBeLessThanOrEqual(MAX_MS);

    expect(await waiting).toMatchObject({ code: 3 });
    const callsAtBreach = model.calls.length;
    const status = await workspace.status('breach');
    expect(status).toMatchObject({ state: 'paused', heldUsd: 0, breaker: { state: 'open', cause: 'budget' } });
    expect(usdToNano(status.spentUsd)).toBe(model.billNano);
    expect(model.billNano).toBeLessThanOrEqual(2_000_000);
    expect(model.calls).toHaveLength(callsAtBreach);
  } finally {
    redis.disconnect();
  }
});
