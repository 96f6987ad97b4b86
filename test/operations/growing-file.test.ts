import { describe, expect, it } from 'vitest';
import { submitBatch } from '../../src/batches/submit-batch.ts';
import type { DocumentSource } from '../../src/documents/document-source.ts';
import { finalizeBatch } from '../../src/finalize/finalize-batch.ts';
import { StoredAnswers } from '../../src/results/earlier-answers.ts';
import { processSlice } from '../../src/slices/process-slice.ts';
import { MemoryApp } from '../helpers/memory/memory-app.ts';

const DOCUMENTS = 2_000;
const VERSION = { workflow: 'triage', configHash: '', promptHash: '' };
const texts = Array.from({ length: DOCUMENTS }, (_, index) => `Ticket ${index}`);

function sourceOf(lines: readonly string[]): DocumentSource {
  return {
    names: ['docs.jsonl'],
    fingerprint: async () => lines.join('\n'),
    async *read() {
      for (const [index, text] of lines.entries())
        yield { kind: 'document', source: 'docs.jsonl', document: { id: `d${index}`, text } };
    },
  };
}

/** Submits, works and ends a batch; how many calls that took, and what it found. */
async function run(app: MemoryApp, lines: readonly string[]): Promise<{ calls: number; found: number }> {
  const before = app.requests.length;
  const earlier = new StoredAnswers(app.store, VERSION);
  const { batch } = await submitBatch(
    { ...app.finalize, jobs: app.jobs, newId: () => 'owner' },
    {
      source: sourceOf(lines),
      workflow: app.workflow,
      timezones: { workflow: 'UTC', global: 'UTC' },
      priority: 0,
      earlier,
      skipInvalid: false,
      maxLineBytes: 1_000,
      sliceDocuments: 250,
      sliceTokens: 100_000,
    },
  );
  for (let slice = 0; slice < batch.slices; slice++) await processSlice(app.slices, { batch: batch.batchId, slice });
  expect(await finalizeBatch(app.finalize, batch.batchId)).toBe(true);
  return { calls: app.requests.length - before, found: earlier.found.documents };
}

describe('a file that grows', () => {
  it('one changed line of 2,000 pays for one, and the same again for none', async () => {
    const app = await MemoryApp.open();
    expect(await run(app, texts)).toEqual({ calls: DOCUMENTS, found: 0 });
    const changed = texts.with(1_234, 'Another ticket');
    expect(await run(app, changed)).toEqual({ calls: 1, found: DOCUMENTS - 1 });
    expect(await run(app, [...changed].reverse())).toEqual({ calls: 0, found: DOCUMENTS });
  });
});
