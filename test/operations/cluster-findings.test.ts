import { describe, expect, test } from 'vitest';
import type { BatchRecord } from '../../src/batches/batch-registry.ts';
import type { LiveWorker } from '../../src/batches/worker-registry.ts';
import { type ClusterFacts, clusterFindings } from '../../src/operations/cluster-findings.ts';
import { workerHealth } from '../../src/operations/worker-health.ts';
import { WORKER } from '../fixtures/worker.ts';

const BATCH = {
  batchId: 'b-1',
  workflow: 'triage',
  state: 'running',
  slices: 4,
  slicesCommitted: 1,
  pauses: [],
} as unknown as BatchRecord;
const OPEN = { batch: BATCH, unable: new Map<string, string>(), pendingSlices: 3 };

function linesOf(change: Partial<ClusterFacts>): string[] {
  const facts: ClusterFacts = {
    workers: [WORKER],
    shared: true,
    open: [],
    pauses: new Map(),
    persistence: 'append-only file',
    configHash: WORKER.configHash,
    ...change,
  };
  return clusterFindings(facts).map(({ name, state, detail }) => `${state} ${name}: ${detail}`);
}

describe('clusterFindings()', () => {
  test('is well where a worker of the same config is alive and Redis keeps what it is told', () => {
    expect(linesOf({ open: [OPEN] })).toEqual([
      'ok redis persistence: append-only file',
      'ok workers: 1 alive on mill-1',
    ]);
  });

  test('says that no worker is alive, and how many batches wait', () => {
    expect(linesOf({ workers: [], open: [OPEN] })).toContainEqual(
      expect.stringMatching(/^warning workers: no worker is alive while 1 batch has .*nightmill worker/),
    );
    expect(linesOf({ workers: [] })).toContainEqual(expect.stringMatching(/^warning workers: no worker is alive: /));
    expect(linesOf({ workers: [], shared: false }).join()).not.toContain('workers');
  });

  test.each([
    ['nothing', /^warning redis persistence: it writes nothing.*appendonly yes/],
    ['snapshots', /^warning redis persistence: snapshots only/],
    ['unknown', /^ok redis persistence: not known/],
  ] as const)('of a Redis that persists %s', (persistence, line) => {
    expect(linesOf({ persistence })).toContainEqual(expect.stringMatching(line));
  });

  test('names workers of another config, and versions that differ', () => {
    const other: LiveWorker = { ...WORKER, id: 'mill-2-7-x', configHash: 'ffff', version: '9.9.9' };
    const lines = linesOf({ workers: [WORKER, other] });
    expect(lines).toContainEqual(
      expect.stringMatching(/^warning worker configs: this one is abc123, .*mill-2-7-x \(ffff\)/),
    );
    expect(lines).toContainEqual(expect.stringMatching(/^warning worker versions: .*1\.2\.3, 9\.9\.9/));
  });

  test('names paused workflows with their cause and since when', () => {
    const pauses = new Map([['triage', [{ cause: 'operator' as const, reason: 'paused by an operator.', since: 0 }]]]);
    expect(linesOf({ pauses, workers: [WORKER], open: [{ ...OPEN, pendingSlices: 0 }] })).toEqual([
      expect.stringContaining('ok redis'),
      expect.stringContaining('ok workers'),
      expect.stringMatching(/^warning workflow triage: paused since 1970-01-01T00:00:00.000Z by operator: paused by/),
    ]);
  });

  test('a batch stands still where nobody takes its workflow, nobody can, or its slices are in no queue', () => {
    const elsewhere = { ...WORKER, workflows: ['other'] };
    expect(linesOf({ open: [OPEN], workers: [elsewhere] })).toContainEqual(
      expect.stringMatching(/^warning batch b-1: no live worker takes the workflow triage/),
    );
    const unable = new Map([[WORKER.id, 'its config has no provider "acme"']]);
    expect(linesOf({ open: [{ ...OPEN, unable }] })).toContainEqual(
      expect.stringMatching(/^warning batch b-1: none of its 1 live workers .*no provider "acme"/),
    );
    const troubled = linesOf({ open: [OPEN], workers: [{ ...WORKER, trouble: 'Cannot write.' }] });
    expect(troubled).toContain(`warning worker ${WORKER.id}: takes no slices: Cannot write.`);
    expect(troubled).toContain('warning batch b-1: none of its 1 live workers can work on it: Cannot write.');
    expect(linesOf({ open: [{ ...OPEN, pendingSlices: 0 }] })).toContainEqual(
      expect.stringMatching(/^warning batch b-1: 3 slices are left and none is in the queue/),
    );
  });
});

describe('workerHealth()', () => {
  test('is of this host alone, and of the youngest sign of life', () => {
    const old = { ...WORKER, id: 'old', heartbeatAgeMs: 90_000 };
    expect(workerHealth([old, WORKER], 'mill-1', 60).healthy).toBe(true);
    expect(workerHealth([old], 'mill-1', 60)).toEqual({
      healthy: false,
      detail: expect.stringMatching(/90 s old, more than 60 s/),
    });
    expect(workerHealth([WORKER], 'mill-2', 60)).toEqual({
      healthy: false,
      detail: expect.stringContaining('no worker of host mill-2 is alive'),
    });
  });
});
