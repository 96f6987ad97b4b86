import { expect, it } from 'vitest';
import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import type { BatchRecord } from '../../src/batches/batch-registry.ts';
import type { Notice } from '../../src/budgets/notice.ts';
import { formatManifest, type Manifest } from '../../src/finalize/manifest.ts';
import { tellSlower } from '../../src/finalize/tell-slower.ts';
import { LatencySum } from '../../src/measures/latency.ts';
import { NO_USAGE } from '../../src/money/usage.ts';
import { storeKeys } from '../../src/store/store-keys.ts';
import { NOTHING_SPENT } from '../helpers/nothing-spent.ts';

const NOW = Date.parse('2026-03-10T04:00:00.000Z');
const DAY_MS = 86_400_000;

function manifestOf(batchId: string, ms: number): Manifest {
  const times = new LatencySum();
  for (let call = 0; call < 300; call++) times.add(ms, 10);
  const latency = times.total();
  return {
    batchId,
    state: 'completed',
    workflow: 'triage',
    task: 'classify',
    createdAt: '2026-03-10T01:00:00.000Z',
    finishedAt: '2026-03-10T04:00:00.000Z',
    inputs: [],
    documents: { total: 300, succeeded: 300, failed: 0, cancelled: 0, expired: 0, skipped: 0 },
    results: [],
    errors: [],
    usage: NO_USAGE,
    models: [
      {
        ...{ model: 'small', provider: 'acme', tier: 0, calls: 300, accepted: 300, usage: NO_USAGE, cost: 0 },
        ...(latency === undefined ? {} : { latency }),
      },
    ],
    ...NOTHING_SPENT,
    promptVersion: '',
    breaker: [],
  };
}

/** What people are told of a night of `ms`, after nights of a second so many days ago. */
async function told(ms: number, daysAgo: readonly number[], isBroken = false) {
  const store = new MemoryStore();
  const record = (batchId: string, finishedAt: number) =>
    ({ batchId, workflow: 'triage', state: 'completed', finishedAt }) as BatchRecord;
  const before = await Promise.all(
    daysAgo.map(async (days) => {
      const batchId = `night-${days}`;
      const text = isBroken ? 'no JSON' : formatManifest(manifestOf(batchId, 1_000));
      await store.put(storeKeys.manifest(batchId), Buffer.from(text));
      return record(batchId, NOW - days * DAY_MS);
    }),
  );
  const notices: Notice[] = [];
  const events: string[] = [];
  const note = (event: string) => void events.push(event);
  await tellSlower(
    {
      store,
      batches: { list: async () => [record('now', NOW), ...before] },
      notify: async (notice) => void notices.push(notice),
      log: { debug: note, info: note, warn: note, error: note },
    },
    record('now', NOW),
    manifestOf('now', ms),
  );
  return { notices, events };
}

it('tells people of a model that has become slow, once a day, with both figures', async () => {
  const { notices, events } = await told(2_000, [1, 2, 3, 4]);
  expect(notices).toHaveLength(1);
  expect(notices[0]).toMatchObject({
    event: 'latency:drifted',
    subject: 'small',
    details: { workflow: 'triage', batch: 'now' },
    key: 'triage|acme|small|2026-03-10',
  });
  expect(notices[0]?.message).toMatch(
    /^Model small of acme has become slow: in batch now \(triage\) .* took 2\.0 s and more, \d+ % above the 1\.0 s of the last seven nights \(4 batches\)/,
  );
  expect(events).toEqual(['latency:drifted']);
});

it('compares with seven nights alone, and with no night that is too few', async () => {
  expect((await told(2_000, [1, 2, 8, 9])).notices).toEqual([]);
  expect((await told(1_300, [1, 2, 3])).notices).toEqual([]);
});

it('fails nothing where an earlier manifest cannot be read', async () => {
  expect(await told(2_000, [1, 2, 3], true)).toEqual({ notices: [], events: ['alert:lost'] });
});
