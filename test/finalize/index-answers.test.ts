import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import { readAnsweredTexts } from '../../src/batches/answered-texts.ts';
import type { BatchRecord, BatchRegistry } from '../../src/batches/batch-registry.ts';
import type { BatchSubmission } from '../../src/batches/batch-submission.ts';
import { formatSliceEntry } from '../../src/batches/slice-entry.ts';
import { indexAnswers } from '../../src/finalize/index-answers.ts';
import type { Manifest } from '../../src/finalize/manifest.ts';
import { storeKeys } from '../../src/store/store-keys.ts';
import { TEXT_HASH_BYTES, textHash } from '../../src/text/text-hash.ts';

const BATCH = { batchId: 'b', workflow: 'triage', slices: 3, createdAt: 1_000 } as BatchRecord;
const SUBMISSION = { configHash: 'c', prompt: { version: '1', sha256: 'p' } } as BatchSubmission;
const MANIFEST = { state: 'completed', cost: 5, results: [] } as unknown as Manifest;
const VERSION = { workflow: 'triage', configHash: 'c', promptHash: 'p' };

/** Fails where the hashes of all texts are read at once. */
class StreamedStore extends MemoryStore {
  override async get(key: string): Promise<Uint8Array | undefined> {
    if (key === storeKeys.inputTexts('b')) throw new Error('12 bytes of every document at once');
    return await super.get(key);
  }

  override async getStream(key: string): Promise<Readable | undefined> {
    const bytes = (await super.get(key)) ?? new Uint8Array();
    return Readable.from(
      Array.from({ length: Math.ceil(bytes.length / 1_000) }, (_, index) =>
        bytes.subarray(index * 1_000, (index + 1) * 1_000),
      ),
    );
  }
}

function registry(commits: readonly unknown[]): BatchRegistry {
  return {
    async *commits() {
      yield* commits;
    },
  } as unknown as BatchRegistry;
}

async function indexed(store: MemoryStore): Promise<readonly Buffer[]> {
  const found: Buffer[] = [];
  for await (const { hashes } of readAnsweredTexts(store, VERSION, 1e9)) found.push(Buffer.from(hashes));
  return found;
}

const hashesOf = (from: number, count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => textHash(`text ${from + index}`)));

test('texts with a result are indexed in order and as a stream, those with an error row are left out', async () => {
  const store = new StreamedStore();
  await store.put(storeKeys.inputTexts('b'), hashesOf(0, 20_003));
  const entries = ['x', 'y', 'z'].map((id) =>
    formatSliceEntry({ kind: 'document', tokens: 1, document: { id, text: id } }),
  );
  await store.put(storeKeys.inputSlice('b', 1), gzipSync(entries.join('\n')));
  await store.put('errors', gzipSync('{"id":"y","status":"failed"}\n'));
  const commits = [
    { results: { key: 'r', lines: 10_000 } },
    { results: { key: 'r', lines: 2 }, errors: { key: 'errors', lines: 1 } },
    { results: { key: 'r', lines: 10_000 } },
  ];
  await indexAnswers({ store, batches: registry(commits) }, BATCH, SUBMISSION, MANIFEST);
  const expected = Buffer.concat([hashesOf(0, 10_001), hashesOf(10_002, 10_001)]);
  const [found, ...others] = await indexed(store);
  expect(found?.equals(expected)).toBe(true);
  expect(others).toEqual([]);
});

test('a batch whose texts were all answered before has no index', async () => {
  const store = new StreamedStore();
  await store.put(storeKeys.inputTexts('b'), new Uint8Array(3 * TEXT_HASH_BYTES));
  const commits = Array(3).fill({ results: { key: 'r', lines: 1 } });
  await indexAnswers({ store, batches: registry(commits) }, BATCH, SUBMISSION, MANIFEST);
  expect(await indexed(store)).toEqual([]);
});

test('where a commit is gone nothing is indexed', async () => {
  const store = new StreamedStore();
  await store.put(storeKeys.inputTexts('b'), hashesOf(0, 3));
  const batches = registry([{ results: { key: 'r', lines: 1 } }, undefined, { results: { key: 'r', lines: 1 } }]);
  await expect(indexAnswers({ store, batches }, BATCH, SUBMISSION, MANIFEST)).rejects.toMatchObject({
    retryable: true,
  });
  expect(await indexed(store)).toEqual([]);
});
