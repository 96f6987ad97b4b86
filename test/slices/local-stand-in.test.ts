import { beforeEach, describe, expect, test } from 'vitest';
import { ModelCallError } from '../../src/providers/failure.ts';
import { ProviderGate } from '../../src/providers/provider-gate.ts';
import { processSlice } from '../../src/slices/process-slice.ts';
import { labelReply, MemoryApp, SMALL, TRIAGE } from '../helpers/memory/memory-app.ts';

const LARGE = { ...SMALL, name: 'large', provider: 'other', id: 'large-1' };

let app: MemoryApp;
beforeEach(() => openWith([{ model: SMALL, standsInLocally: true }]));

async function openWith(cascade: typeof TRIAGE.cascade) {
  app = await MemoryApp.open({ ...TRIAGE, cascade });
  app.local = {
    ...app.local,
    classify: async (_, texts) =>
      texts.map((text) => ({ label: 'bug', confidence: text.includes('sure') ? 0.9 : 0.5, familiar: true })),
  };
}

const run = (batch: string) => processSlice(app.slices, { batch, slice: 0 });
const failing = (failure: 'unreachable' | 'server_error' | 'authentication', status?: number) => {
  throw new ModelCallError('no answer', { failure, billing: 'none', ...(status === undefined ? {} : { status }) });
};

describe('the local model at the end of a tier’s fallback', () => {
  test('answers while the provider is out of reach: degraded, free, and nothing waits', async () => {
    app.answer = () => failing('unreachable');
    const batch = await app.batchOf(['a', 'b', 'c']);
    expect(await run(batch)).toMatchObject({ kind: 'committed' });
    for (const row of await app.rows(batch)) {
      expect(row).toMatchObject({ status: 'succeeded', model: 'local', tier: 0, costUsd: 0, result: { label: 'bug' } });
      expect(row).toMatchObject({ degraded: true, fallback: true });
    }
    expect((await app.batches.commitOf(batch, 0))?.models).toMatchObject([{ model: 'local', accepted: 3, cost: 0 }]);
  });

  test('answers where the key is refused', async () => {
    app.answer = () => failing('authentication', 401);
    const batch = await app.batchOf(['a', 'b', 'c', 'd']);
    expect(await run(batch)).toMatchObject({ kind: 'committed' });
    expect((await app.rows(batch)).every(({ model }) => model === 'local')).toBe(true);
  });

  test('is not asked while the provider is well, nor for a document that it fails at alone', async () => {
    app.answer = ({ messages }) =>
      JSON.stringify(messages).includes('poison') ? failing('server_error', 500) : labelReply('billing');
    const batch = await app.batchOf(['a', 'poison', 'b', 'c']);
    app.clock.onSleep = () => app.gate.answered();
    await run(batch);
    const rows = await app.rows(batch);
    expect(rows.filter(({ status }) => status === 'succeeded').map(({ model }) => model)).toEqual([
      'small',
      'small',
      'small',
    ]);
    expect(rows.find(({ id }) => id === 'd1')).toMatchObject({ status: 'failed', error: { code: 'server_error' } });
    expect(rows.some((row) => 'degraded' in row)).toBe(false);
  });

  test('is held to the threshold of the tier that it stands in for; what it is not sure of continues', async () => {
    await openWith([{ model: SMALL, acceptAt: 0.8, standsInLocally: true }, { model: LARGE }]);
    app.answer = () => failing('unreachable');
    const { slices, clock } = app;
    const client = { call: async () => labelReply('billing'), close: async () => {} };
    const well = { name: 'other', client, concurrency: 8, outageToleranceMs: 1_000, clock, hasPromptCache: false };
    const providers = new Map([...slices.providers, ['other', new ProviderGate(well)]]);
    const batch = await app.batchOf(['sure', 'else']);
    await processSlice({ ...slices, providers }, { batch, slice: 0 });
    const [sure, other] = await app.rows(batch);
    expect(sure).toMatchObject({ model: 'local', tier: 0, degraded: true });
    expect(other).toMatchObject({
      model: 'large',
      tier: 1,
      attempts: [{ model: 'local', tier: 0 }, { model: 'large' }],
    });
    expect(other).not.toHaveProperty('degraded');
  });
});
