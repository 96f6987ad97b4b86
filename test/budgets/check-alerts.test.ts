import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLog } from '../../src/adapters/pino/pino-log.ts';
import { RedisAlertMemory } from '../../src/adapters/redis/alert-memory.ts';
import type { RedisLedger } from '../../src/adapters/redis/ledger.ts';
import { RedisWorkflowHistories } from '../../src/adapters/redis/workflow-histories.ts';
import { RedisWorkflowPauses } from '../../src/adapters/redis/workflow-pauses.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { costFigures } from '../../src/batches/cost-figures.ts';
import type { Alert } from '../../src/budgets/alerts.ts';
import { type AlertContext, checkAlerts } from '../../src/budgets/check-alerts.ts';
import type { SliceClaim } from '../../src/ledger/ledger.ts';
import { batchScope } from '../../src/ledger/scope.ts';
import { NO_USAGE } from '../../src/money/usage.ts';
import { Cluster } from '../adapters/redis/fixture.ts';
import { commitOf, endBatch, replyOf, ticketOf } from '../contract/cluster.ts';
import { type RedisServer, startRedisServer } from '../helpers/redis-server.ts';

/** In the day and month that the fixture's tickets are booked in. */
const NOW = Date.parse('2026-03-01T12:00:00Z');

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(async () => {
  await server.stop();
});

/** Workers of one cluster, each with what it sends and logs. */
async function openCluster() {
  const cluster = new Cluster(await server.connect());
  const { ledger } = await cluster.worker();
  const pauses = new RedisWorkflowPauses(cluster.redis, cluster.keys);
  const histories = new RedisWorkflowHistories(cluster.redis, cluster.keys);
  const worker = () => {
    const sent: Alert[] = [];
    const lines: string[] = [];
    const context: AlertContext = {
      batches: cluster.batches,
      ledger,
      pauses,
      histories,
      memory: new RedisAlertMemory(cluster.redis, cluster.keys),
      sink: { send: (alert) => sent.push(alert as Alert), close: async () => {} },
      clock: { ...systemClock, now: () => NOW, monotonic: () => 0 },
      log: createLog('info', [], (line) => lines.push(line)),
      workflows: ['triage'],
      timezones: () => ({ workflow: 'UTC', global: 'UTC' }),
      fired: new Set(),
    };
    const check = async () => await checkAlerts(context, await cluster.batches.listOpen(), { now: true });
    return { context, sent, lines, check };
  };
  return { cluster, ledger, pauses, histories, worker };
}

async function spend(ledger: RedisLedger, claim: SliceClaim, cost: number): Promise<void> {
  const ticket = ticketOf(claim, cost);
  expect(await ledger.admit(ticket)).toEqual({ kind: 'admitted' });
  await ledger.settle(ticket, replyOf(cost));
}

const keysOf = (alerts: readonly Alert[]) => alerts.map(({ scope, level }) => `${scope} ${level}`).sort();

