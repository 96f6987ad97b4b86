import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import { parseSliceEntry, type SliceEntry } from '../../src/batches/slice-entry.ts';
import { type SliceLimits, writeSlices } from '../../src/batches/write-slices.ts';
import type { InputEntry } from '../../src/documents/document.ts';

const LIMITS = { sliceDocuments: 3, sliceTokens: 1000, skipInvalid: false };

function documents(count: number, text = (index: number) => `text ${index}`): InputEntry[] {
  return Array.from({ length: count }, (_, index) => ({
    kind: 'document',
    document: { id: `d${index}`, text: text(index) },
    source: 'in.jsonl',
    line: index + 1,
  }));
}

function problem(line: number): InputEntry {
  return { kind: 'problem', problem: { code: 'invalid_json', message: 'bad', source: 'in.jsonl', line } };
}

async function* stream(entries: readonly InputEntry[]) {
  yield* entries;
}

async function write(entries: readonly InputEntry[], options: Partial<SliceLimits & { skipInvalid: boolean }> = {}) {
  const store = new MemoryStore();
  const written = await writeSlices(store, 'b', stream(entries), { ...LIMITS, ...options });
  const keys = (await Array.fromAsync(store.list('batches/b/input/'))).map(({ key }) => key);
  const slices: SliceEntry[][] = [];
  for (const key of keys) {
    const lines = gunzipSync((await store.get(key)) ?? '')
      .toString()
      .trimEnd();
    slices.push(lines.split('\n').map(parseSliceEntry));
  }
  return { written, keys, slices };
}

describe('writeSlices()', () => {
  it('cuts by documents, keeps the order and counts tokens', async () => {
    const { written, keys, slices } = await write(documents(7));
    expect(keys).toEqual([0, 1, 2].map((number) => `batches/b/input/slice-00000${number}.jsonl.gz`));
    expect(slices.map((slice) => slice.length)).toEqual([3, 3, 1]);
    const entries = slices.flat();
    expect(entries.map((entry) => (entry.kind === 'document' ? entry.document.id : ''))).toEqual(
      documents(7).map((entry) => (entry.kind === 'document' ? entry.document.id : '')),
    );
    const tokens = entries.reduce((sum, entry) => sum + (entry.kind === 'document' ? entry.tokens : 0), 0);
    expect(written).toMatchObject({ documents: 7, skipped: 0, slices: 3, inputTokens: tokens });
    expect(tokens).toBeGreaterThan(0);
  });

  it('cuts by tokens, and a document larger than the limit has a slice of its own', async () => {
    const text = (index: number) => (index === 1 ? `big ${'word '.repeat(200)}` : `small ${index}`);
    const { slices } = await write(documents(3, text), { sliceTokens: 100 });
    expect(slices.map((slice) => slice.length)).toEqual([1, 1, 1]);
  });

  it('gives the same objects for the same input', async () => {
    expect(await write(documents(10))).toEqual(await write(documents(10)));
  });

  it('refuses a batch with bad lines, naming the first twenty and counting the others', async () => {
    const bad = Array.from({ length: 25 }, (_, index) => problem(index + 2));
    const written = write([...documents(1), ...bad]);
    await expect(written).rejects.toMatchObject({ code: 'input_invalid' });
    await expect(written).rejects.toThrow(
      /25 bad lines; nothing was submitted:\n {2}- in\.jsonl:2: bad \(invalid_json\)/,
    );
    await expect(written).rejects.toThrow(/in\.jsonl:21: .*\n {2}… and 5 more\n.*--skip-invalid/s);
  });

  it('keeps bad lines as skipped entries at their place where that is asked for', async () => {
    const { written, slices } = await write([problem(1), ...documents(2)], { skipInvalid: true });
    expect(written).toMatchObject({ documents: 3, skipped: 1 });
    expect(slices.flat()[0]).toEqual({
      kind: 'skipped',
      skipped: { id: 'in.jsonl:1', code: 'invalid_json', message: 'bad' },
    });
  });
});
