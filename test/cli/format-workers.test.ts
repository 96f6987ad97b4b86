import { expect, test } from 'vitest';
import type { BatchStatus } from '../../src/batches/batch-status.ts';
import { statusLines } from '../../src/cli/format-status.ts';
import { workersText } from '../../src/cli/format-workers.ts';
import { withWorkers } from '../../src/operations/read-status.ts';
import { statusJson } from '../../src/operations/status-json.ts';
import { STATUS } from '../fixtures/batch-status.ts';
import { WORKER } from '../fixtures/worker.ts';

test('status names the end while a worker is alive, and says that none is where none is', () => {
  const alive = withWorkers(STATUS, [WORKER]);
  expect(statusLines(alive)).toContain('ends in    about 30 s');
  expect(statusLines(alive)).not.toContain('no worker is alive');
  expect(statusJson(alive)).toMatchObject({ workersAlive: 1, etaSeconds: 30 });
  const dead = withWorkers(STATUS, [{ ...WORKER, workflows: ['other'] }]);
  expect(statusLines(dead)).not.toContain('ends in');
  expect(statusLines(dead)).toContain('no worker is alive for triage: start one with nightmill worker');
  expect(statusJson(dead)).toMatchObject({ workersAlive: 0, etaSeconds: null });
});

test('a worker in trouble is named, and no end while no other is alive', () => {
  const troubled = { ...WORKER, id: 'mill-2', trouble: 'Cannot write.' };
  const alone = statusLines(withWorkers(STATUS, [troubled]));
  expect(alone).toContain('left out   worker mill-2 cannot work on it: Cannot write.');
  expect(alone).not.toContain('ends in');
  expect(statusLines(withWorkers(STATUS, [troubled, WORKER]))).toContain('ends in    about 30 s');
});

test('servers of the batch are beside its money, and an unknown cost is not shown as none', () => {
  const off = { provider: 'gpu', ms: 1_200_000, cost: 400_000_000, state: 'on', since: 60_000 } as const;
  const unpriced = { provider: 'old', ms: 90_000, state: 'off', since: 0, why: 'no open batch needs it' } as const;
  const status: BatchStatus = { ...STATUS, power: [off, unpriced] };
  const text = statusLines(status);
  expect(text).toContain(
    'server     gpu: 20 min, $0.40 for this batch, beside the money above; it is on since 1970-01-01T00:01',
  );
  expect(text).toContain('server     old: 1.5 min, cost NOT KNOWN: set price.perHour of the provider for this batch');
  expect(text).toContain('it is off (no open batch needs it)');
  expect(JSON.parse(JSON.stringify(statusJson(status))).power).toEqual([
    { provider: 'gpu', state: 'on', since: '1970-01-01T00:01:00.000Z', seconds: 1200, costUsd: 0.4 },
    { provider: 'old', state: 'off', since: null, seconds: 90, costUsd: null },
  ]);
});

test('what resumes by itself continues only where a worker is alive', () => {
  const hold = { cause: 'provider' as const, reason: 'acme is away.', since: 0, retry: true };
  const paused: BatchStatus = {
    ...STATUS,
    state: 'paused',
    breaker: { state: 'open', hold, pauses: [{ ...hold, of: 'workflow' }], holds: 'workflow' },
  };
  expect(statusLines(withWorkers(paused, [WORKER]))).toContain('nothing: the provider is tried again by itself.');
  const dead = statusLines(withWorkers(paused, []));
  expect(dead).not.toContain('nothing:');
  expect(dead).toContain('start a worker: it tries the provider again by itself.');
});

test('workers are a table, and so is what waits for them', () => {
  const queues = [
    { workflow: 'mail', slices: 7, oldestAt: 0, workersAlive: 0 },
    { workflow: 'triage', slices: 0, workersAlive: 1 },
  ];
  expect(workersText({ workers: [WORKER], queues }, 120_000)).toBe(
    [
      'WORKER       HOST    VERSION  CONFIG  WORKFLOWS  SLICES  HEARTBEAT',
      'mill-1-42-a  mill-1  1.2.3    abc123  triage     1       4 s ago',
      '',
      'WORKFLOW  SLICES LEFT  OLDEST  WORKERS',
      'mail      7            2 min   none is alive',
      'triage    0            -       1',
      '',
    ].join('\n'),
  );
  expect(workersText({ workers: [], queues: [] }, 0)).toContain('No worker is alive. Start one: nightmill worker');
  const other = { ...WORKER, id: 'mill-2', configHash: 'ffff' };
  expect(workersText({ workers: [WORKER, other], queues }, 0)).toContain('2 different configs are at work');
});

test('a pause says whether it is of the batch alone or of its workflow', () => {
  const pause = { cause: 'budget', reason: 'The limit is reached.', since: 0, scope: 'workflow:triage/day' } as const;
  const paused = (of: 'batch' | 'workflow') =>
    statusLines({
      ...STATUS,
      state: 'paused',
      breaker: { ...STATUS.breaker, state: 'open', hold: pause, pauses: [{ ...pause, of }], holds: of },
    });
  expect(paused('batch')).toContain('paused     this batch alone, since 1970-01-01T00:00:00.000Z by budget: The limit');
  expect(paused('workflow')).toContain('paused     all of triage, since');
});