describe('checkAlerts()', () => {
  test('says 50, 80 and 100 % of a batch and of a day as money is spent, each once in the cluster', async () => {
    const { cluster, ledger, worker } = await openCluster();
    const claim = await cluster.claim(await cluster.queuedBatch());
    const batch = `batch:${claim.batchId}`;
    await ledger.setLimit(batch, 1_000);
    await ledger.setLimit('workflow:triage/day', 2_000);
    const [one, other] = [worker(), worker()];
    const said: string[][] = [];
    for (const cost of [490, 20, 300, 190]) {
      await spend(ledger, claim, cost);
      const both = await Promise.all([one.check(), other.check()]);
      said.push(keysOf(both.flat()));
      expect((await Promise.all([one.check(), other.check()])).flat()).toEqual([]);
    }
    expect(said).toEqual([[], [`${batch} 50%`], [`${batch} 80%`], [`${batch} 100%`, 'workflow:triage/day 50%']]);
    expect(one.sent.length + other.sent.length).toBe(4);
    const logged = [...one.lines, ...other.lines].map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(logged).toHaveLength(4);
    expect(logged.find(({ alertLevel }) => alertLevel === '100%')).toMatchObject({
      level: 'warn',
      msg: 'budget:alert',
      scope: batch,
      spentUsd: '0.000001',
      limitUsd: '0.000001',
    });
    await cluster.stop();
  });

  test('a process that starts later does not repeat what another has said', async () => {
    const { cluster, ledger, worker } = await openCluster();
    const claim = await cluster.claim(await cluster.queuedBatch());
    await ledger.setLimit(`batch:${claim.batchId}`, 1_000);
    await spend(ledger, claim, 600);
    expect(await worker().check()).toHaveLength(1);
    expect(await worker().check()).toEqual([]);
    await cluster.stop();
  });

  test('says 100 % for a limit that refused a call and left a little, of a batch and of a workflow', async () => {
    const { cluster, ledger, pauses, worker } = await openCluster();
    const claim = await cluster.claim(await cluster.queuedBatch());
    const scope = `batch:${claim.batchId}`;
    await ledger.setLimit(scope, 1_000);
    await ledger.setLimit('workflow:triage/day', 2_000);
    await spend(ledger, claim, 400);
    await cluster.batches.pauseBatch(claim.batchId, { cause: 'budget', reason: '', since: NOW, scope });
    expect(keysOf(await worker().check())).toEqual([`${scope} 100%`]);
    const yesterday = '2026-02-28';
    const scopeOfDay = 'workflow:triage/day';
    await pauses.set('triage', { cause: 'budget', reason: '', since: NOW, scope: scopeOfDay, period: yesterday });
    expect(await worker().check()).toEqual([]);
    await pauses.clear('triage');
    const period = '2026-03-01';
    await pauses.set('triage', { cause: 'budget', reason: '', since: NOW, scope: scopeOfDay, period });
    expect(keysOf(await worker().check())).toEqual(['workflow:triage/day 100%']);
    await cluster.stop();
  });

  test('says that the open work will pass a limit by more than a fifth', async () => {
    const { cluster, ledger, worker } = await openCluster();
    const claim = await cluster.claim(await cluster.queuedBatch(10));
    await ledger.setLimit(`batch:${claim.batchId}`, 1_000);
    await ledger.setLimit('global/day', 1_300);
    await spend(ledger, claim, 250);
    // 100 documents in all: 19 done are too few to tell, 20 done cost 12.5 each.
    await cluster.batches.reportProgress(claim.batchId, 0, claim.token, { documents: 19, begun: 0 });
    expect(await worker().check()).toEqual([]);
    await cluster.batches.reportProgress(claim.batchId, 0, claim.token, { documents: 20, begun: 0 });
    const alerts = await worker().check();
    expect(keysOf(alerts)).toEqual([`batch:${claim.batchId} projection`]);
    expect(alerts[0]).toMatchObject({ projected: 1_250, limit: 1_000, spent: 250 });
    await cluster.stop();
  });

  test("says that a batch's documents cost more than the workflow's finished batches", async () => {
    const { cluster, ledger, histories, worker } = await openCluster();
    const past = await cluster.queuedBatch();
    const sample = { batchId: past, configHash: 'h', documents: 100, cost: 500, inputTokens: 1_000, seconds: 60 };
    await histories.add('triage', sample);
    await endBatch(cluster.batches, past, 'completed', NOW);
    const claim = await cluster.claim(await cluster.queuedBatch(10));
    await spend(ledger, claim, 250);
    await cluster.batches.reportProgress(claim.batchId, 0, claim.token, { documents: 40, begun: 0 });
    expect(await worker().check()).toEqual([]);
    await cluster.batches.reportProgress(claim.batchId, 0, claim.token, { documents: 25, begun: 0 });
    const [alert, ...rest] = await worker().check();
    expect(alert).toMatchObject({ scope: `batch:${claim.batchId}`, level: 'drift', perDocument: 10 });
    expect(rest).toEqual([]);
    await cluster.stop();
  });

  test('says after nights of 60, 60, 60 that one of 1,500 documents is not usual, with what its slices say of the parts', async () => {
    const { cluster, histories, worker } = await openCluster();
    const models = (accepted: number, cost: number) => [
      { model: 'small', tier: 0, calls: accepted, accepted, usage: { ...NO_USAGE, inputTokens: 6_000 }, cost },
    ];
    for (const night of [1, 2, 3]) {
      const batchId = await cluster.queuedBatch(6);
      await histories.add('triage', {
        batchId,
        configHash: 'h',
        documents: 60,
        cost: 600,
        inputTokens: 6_000,
        seconds: 60,
        finishedAt: NOW - (4 - night) * 86_400_000,
        figures: costFigures({ models: models(60, 600), rejections: {}, retries: {} }),
      });
      await endBatch(cluster.batches, batchId, 'completed', NOW);
    }
    const claim = await cluster.claim(await cluster.queuedBatch(150));
    const commit = { models: models(30, 1_200), rejections: { invalid_json: 6 }, retries: { timeout: 3 } };
    await cluster.batches.commitSlice(claim.batchId, 0, claim.token, commitOf(claim.token, commit));
    const first = worker();
    const alerts = await first.check();
    expect(keysOf(alerts)).toEqual([`batch:${claim.batchId} volume`, 'workflow:triage/month forecast']);
    for (const { parts } of alerts) {
      expect(parts?.map(({ now, usual }) => [now, usual])).toEqual([
        [1_500, 60],
        [100, 100],
        [100, 100],
        [0.0002, 0.0001],
        [30, 0],
      ]);
    }
    expect(await first.check()).toEqual([]);
    expect(await worker().check()).toEqual([]);
    await cluster.stop();
  });

  test('leaves the check to the worker of the cluster that began it a moment ago', async () => {
    const { cluster, ledger, worker } = await openCluster();
    const claim = await cluster.claim(await cluster.queuedBatch());
    await ledger.setLimit(`batch:${claim.batchId}`, 1_000);
    const open = await cluster.batches.listOpen();
    expect(await checkAlerts(worker().context, open)).toEqual([]);
    await spend(ledger, claim, 900);
    expect(await checkAlerts(worker().context, open)).toEqual([]);
    await cluster.redis.del(cluster.keys.alertCheck);
    expect(keysOf(await checkAlerts(worker().context, open))).toEqual([`batch:${claim.batchId} 80%`]);
    await cluster.stop();
  });

  test('remembers what was said for longer than a month', async () => {
    const { cluster, ledger, worker } = await openCluster();
    const claim = await cluster.claim(await cluster.queuedBatch());
    const scope = batchScope(claim.batchId).name;
    await ledger.setLimit(scope, 1_000);
    await spend(ledger, claim, 500);
    await worker().check();
    expect(await cluster.redis.ttl(cluster.keys.alert(`${scope}||50%|1000`))).toBeGreaterThan(31 * 24 * 3600);
    await cluster.stop();
  });
});

