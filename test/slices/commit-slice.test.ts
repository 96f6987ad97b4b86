import { beforeEach, describe, expect, test } from 'vitest';
import type { SliceEntry } from '../../src/batches/slice-entry.ts';
import { SliceRun } from '../../src/calls/slice-run.ts';
import { StopError } from '../../src/calls/stop.ts';
import { commitSlice, type SliceWork } from '../../src/slices/commit-slice.ts';
import { entryOf, replyOf, ticketOf } from '../contract/cluster.ts';
import { MemoryApp } from '../helpers/memory/memory-app.ts';

let app: MemoryApp;
let run: SliceRun;
beforeEach(async () => {
  app = await MemoryApp.open();
  run = new SliceRun(await app.cluster.claim(await app.batchOf(['a'])), new Map());
});

const ENTRIES: readonly SliceEntry[] = [{ kind: 'document', document: { id: 'd0', text: 'a' }, tokens: 1 }];
const WORK: SliceWork = {
  ends: [{ kind: 'answered', answer: { result: { label: 'bug' }, tier: 0, model: 'small' } }],
  others: new Map(),
  localCalls: new Map(),
  audits: { samples: 0, errors: 0 },
  routes: {},
  fallbacks: 0,
  compared: { documents: 0, better: 0, worse: 0 },
};

describe('commitSlice()', () => {
  test('a former owner’s reply that arrives late is counted in the rows before they are committed', async () => {
    const late = ticketOf(run.claim, 50);
    await app.ledger.admit(late);
    run = new SliceRun(await app.cluster.claim(run.claim.batchId), new Map());
    await app.ledger.settle(late, replyOf(20));
    expect(await commitSlice(app, run, ENTRIES, WORK)).toMatchObject({ slicesLeft: 0, outcomes: { succeeded: 1 } });
    expect(await app.rows(run.claim.batchId)).toMatchObject([{ id: 'd0', calls: 1, costUsd: 2e-8 }]);
    expect(await app.batches.commitOf(run.claim.batchId, 0)).toMatchObject({ cost: 20, journalEntries: 1 });
  });

  test('replies that Redis has forgotten are not committed as if they were there', async () => {
    run.journal.set('lost', entryOf(20));
    await expect(commitSlice(app, run, ENTRIES, WORK)).rejects.toMatchObject({ code: 'redis_unavailable' });
    expect(await app.batches.commitOf(run.claim.batchId, 0)).toBeUndefined();
  });

  test('a slice that has another owner is not committed', async () => {
    await app.cluster.claim(run.claim.batchId);
    await expect(commitSlice(app, run, ENTRIES, WORK)).rejects.toThrow(StopError);
    expect(await app.rows(run.claim.batchId)).toEqual([]);
  });
});
