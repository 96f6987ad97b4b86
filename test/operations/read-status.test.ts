import { expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { readStatus } from '../../src/operations/read-status.ts';
import { endBatch } from '../contract/cluster.ts';
import { MemoryApp } from '../helpers/memory/memory-app.ts';

const NONE = { succeeded: 0, failed: 0, cancelled: 0, expired: 0, skipped: 0 };

test('a retry that ends while its batch is looked at is in the figures, or open: never ended and missing', async () => {
  const memory = await MemoryApp.open();
  const { batches, ledger, pauses, clock } = memory;
  const batchId = await memory.batchOf(['a', 'b', 'c']);
  const retry = await memory.batchOf(['c']);
  await endBatch(batches, batchId, 'completed', 1, {
    batchId,
    outcomes: { ...NONE, succeeded: 2, failed: 1 },
    state: 'completed',
  });
  await batches.addRetry(batchId, retry);
  const whole = { batchId, outcomes: { ...NONE, succeeded: 3 }, state: 'completed' } as const;
  const watched = {
    progress: (id: string) => batches.progress(id),
    unable: (id: string) => batches.unable(id),
    get: async (id: string) => {
      // After the batch was read, and before its retry is.
      if (id === retry) await endBatch(batches, retry, 'completed', 2, whole);
      return await batches.get(id);
    },
  };
  const app = {
    config: { workflows: new Map(), timezone: 'UTC' },
    batches: watched,
    breaker: { batches: watched, ledger, pauses, clock },
  } as unknown as App;
  expect(await readStatus(app, batchId)).toMatchObject({
    state: 'completed',
    documents: { done: 3, succeeded: 3, failed: 0 },
  });
});
