import { expect, test } from 'vitest';
import { batchScope } from '../../src/ledger/scope.ts';
import { NO_USAGE } from '../../src/money/usage.ts';
import { processSlice } from '../../src/slices/process-slice.ts';
import type { CandidateSpec, ClassifyWorkflow } from '../../src/workflows/workflow.ts';
import { labelReply, MemoryApp, SMALL, TRIAGE } from '../helpers/memory/memory-app.ts';

const LARGE = { ...SMALL, name: 'large', id: 'large-1' };
const OTHER = { ...SMALL, name: 'other', id: 'other-1' };
const CANDIDATE: CandidateSpec = { cascade: [{ model: OTHER }], share: 1, mode: 'shadow', margin: 0 };

async function openWith(candidate: Partial<CandidateSpec>, labels: Readonly<Record<string, string>>) {
  const workflow: ClassifyWorkflow = {
    ...TRIAGE,
    cascade: [{ model: SMALL, acceptAt: 0.5 }, { model: LARGE }],
    candidate: { ...CANDIDATE, ...candidate },
  };
  const app = await MemoryApp.open(workflow);
  app.answer = ({ modelId }) => labelReply(labels[modelId] ?? 'bug');
  let documents = 0;
  const slice = async (count: number) => {
    const batch = await app.batchOf(Array.from({ length: count }, () => `text ${documents++}`));
    expect(await processSlice(app.slices, { batch, slice: 0 })).toMatchObject({ kind: 'committed' });
    return batch;
  };
  const evidence = async (batch: string) => (await app.batches.commitOf(batch, 0))?.evidence;
  return { app, slice, evidence, asked: () => app.requests.map(({ modelId }) => modelId) };
}

test('a shadow is asked beside what is in force, its calls are in the books, and rows stay as they were', async () => {
  const { app, slice, evidence, asked } = await openWith({}, { 'small-1': 'billing', 'other-1': 'billing' });
  const batch = await slice(3);
  expect(asked().toSorted()).toEqual([...Array(3).fill('other-1'), ...Array(3).fill('small-1')]);
  const rows = await app.rows(batch);
  expect(rows).toMatchObject(Array(3).fill({ model: 'small', tier: 0, result: { label: 'billing' }, calls: 2 }));
  expect(rows[0]).not.toHaveProperty('candidate');
  expect(await evidence(batch)).toEqual({ candidateDocuments: 3 });
  const { settled } = await app.ledger.totals(batchScope(batch));
  expect(settled).toBe(6 * (100 * 150 + 10 * 600));
});

test('where they differ the last tier decides; a candidate that is worse is stopped once, and is not asked any more', async () => {
  const { app, slice, evidence, asked } = await openWith({}, { 'small-1': 'billing', 'large-1': 'billing' });
  const batch = await slice(10);
  expect(asked().filter((id) => id === 'large-1')).toHaveLength(10);
  expect(await evidence(batch)).toEqual({ candidateDocuments: 10, candidateWorse: 10 });
  expect(app.notices).toMatchObject([{ event: 'candidate:stopped', subject: 'triage' }]);
  const before = asked().length;
  await slice(2);
  expect(asked().slice(before)).toEqual(['small-1', 'small-1']);
  expect(app.notices).toHaveLength(1);
});

test('with split the candidate’s answers stand in the rows, and what it cannot answer is answered by what is in force', async () => {
  const { app, slice, evidence } = await openWith({ mode: 'split' }, { 'small-1': 'billing', 'large-1': 'bug' });
  const batch = await slice(2);
  expect(await app.rows(batch)).toMatchObject(
    Array(2).fill({ candidate: true, model: 'other', tier: 2, result: { label: 'bug' } }),
  );
  expect(await evidence(batch)).toEqual({ candidateDocuments: 2, candidateBetter: 2 });
  app.answer = ({ modelId }) => labelReply(modelId === 'other-1' ? 'nonsense' : 'billing');
  const failed = await slice(2);
  expect(await app.rows(failed)).toMatchObject(Array(2).fill({ model: 'small', tier: 0 }));
  expect(await evidence(failed)).toEqual({ candidateDocuments: 2, candidateWorse: 2 });
});

test('a candidate is asked from its own first tier, wherever the document begins in what is in force', async () => {
  const { app, slice, asked } = await openWith({}, {});
  Object.assign(app.workflow, { route: { by: 'rules', rules: [{ tokens: { above: 0 }, start: 'large' }] } });
  await slice(2);
  expect(asked().toSorted()).toEqual(['large-1', 'large-1', 'other-1', 'other-1']);
});

test('a document’s own limit is there for what is in force, and a candidate without room is not compared', async () => {
  const { app, slice, evidence, asked } = await openWith({}, { 'small-1': 'billing' });
  Object.assign(app.workflow, { documentLimit: 700_000 });
  const usage = { ...NO_USAGE, inputTokens: 5_000, outputTokens: 10 };
  app.answer = () => ({ ...labelReply('billing'), usage });
  const batch = await slice(2);
  expect(asked().filter((id) => id === 'small-1')).toHaveLength(2);
  expect(await app.rows(batch)).toMatchObject(Array(2).fill({ status: 'succeeded', model: 'small' }));
  expect(await evidence(batch)).toBeUndefined();
});

test('a share of the documents is compared, and other instructions are a candidate too', async () => {
  const { app, slice, evidence } = await openWith(
    { share: 0.5, cascade: [{ model: SMALL, acceptAt: 0.5 }, { model: LARGE }], instructions: 'Be careful.' },
    { 'small-1': 'billing' },
  );
  const counts = await evidence(await slice(40));
  const compared = counts?.['candidateDocuments'] ?? 0;
  expect(compared).toBeGreaterThan(10);
  expect(compared).toBeLessThan(30);
  const told = app.requests.filter(({ messages }) => JSON.stringify(messages).includes('Be careful.'));
  expect(told).toHaveLength(compared);
});
