import { expect, test } from 'vitest';
import { endBatch } from '../../src/finalize/end-batch.ts';
import { batchScope } from '../../src/ledger/scope.ts';
import { processSlice } from '../../src/slices/process-slice.ts';
import { storeKeys } from '../../src/store/store-keys.ts';
import { ticketOf } from '../contract/cluster.ts';
import { MemoryApp } from '../helpers/memory/memory-app.ts';

async function end(app: MemoryApp, batchId: string, ending: 'cancelled' | 'expired') {
  const batch = await app.batches.get(batchId);
  if (batch === undefined) throw new Error(`There is no batch ${batchId}`);
  const { batches, slices, finalize, ledger } = app;
  await endBatch({ batches, slices, finalize, reap: () => ledger.reapDeadWorkers() }, batch, ending);
  const bytes = await app.store.get(storeKeys.manifest(batchId));
  return JSON.parse(Buffer.from(bytes ?? '{}').toString()) as Record<string, unknown>;
}

test('endBatch() gives paid documents their result, the others its status, and the batch its manifest', async () => {
  const app = await MemoryApp.open();
  const batch = await app.batchOf(['a', 'b']);
  // Stopped as soon as the first reply is paid for; the second document has none.
  app.answer = () => {
    if (app.requests.length === 2) throw new TypeError('the process was killed here');
    return { text: '{"label": "bug", "confidence": 1}', finish: 'stop', rateLimitHeaders: {}, durationMs: 1 };
  };
  await expect(processSlice(app.slices, { batch, slice: 0 })).rejects.toThrow();
  const manifest = await end(app, batch, 'cancelled');
  expect(manifest).toMatchObject({ state: 'cancelled', documents: { total: 10, succeeded: 1, cancelled: 1 } });
  expect(app.requests).toHaveLength(2);
  expect(await app.batches.get(batch)).toMatchObject({ state: 'cancelled' });
});

/** What a server that was restarted, or failed over, says was done and then knows nothing of, once each. */
const FORGOTTEN = {
  markEnding: undefined,
  commitSlice: { kind: 'committed', slicesLeft: 0 },
  seal: { kind: 'sealed' },
} as const;

test.each<{ readonly names: readonly (keyof typeof FORGOTTEN)[] }>([
  { names: ['markEnding', 'commitSlice'] },
  { names: ['commitSlice', 'seal'] },
])('endBatch() ends what a restarted server has forgotten of it once more: $names', async ({ names }) => {
  const app = await MemoryApp.open();
  const batchId = await app.batchOf(['a']);
  const left = new Set<string | symbol>(names);
  const batches = new Proxy(app.batches, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== 'function') return member;
      return (...args: readonly unknown[]) =>
        left.delete(name) ? Promise.resolve(FORGOTTEN[name as keyof typeof FORGOTTEN]) : member.apply(target, args);
    },
  });
  app.clock.onSleep = async () => {
    if (app.clock.slept.length > 10) throw new Error('It waits for ever');
  };
  const batch = await app.batches.get(batchId);
  if (batch === undefined) throw new Error('There is no batch');
  const [slices, finalize] = [
    { ...app.slices, batches },
    { ...app.finalize, batches },
  ];
  await endBatch({ batches, slices, finalize, reap: async () => 0 }, batch, 'cancelled');
  expect(left).toEqual(new Set());
  expect(await app.batches.get(batchId)).toMatchObject({ state: 'cancelled', outcomes: { cancelled: 1 } });
});

test('endBatch() fences whoever works on the batch and waits for the money of their calls', async () => {
  const app = await MemoryApp.open();
  const batch = await app.batchOf(['a']);
  const former = await app.cluster.claim(batch);
  const inFlight = ticketOf(former, 40);
  await app.ledger.admit(inFlight);
  app.clock.onSleep = async () => {
    if (app.clock.slept.length === 2) await app.cluster.endLease(app.workerId);
  };
  const manifest = await end(app, batch, 'expired');
  expect(app.clock.slept).toEqual([250, 250]);
  expect(manifest).toMatchObject({ state: 'expired', uncertainUsd: 4e-8 });
  expect(await app.ledger.totals(batchScope(batch))).toMatchObject({ uncertain: 40, held: 0 });
  expect(await app.batches.commitSlice(batch, 0, former.token, {} as never)).toEqual({ kind: 'fenced' });
});
