import { expect, it } from 'vitest';
import type { Batch } from '../../src/page/api-types.ts';
import { batchOf, hearBatch, keepBatch } from '../../src/page/store.ts';

const models = [{ model: 'small' }] as unknown as NonNullable<Batch['models']>;

function batch(id: string, more: Partial<Batch> = {}): Batch {
  return { id, state: 'running', ...more } as Batch;
}

it('what the models of a batch did stays when an event or a list, which say nothing of it, come', () => {
  keepBatch(batch('a', { models }), performance.now());
  hearBatch(batch('a', { state: 'completed' }));
  expect(batchOf('a')?.value).toMatchObject({ state: 'completed', models });
  keepBatch(batch('a', { state: 'completed', name: 'listed' }), performance.now() + 1);
  expect(batchOf('a')?.value).toMatchObject({ name: 'listed', models });
});

it('an answer that an event has overtaken gives only the models', () => {
  const askedAt = performance.now() - 1;
  hearBatch(batch('b', { state: 'completed' }));
  keepBatch(batch('b', { models }), askedAt);
  expect(batchOf('b')?.value).toMatchObject({ state: 'completed', models });
});
