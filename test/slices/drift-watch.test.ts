import { expect, test } from 'vitest';
import { processSlice } from '../../src/slices/process-slice.ts';
import { labelReply, MemoryApp, SMALL, TRIAGE } from '../helpers/memory/memory-app.ts';

const LARGE = { ...SMALL, name: 'large', id: 'large-1' };
const CALIBRATED = {
  ...TRIAGE,
  cascade: [{ model: SMALL, acceptAtByLabel: { billing: 0.5 } }, { model: LARGE }],
  audit: 1,
  calibration: { target: 0.9, delta: 0.1, metric: 'agreement', calibratedAt: '2026-03-01', sha256: 'c'.repeat(64) },
};

test('an audit that contradicts the promise raises the alarm once; then only the last tier is asked, until it is calibrated again', async () => {
  const app = await MemoryApp.open(CALIBRATED);
  const models = () => app.requests.map(({ modelId }) => modelId);
  let small = 'billing';
  app.answer = ({ modelId }) => labelReply(modelId === SMALL.id ? small : 'billing');
  const slice = async (documents: number) => {
    const batch = await app.batchOf(Array.from({ length: documents }, (_, at) => `text ${app.requests.length} ${at}`));
    expect(await processSlice(app.slices, { batch, slice: 0 })).toMatchObject({ kind: 'committed' });
    return batch;
  };
  const good = await slice(40);
  expect(models()).toHaveLength(80);
  expect((await app.batches.commitOf(good, 0))?.evidence).toEqual({ auditedDocuments: 40 });
  expect(app.notices).toEqual([]);

  small = 'bug';
  app.workflow.cascade[0] && Object.assign(app.workflow.cascade[0], { acceptAtByLabel: { billing: 0.5, bug: 0.5 } });
  for (let round = 0; round < 20 && app.notices.length === 0; round++) await slice(5);
  expect(app.notices).toMatchObject([{ event: 'cascade:drifted', subject: 'triage' }]);

  const before = app.requests.length;
  const fallen = await slice(5);
  expect(models().slice(before)).toEqual(Array(5).fill(LARGE.id));
  expect((await app.batches.commitOf(fallen, 0))?.evidence).toEqual({ driftFallbacks: 5 });
  expect(await app.rows(fallen)).toMatchObject([{ tier: 1, model: 'large' }, {}, {}, {}, {}]);
  expect(app.notices).toHaveLength(1);

  Object.assign(app.workflow.calibration ?? {}, { sha256: 'd'.repeat(64) });
  const again = app.requests.length;
  await slice(1);
  expect(models().slice(again)).toEqual([SMALL.id, LARGE.id]);
});
