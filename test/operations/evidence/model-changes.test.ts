import { expect, test } from 'vitest';
import { MemoryStore } from '../../../src/adapters/memory-store/memory-store.ts';
import type { App } from '../../../src/app.ts';
import { identityOf, listChanges, noteChanges } from '../../../src/operations/evidence/model-changes.ts';
import { SMALL, TRIAGE } from '../../helpers/memory/memory-app.ts';
import { MemoryEvidenceBook } from '../../helpers/memory/memory-evidence-book.ts';

test('a batch that comes with another prompt, model, price or cascade is an entry, with the evaluations before and after it', async () => {
  const store = new MemoryStore();
  let now = Date.parse('2026-03-01T00:00:00Z');
  const app = {
    store,
    actor: 'anna',
    clock: { now: () => now },
    slices: { evidence: new MemoryEvidenceBook() },
    config: { workflows: new Map([['triage', {}]]) },
  } as unknown as App;
  const evaluated = async (run: string, config: string, accuracy: number, at: string) => {
    const of = { run, workflow: 'triage', evaluatedAt: at, documents: 10, metrics: { accuracy }, costUsd: 1 };
    await store.put(`evaluations/${run}.json`, Buffer.from(JSON.stringify({ ...of, hashes: { config } })));
  };
  await noteChanges(app, TRIAGE, 'one');
  await noteChanges(app, TRIAGE, 'two');
  const price = { inputPerMillion: 1, cachedInputPerMillion: 1, outputPerMillion: 1 };
  const dearer = { ...TRIAGE, instructions: 'Look twice.', cascade: [{ model: { ...SMALL, id: 'small-2', price } }] };
  now += 1000;
  await noteChanges(app, dearer, 'three');
  const before = identityOf(TRIAGE).config;
  await evaluated('old', before, 0.7, '2026-02-01');
  await evaluated('newer', before, 0.8, '2026-02-02');
  await evaluated('after', identityOf(dearer).config, 0.9, '2026-03-02');
  const [latest, first, ...others] = await listChanges(app);
  expect(others).toEqual([]);
  expect(first).toMatchObject({
    batch: 'one',
    by: 'anna',
    configBefore: null,
    changes: [],
    evaluationAfter: { run: 'newer' },
  });
  expect(latest).toMatchObject({
    workflow: 'triage',
    at: '2026-03-01T00:00:01.000Z',
    batch: 'three',
    configBefore: before,
    changes: [
      { what: 'prompt' },
      { what: 'model', name: 'small', before: 'acme/small-1', after: 'acme/small-2' },
      { what: 'price', name: 'small', after: JSON.stringify(price) },
    ],
    evaluationBefore: { run: 'newer', metrics: { accuracy: 0.8 } },
    evaluationAfter: { run: 'after', costUsdPerDocument: 0.1 },
  });
});
