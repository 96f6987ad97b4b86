import { beforeEach, describe, expect, test } from 'vitest';
import type { SliceRun } from '../../src/calls/slice-run.ts';
import { batchScope } from '../../src/ledger/scope.ts';
import { ModelCallError } from '../../src/providers/failure.ts';
import { processSlice } from '../../src/slices/process-slice.ts';
import { labelReply, MemoryApp, replyWith, SMALL, TRIAGE } from '../helpers/memory/memory-app.ts';

let app: MemoryApp;
beforeEach(async () => {
  app = await MemoryApp.open();
});

const run = (batch: string, ending?: 'cancelled' | 'expired') => processSlice(app.slices, { batch, slice: 0 }, ending);

describe('processSlice()', () => {
  test('answers every document, in order, and commits rows whose costs are the ledger’s', async () => {
    app.answer = ({ messages }) => labelReply(messages.at(-1)?.content.includes('invoice') ? 'billing' : 'bug');
    const batch = await app.batchOf(['my invoice is wrong', 'the page is broken']);
    expect(await run(batch)).toEqual({ kind: 'committed', slicesLeft: 0 });
    const rows = await app.rows(batch);
    expect(rows).toMatchObject([
      { id: 'd0', status: 'succeeded', result: { label: 'billing' }, model: 'small', tier: 0, calls: 1 },
      { id: 'd1', status: 'succeeded', result: { label: 'bug' }, prompt: expect.stringMatching(/^classify-v2@/) },
    ]);
    const { settled, held } = await app.ledger.totals(batchScope(batch));
    expect({ settled, held }).toEqual({ settled: 2 * (100 * 150 + 10 * 600), held: 0 });
    expect(app.runs.size).toBe(0);
  });

  test('a committed slice, and one of a batch that takes no more work, is done without a call', async () => {
    const batch = await app.batchOf(['a']);
    await run(batch);
    expect(await run(batch)).toEqual({ kind: 'done' });
    expect(await run('unknown')).toEqual({ kind: 'done' });
    expect(app.requests).toHaveLength(1);
  });

  test('what a former owner has paid for is used, not bought again', async () => {
    const batch = await app.batchOf(['a', 'b']);
    app.answer = () => {
      if (app.requests.length > 1) for (const slice of app.runs) slice.stop({ kind: 'shutdown' });
      return labelReply('bug');
    };
    const first = await run(batch);
    expect(first).toMatchObject({ kind: 'stopped', reason: { kind: 'shutdown' } });
    expect(await app.batches.commitOf(batch, 0)).toBeUndefined();
    expect(await run(batch)).toMatchObject({ kind: 'committed' });
    expect(app.requests).toHaveLength(2);
  });

  test('a slice has begun nothing until its first call leaves', async () => {
    const batch = await app.batchOf(['a']);
    const seen: boolean[] = [];
    const look = () => seen.push(...[...app.runs].map(({ hasBegun }) => hasBegun));
    app.answer = () => {
      look();
      return labelReply('bug');
    };
    await processSlice({ ...app.slices, onTaken: look }, { batch, slice: 0 });
    expect(seen).toEqual([false, true]);
  });

  test('one that is overtaken before that holds nothing, and its next owner finds it as it was', async () => {
    const batch = await app.batchOf(['a', 'b']);
    const overtaken = { ...app.slices, onTaken: (slice: SliceRun) => slice.stop({ kind: 'overtaken' }) };
    expect(await processSlice(overtaken, { batch, slice: 0 })).toMatchObject({ reason: { kind: 'overtaken' } });
    expect(app.requests).toHaveLength(0);
    expect(await app.ledger.openCalls(batch)).toBe(0);
    expect(await run(batch)).toMatchObject({ kind: 'committed' });
    expect(app.requests).toHaveLength(2);
  });

  test('a slice that stops says at once what is done, and what it has paid for documents that are not', async () => {
    const batch = await app.batchOf(['a', 'b']);
    app.answer = () => {
      if (app.requests.length > 1) for (const slice of app.runs) slice.stop({ kind: 'shutdown' });
      return app.requests.length > 1 ? replyWith('no label at all') : labelReply('bug');
    };
    expect(await run(batch)).toMatchObject({ kind: 'stopped' });
    const cost = 100 * 150 + 10 * 600;
    const { settled } = await app.ledger.totals(batchScope(batch));
    expect(settled).toBe(2 * cost);
    // The second reply has to be repaired, which the stop forbids.
    expect(await app.batches.progress(batch)).toEqual({ documents: 1, begun: cost });
  });

  test('a limit stops the slice with what the refused call needs, and nothing is held', async () => {
    const batch = await app.batchOf(['a']);
    await app.ledger.setLimit('global/day', 10);
    const result = await run(batch);
    expect(result).toMatchObject({
      kind: 'stopped',
      reason: { kind: 'budget', refusal: { scope: 'global/day', limit: 10, held: 0 }, hold: expect.any(Number) },
    });
    expect(await app.ledger.openCalls(batch)).toBe(0);
    expect(app.requests).toHaveLength(0);
  });

  test('an equal document takes the answer of the first one and costs nothing', async () => {
    const entry = (id: string, duplicateOf?: { slice: number; position: number }) => ({
      kind: 'document' as const,
      document: { id, text: 'the same text' },
      tokens: 3,
      ...(duplicateOf === undefined ? {} : { duplicateOf }),
    });
    const batch = await app.batchOf([entry('one'), entry('two', { slice: 0, position: 0 })]);
    await run(batch);
    expect(await app.rows(batch)).toMatchObject([
      { id: 'one', calls: 1 },
      { id: 'two', calls: 0, costUsd: 0, result: { label: 'billing' } },
    ]);
    expect((await app.batches.commitOf(batch, 0))?.reused).toMatchObject({ duplicates: 1 });
  });

  test('a skipped line is an error row of its own', async () => {
    const skipped = { id: 'line-2', code: 'invalid_json', message: 'line 2 is not JSON' };
    const batch = await app.batchOf(['a', { kind: 'skipped', skipped }]);
    await run(batch);
    const { id, ...error } = skipped;
    expect(await app.rows(batch)).toMatchObject([{ status: 'succeeded' }, { id, status: 'skipped', error }]);
  });

  test('a reply that no check takes is repaired once and then the document’s error', async () => {
    app.answer = () => replyWith('{"label": "spam", "confidence": 1}');
    const batch = await app.batchOf(['a']);
    await run(batch);
    expect(await app.rows(batch)).toMatchObject([{ status: 'failed', error: { code: 'label_not_in_set' }, calls: 2 }]);
    expect(await app.batches.commitOf(batch, 0)).toMatchObject({ rejections: { label_not_in_set: 2 } });
  });

  test('a reply under acceptAt goes to the next tier', async () => {
    const large = { ...SMALL, name: 'large', id: 'large-1' };
    app = await MemoryApp.open({ ...TRIAGE, cascade: [{ model: SMALL, acceptAt: 0.99 }, { model: large }] });
    const batch = await app.batchOf(['a']);
    await run(batch);
    expect(await app.rows(batch)).toMatchObject([{ tier: 1, model: 'large', calls: 2 }]);
  });

  test('a batch that is being ended asks nothing new: documents without a paid reply get its status', async () => {
    const batch = await app.batchOf(['a']);
    expect(await run(batch, 'cancelled')).toMatchObject({ kind: 'committed' });
    expect(await app.rows(batch)).toMatchObject([{ status: 'cancelled', error: { code: 'cancelled' }, calls: 0 }]);
    expect(app.requests).toHaveLength(0);
  });

  test('a wrong key stops the slice with a pause of its workflow, not its documents', async () => {
    app.answer = () => {
      throw new ModelCallError('bad key', { failure: 'authentication', billing: 'none', status: 401 });
    };
    const batch = await app.batchOf(['a', 'b', 'c', 'd']);
    expect(await run(batch)).toMatchObject({ kind: 'stopped', reason: { kind: 'provider', provider: 'acme' } });
    expect((await app.ledger.totals(batchScope(batch))).settled).toBe(0);
  });

  test('the local model in front answers what it is sure of, and the rest is asked', async () => {
    const local = { ...SMALL, name: 'local', provider: 'local' };
    app = await MemoryApp.open({ ...TRIAGE, cascade: [{ model: local, acceptAt: 0.8 }, { model: SMALL }] });
    const begun: boolean[] = [];
    app.local = {
      ...app.local,
      classify: async (_, texts) => {
        begun.push(...[...app.runs].map(({ hasBegun }) => hasBegun));
        return texts.map((text) => ({ label: 'bug', confidence: text === 'sure' ? 0.9 : 0.5, familiar: true }));
      },
    };
    const batch = await app.batchOf(['sure', 'unsure']);
    await run(batch);
    // What it has read would be lost if the slice went back.
    expect(begun).toEqual([true]);
    expect(await app.rows(batch)).toMatchObject([
      { id: 'd0', model: 'local', tier: 0, calls: 1, costUsd: 0 },
      { id: 'd1', model: 'small', tier: 1 },
    ]);
    expect((await app.batches.commitOf(batch, 0))?.rejections).toEqual({ low_confidence: 1 });
  });
});
