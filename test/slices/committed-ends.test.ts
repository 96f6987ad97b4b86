import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import type { BatchRegistry } from '../../src/batches/batch-registry.ts';
import type { SliceCommit } from '../../src/batches/slice-commit.ts';
import { formatSliceEntry, type SliceEntry } from '../../src/batches/slice-entry.ts';
import { NO_USAGE } from '../../src/money/usage.ts';
import { committedEnds } from '../../src/slices/committed-ends.ts';
import { storeKeys } from '../../src/store/store-keys.ts';
import { formatRow, type Row } from '../../src/tasks/result-row.ts';

it('committedEnds() does not take the row of a skipped line for that of a document with such an id', async () => {
  const store = new MemoryStore();
  const put = async (key: string, lines: readonly string[]) => {
    await store.put(key, gzipSync(`${lines.join('\n')}\n`));
    return { key, lines: lines.length };
  };
  const id = 'docs.jsonl:2';
  const entries: readonly SliceEntry[] = [
    { kind: 'document', document: { id, text: 'The invoice is wrong' }, tokens: 4 },
    { kind: 'skipped', skipped: { id, code: 'invalid_json', message: 'bad' } },
  ];
  await put(storeKeys.inputSlice('b', 0), entries.map(formatSliceEntry));
  const spent = { calls: 1, usage: NO_USAGE, cost: 12 };
  const result: Row = {
    id,
    status: 'succeeded',
    result: { label: 'billing', confidence: 0.9 },
    model: 'small',
    tier: 0,
    durationMs: 1,
    ...spent,
  };
  const skipped: Row = { id, status: 'skipped', error: { code: 'invalid_json', message: 'bad' }, ...spent, cost: 0 };
  const commit = {
    results: await put('results', [formatRow(result)]),
    errors: await put('errors', [formatRow(skipped)]),
  };
  const batches = { commitOf: async () => commit as unknown as SliceCommit } as unknown as BatchRegistry;
  const [end, none] = (await committedEnds({ store, batches }, 'b', 0)) ?? [];
  expect(end).toMatchObject({ end: { kind: 'answered', answer: { result: { label: 'billing' } } }, cost: 12 });
  expect(none).toBeUndefined();
});