describe('RedisWorkflowHistories', () => {
  const SAMPLE = { configHash: 'h', documents: 10, cost: 1_000, inputTokens: 500, seconds: 30 };

  test('adds a batch once, and lets each batch count for less than the next one', async () => {
    const { cluster, histories } = await openCluster();
    expect(await histories.get('triage')).toBeUndefined();
    const [first, second] = [await cluster.queuedBatch(), await cluster.queuedBatch()];
    await histories.add('triage', { ...SAMPLE, batchId: first });
    await histories.add('triage', { ...SAMPLE, batchId: first });
    expect(await histories.get('triage')).toEqual({ ...SAMPLE, batches: 1 });
    await histories.add('triage', { ...SAMPLE, batchId: second, cost: 3_000, seconds: 0.5 });
    expect(await histories.get('triage')).toEqual({
      configHash: 'h',
      batches: 2,
      documents: 18,
      cost: 3_800,
      inputTokens: 900,
      seconds: 24.5,
    });
    expect(await histories.get('other')).toBeUndefined();
    const figures = {
      answered: 10,
      byFirstTier: 5,
      byTier: { 0: 5, 1: 5 },
      starts: { 0: 8, 1: 2 },
      calls: 12,
      retries: 1,
      models: { small: { tokens: 100, cost: 20 } },
    };
    await histories.add('triage', { ...SAMPLE, batchId: await cluster.queuedBatch(), figures });
    expect((await histories.get('triage'))?.figures).toEqual(figures);
    const others = { ...figures, models: { large: { tokens: 10, cost: 10 } } };
    await histories.add('triage', { ...SAMPLE, batchId: await cluster.queuedBatch(), figures: others });
    expect((await histories.get('triage'))?.figures).toEqual({
      answered: 18,
      byFirstTier: 9,
      byTier: { 0: 9, 1: 9 },
      starts: { 0: 14.4, 1: 3.6 },
      calls: 21.6,
      retries: 1.8,
      models: { small: { tokens: 80, cost: 16 }, large: { tokens: 10, cost: 10 } },
    });
    await cluster.stop();
  });

  test('starts again with another version of the workflow, and forgets a batch that does not exist', async () => {
    const { cluster, histories } = await openCluster();
    await histories.add('triage', { ...SAMPLE, batchId: await cluster.queuedBatch() });
    await histories.add('triage', { ...SAMPLE, batchId: await cluster.queuedBatch(), configHash: 'h2', cost: 7 });
    await histories.add('triage', { ...SAMPLE, batchId: 'unknown', configHash: 'h2' });
    expect(await histories.get('triage')).toEqual({ ...SAMPLE, configHash: 'h2', cost: 7, batches: 1 });
    await cluster.stop();
  });
});
