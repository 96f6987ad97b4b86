import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ContractCluster, commitOf, endBatch, replyOf, ticketOf } from './cluster.ts';

/** What `BatchRegistry` promises, on any adapter. */
export function testBatchRegistry(open: () => Promise<ContractCluster>): void {
  let cluster: ContractCluster;

  beforeEach(async () => {
    cluster = await open();
  });
  afterEach(() => cluster.stop());

  test('claimSlice() gives every owner a new token and starts the batch', async () => {
    const batchId = await cluster.queuedBatch(2);
    expect(await cluster.batches.get(batchId)).toMatchObject({ state: 'queued' });
    const first = await cluster.batches.claimSlice(batchId, 1);
    const second = await cluster.batches.claimSlice(batchId, 1);
    expect([first.kind, second.kind]).toEqual(['owned', 'owned']);
    expect(first).not.toEqual(second);
    expect(await cluster.batches.get(batchId)).toMatchObject({ state: 'running', slicesCommitted: 0 });
  });

  test('claimSlice() of an unknown batch and of one that is still being submitted is gone', async () => {
    expect(await cluster.batches.claimSlice('unknown', 0)).toEqual({ kind: 'gone' });
    const batchId = 'still-ingesting';
    await cluster.batches.create({
      batchId,
      workflow: 'triage',
      priority: 0,
      createdAt: 1,
      contentHash: '',
      sliceDocuments: 1,
      sliceTokens: 1,
    });
    expect(await cluster.batches.claimSlice(batchId, 0)).toEqual({ kind: 'gone' });
  });

  test('commitSlice() counts its outcomes once, also when it is sent again, and drops journal and progress', async () => {
    const { ledger } = await cluster.worker();
    const batchId = await cluster.queuedBatch(2);
    const claim = await cluster.claim(batchId, 1);
    const ticket = ticketOf(claim, 10);
    await ledger.admit(ticket);
    await ledger.settle(ticket, replyOf(4));
    await cluster.batches.reportProgress(batchId, 1, claim.token, { documents: 6, begun: 9 });
    await cluster.batches.reportProgress(batchId, 1, claim.token, { documents: 6, begun: 4 });
    expect(await cluster.batches.progress(batchId)).toEqual({ documents: 6, begun: 4 });
    const commit = commitOf(claim.token, { journalEntries: 1, cost: 4, rejections: { low_confidence: 3 } });
    for (let sent = 0; sent < 2; sent += 1) {
      expect(await cluster.batches.commitSlice(batchId, 1, claim.token, commit)).toEqual({
        kind: 'committed',
        slicesLeft: 1,
      });
      expect(await cluster.batches.get(batchId)).toMatchObject({
        slicesCommitted: 1,
        outcomes: { succeeded: 7, failed: 2, cancelled: 0, expired: 0, skipped: 1 },
      });
    }
    expect((await ledger.journal(batchId, 1)).size).toBe(0);
    expect(await cluster.batches.progress(batchId)).toEqual({ documents: 0, begun: 0 });
    expect(await Array.fromAsync(cluster.batches.commits(batchId, 2))).toEqual([undefined, commit]);
    expect(await cluster.batches.claimSlice(batchId, 1)).toEqual({ kind: 'done' });
  });

  test('reportProgress() of a former owner, or after the commit, leaves nothing behind', async () => {
    const batchId = await cluster.queuedBatch();
    const [former, owner] = [await cluster.claim(batchId), await cluster.claim(batchId)];
    await cluster.batches.reportProgress(batchId, 0, former.token, { documents: 3, begun: 1 });
    expect(await cluster.batches.progress(batchId)).toEqual({ documents: 0, begun: 0 });
    await cluster.batches.commitSlice(batchId, 0, owner.token, commitOf(owner.token));
    await cluster.batches.reportProgress(batchId, 0, owner.token, { documents: 10, begun: 1 });
    expect(await cluster.batches.progress(batchId)).toEqual({ documents: 0, begun: 0 });
  });

  test('commitSlice() of a former owner is fenced before and after the new owner commits', async () => {
    const batchId = await cluster.queuedBatch();
    const [former, owner] = [await cluster.claim(batchId), await cluster.claim(batchId)];
    const commitFormer = () => cluster.batches.commitSlice(batchId, 0, former.token, commitOf(former.token));
    expect(await commitFormer()).toEqual({ kind: 'fenced' });
    expect(await cluster.batches.get(batchId)).toMatchObject({ slicesCommitted: 0, outcomes: { succeeded: 0 } });
    expect(await cluster.batches.commitSlice(batchId, 0, owner.token, commitOf(owner.token))).toMatchObject({
      kind: 'committed',
    });
    expect(await commitFormer()).toEqual({ kind: 'fenced' });
    expect(await cluster.batches.get(batchId)).toMatchObject({ slicesCommitted: 1, outcomes: { succeeded: 7 } });
  });

  test('commitSlice() with a reply in the journal that it does not count changes nothing', async () => {
    const { ledger } = await cluster.worker();
    const batchId = await cluster.queuedBatch();
    const former = await cluster.claim(batchId);
    const late = ticketOf(former, 10);
    await ledger.admit(late);
    const owner = await cluster.claim(batchId);
    await ledger.settle(late, replyOf(4));
    expect(await cluster.batches.commitSlice(batchId, 0, owner.token, commitOf(owner.token))).toEqual({
      kind: 'journal_changed',
    });
    expect(await cluster.batches.get(batchId)).toMatchObject({ slicesCommitted: 0, outcomes: { succeeded: 0 } });
    expect((await ledger.journal(batchId, 0)).size).toBe(1);
    const complete = commitOf(owner.token, { journalEntries: 1, cost: 4 });
    expect(await cluster.batches.commitSlice(batchId, 0, owner.token, complete)).toMatchObject({ kind: 'committed' });
  });

  test('seal() waits for all slices and all calls, seals once, and ends claims and commits', async () => {
    const { ledger } = await cluster.worker();
    const batchId = await cluster.queuedBatch(2);
    expect(await cluster.batches.seal(batchId)).toEqual({ kind: 'slices_left', count: 2 });
    const former = await cluster.claim(batchId, 0);
    const open = ticketOf(former, 10);
    await ledger.admit(open);
    const owners = [await cluster.claim(batchId, 0), await cluster.claim(batchId, 1)];
    const commits = owners.map(({ token }) => commitOf(token));
    await cluster.batches.commitSlice(batchId, 0, owners[0]!.token, commits[0]!);
    expect(await cluster.batches.seal(batchId)).toEqual({ kind: 'slices_left', count: 1 });
    await cluster.batches.commitSlice(batchId, 1, owners[1]!.token, commits[1]!);
    expect(await cluster.batches.seal(batchId)).toEqual({ kind: 'calls_open', count: 1 });
    await ledger.settle(open, { kind: 'uncertain', reason: 'timeout' });
    for (let sent = 0; sent < 2; sent += 1) expect(await cluster.batches.seal(batchId)).toEqual({ kind: 'sealed' });
    expect(await cluster.batches.get(batchId)).toMatchObject({ state: 'finalizing' });
    expect(await cluster.batches.claimSlice(batchId, 0)).toEqual({ kind: 'gone' });
    expect(await ledger.admit(ticketOf(owners[0]!, 1))).toEqual({ kind: 'fenced' });
    expect(await cluster.batches.commitSlice(batchId, 0, former.token, commitOf(former.token))).toEqual({
      kind: 'fenced',
    });
  });

  test('a commit that is sent again after another worker has sealed the batch is answered as the first time', async () => {
    const batchId = await cluster.queuedBatch();
    const { token } = await cluster.claim(batchId);
    const commit = () => cluster.batches.commitSlice(batchId, 0, token, commitOf(token));
    expect(await commit()).toEqual({ kind: 'committed', slicesLeft: 0 });
    await cluster.batches.seal(batchId);
    expect(await commit()).toEqual({ kind: 'committed', slicesLeft: 0 });
    expect(await cluster.batches.get(batchId)).toMatchObject({ slicesCommitted: 1 });
  });

  test('seal() of an unknown batch and of one that has ended is gone', async () => {
    expect(await cluster.batches.seal('unknown')).toEqual({ kind: 'gone', state: 'unknown' });
    const batchId = await cluster.queuedBatch();
    await endBatch(cluster.batches, batchId, 'completed', 1);
    expect(await cluster.batches.seal(batchId)).toEqual({ kind: 'gone', state: 'completed' });
  });

  test('slices that many workers claim and commit at once are each counted once', async () => {
    const batchId = await cluster.queuedBatch(20);
    const committed = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const claimed = await cluster.batches.claimSlice(batchId, index % 20);
        if (claimed.kind !== 'owned') return 0;
        const result = await cluster.batches.commitSlice(batchId, index % 20, claimed.token, commitOf(claimed.token));
        return result.kind === 'committed' ? 1 : 0;
      }),
    );
    expect(committed.reduce<number>((sum, one) => sum + one, 0)).toBe(20);
    expect(await cluster.batches.get(batchId)).toMatchObject({
      slicesCommitted: 20,
      outcomes: { succeeded: 140, failed: 40, skipped: 20 },
    });
    expect(await cluster.batches.seal(batchId)).toEqual({ kind: 'sealed' });
  });

  test('create() registers an id once and deleteDraft() makes it free again', async () => {
    const batchId = await cluster.queuedBatch();
    const again = {
      batchId,
      workflow: 'other',
      priority: 1,
      createdAt: 2,
      contentHash: '',
      sliceDocuments: 1,
      sliceTokens: 1,
    };
    expect(await cluster.batches.create(again)).toBe(false);
    expect(await cluster.batches.get(batchId)).toMatchObject({ workflow: 'triage', documents: 10, slices: 1 });
    expect(await cluster.batches.listOpen()).toMatchObject([{ batchId }]);
    await cluster.batches.deleteDraft(batchId);
    expect(await cluster.batches.listOpen()).toEqual([]);
    expect(await cluster.batches.create(again)).toBe(true);
    expect(await cluster.batches.get(batchId)).toMatchObject({ state: 'ingesting', workflow: 'other' });
  });

  test('lockSubmission() keeps others out until its owner unlocks or its time is over', async () => {
    expect(await cluster.batches.lockSubmission('b', 'first', 60_000)).toBe(true);
    expect(await cluster.batches.lockSubmission('b', 'first', 60_000)).toBe(true);
    expect(await cluster.batches.lockSubmission('b', 'second', 60_000)).toBe(false);
    await cluster.batches.unlockSubmission('b', 'second');
    expect(await cluster.batches.lockSubmission('b', 'second', 60_000)).toBe(false);
    await cluster.batches.unlockSubmission('b', 'first');
    expect(await cluster.batches.lockSubmission('b', 'second', 1)).toBe(true);
    await expect.poll(() => cluster.batches.lockSubmission('b', 'third', 60_000)).toBe(true);
  });

  test('a batch is paused once for each cause and resumes when the last pause has ended', async () => {
    const batchId = await cluster.queuedBatch();
    const budget = { cause: 'budget', scope: `batch:${batchId}`, reason: 'limit', since: 2 } as const;
    const operator = { cause: 'operator', reason: 'asked', since: 1 } as const;
    expect(await cluster.batches.pauseBatch(batchId, budget)).toBe(true);
    expect(await cluster.batches.pauseBatch(batchId, budget)).toBe(false);
    expect(await cluster.batches.pauseBatch(batchId, operator)).toBe(true);
    expect(await cluster.batches.get(batchId)).toMatchObject({ pauses: [operator, budget], pause: budget });
    expect(await cluster.batches.resumeBatch(batchId, budget)).toEqual({ cleared: true, left: 1 });
    expect(await cluster.batches.resumeBatch(batchId, budget)).toEqual({ cleared: false, left: 1 });
    expect(await cluster.batches.resumeBatch(batchId)).toEqual({ cleared: true, left: 0 });
    expect((await cluster.batches.get(batchId))?.pause).toBeUndefined();
  });

  test('finish() ends a batch: it is open no more, and its commits and pauses leave', async () => {
    const batchId = await cluster.queuedBatch();
    const { token } = await cluster.claim(batchId);
    await cluster.batches.commitSlice(batchId, 0, token, commitOf(token));
    await cluster.batches.markEnding(batchId, 'cancelled');
    await cluster.batches.seal(batchId);
    expect(await cluster.batches.finish(batchId, 'cancelled', 7)).toBe(true);
    expect(await cluster.batches.finish(batchId, 'cancelled', 8)).toBe(true);
    expect(await cluster.batches.get(batchId)).toMatchObject({
      state: 'cancelled',
      finishedAt: 7,
      ending: 'cancelled',
    });
    expect(await cluster.batches.listOpen()).toEqual([]);
    expect(await cluster.batches.list(5)).toMatchObject([{ batchId }]);
    expect(await cluster.batches.commitOf(batchId, 0)).toBeUndefined();
  });

  test('finish() of a retry counts its batch again in the same moment', async () => {
    const [batchId, retry] = [await cluster.queuedBatch(), await cluster.queuedBatch()];
    const outcomes = { succeeded: 30, failed: 0, cancelled: 0, expired: 0, skipped: 0 };
    await endBatch(cluster.batches, batchId, 'expired', 7);
    await endBatch(cluster.batches, retry, 'completed', 8, { batchId, outcomes, state: 'completed' });
    expect(await cluster.batches.get(batchId)).toMatchObject({ state: 'completed', finishedAt: 7, outcomes });
    expect(await cluster.batches.get(retry)).toMatchObject({ state: 'completed', finishedAt: 8 });
  });

  test('finish() of a batch that is unknown by now makes none', async () => {
    const retry = await cluster.queuedBatch();
    const outcomes = { succeeded: 30, failed: 0, cancelled: 0, expired: 0, skipped: 0 };
    await endBatch(cluster.batches, retry, 'completed', 8, { batchId: 'gone', outcomes, state: 'completed' });
    expect(await cluster.batches.finish('gone', 'completed', 8)).toBe(false);
    expect(await cluster.batches.get('gone')).toBeUndefined();
  });

  test('finish() of a batch that is not sealed changes nothing: a server may have forgotten that it was, and commits', async () => {
    const batchId = await cluster.queuedBatch(2);
    const { token } = await cluster.claim(batchId);
    await cluster.batches.commitSlice(batchId, 0, token, commitOf(token));
    expect(await cluster.batches.finish(batchId, 'completed', 7)).toBe(false);
    expect(await cluster.batches.get(batchId)).toMatchObject({ state: 'running', slicesCommitted: 1 });
    expect(await cluster.batches.listOpen()).toMatchObject([{ batchId }]);
    expect(await cluster.batches.commitOf(batchId, 0)).toBeDefined();
  });

  test('retries and workers that are unable are noted with the batch', async () => {
    const batchId = await cluster.queuedBatch();
    for (const retry of ['r1', 'r2', 'r1']) await cluster.batches.addRetry(batchId, retry);
    await cluster.batches.noteUnable(batchId, 'worker', 'has no provider');
    expect((await cluster.batches.get(batchId))?.retries).toEqual(['r1', 'r2']);
    expect(await cluster.batches.unable(batchId)).toEqual(new Map([['worker', 'has no provider']]));
  });
}
