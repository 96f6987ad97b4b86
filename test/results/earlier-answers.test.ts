import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import { putAnsweredTexts } from '../../src/batches/answered-texts.ts';
import { StoredAnswers } from '../../src/results/earlier-answers.ts';
import { textHash } from '../../src/text/text-hash.ts';

const VERSION = { workflow: 'w', configHash: 'c'.repeat(64), promptHash: 'p'.repeat(64) };

/** A batch that has answered these texts; each row's label is `BATCH TEXT`. */
async function addBatch(
  store: MemoryStore,
  batchId: string,
  texts: readonly string[],
  options: { readonly createdAt?: number; readonly tenant?: string; readonly row?: object } = {},
): Promise<void> {
  const rows = texts.map((text) => `${JSON.stringify({ result: { label: `${batchId} ${text}` }, ...options.row })}\n`);
  const body = gzipSync(rows.join(''));
  const key = `batches/${batchId}/output/part-000000.jsonl.gz`;
  await store.put(key, body);
  const sha256 = createHash('sha256').update(body).digest('hex');
  const head = {
    batchId,
    cost: texts.length * 100,
    files: [{ key, bytes: body.length, sha256, lines: texts.length }],
  };
  const version = { ...VERSION, tenant: options.tenant };
  await putAnsweredTexts(store, version, options.createdAt ?? 1_000, head, texts.map(textHash));
}

const many = Array.from({ length: 1_201 }, (_, index) => `text ${index}`);

async function labelOf(answers: StoredAnswers, text: string): Promise<string | undefined> {
  const found = await answers.take(textHash(text));
  return found === undefined ? undefined : (JSON.parse(found.row) as { result: { label: string } }).result.label;
}

describe('answers of earlier batches', () => {
  it('finds every row, in any order, the newest batch first, and says what they cost', async () => {
    const store = new MemoryStore();
    await addBatch(store, 'old', many, { createdAt: 1_000 });
    await addBatch(store, 'new', ['text 7', 'only new'], { createdAt: 2_000 });
    const answers = new StoredAnswers(store, VERSION);
    for (const index of [1_200, 0, 700, 499, 500, 1])
      expect(await labelOf(answers, `text ${index}`)).toBe(`old text ${index}`);
    expect(await labelOf(answers, 'text 7')).toBe('new text 7');
    expect(await labelOf(answers, 'unknown')).toBeUndefined();
    expect(answers.found).toEqual({ documents: 7, cost: 700 });
  });

  it('knows nothing of other versions and other tenants', async () => {
    const store = new MemoryStore();
    await addBatch(store, 'theirs', ['a'], { tenant: 'bank' });
    await addBatch(store, 'ours', ['b']);
    for (const other of [{ configHash: 'd'.repeat(64) }, { promptHash: 'q'.repeat(64) }, { workflow: 'x' }]) {
      expect(await new StoredAnswers(store, { ...VERSION, ...other }).has(textHash('b'))).toBe(false);
    }
    expect(await labelOf(new StoredAnswers(store, VERSION), 'a')).toBeUndefined();
    expect(await labelOf(new StoredAnswers(store, { ...VERSION, tenant: 'bank' }), 'a')).toBe('theirs a');
  });

  it.each([
    ['is degraded', { degraded: true }],
    ['comes from a stand-in', { fallback: true }],
    ['is partial', { result: { label: 'x', partial: { parts: 2, failed: [] } } }],
  ])('a row that %s is not taken and not counted', async (_, row) => {
    const store = new MemoryStore();
    await addBatch(store, 'b', ['a'], { row });
    const answers = new StoredAnswers(store, VERSION);
    expect(await labelOf(answers, 'a')).toBeUndefined();
    expect(answers.found.documents).toBe(0);
  });

  it('files that are gone or damaged are no answer', async () => {
    const store = new MemoryStore();
    await addBatch(store, 'gone', ['a']);
    await addBatch(store, 'damaged', ['b']);
    await store.delete(['batches/gone/output/part-000000.jsonl.gz']);
    await store.put('batches/damaged/output/part-000000.jsonl.gz', gzipSync('{}\n'));
    const answers = new StoredAnswers(store, VERSION);
    expect(await labelOf(answers, 'a')).toBeUndefined();
    expect(await labelOf(answers, 'b')).toBeUndefined();
  });
});
