import { expect, test } from 'vitest';
import type { SentenceEncoder } from '../../src/adapters/local-model/sentence-encoder.ts';
import { TextVectors } from '../../src/adapters/local-model/text-vectors.ts';
import { VectorCache } from '../../src/adapters/local-model/vector-cache.ts';

test('VectorCache forgets the vector that was unused for longest', () => {
  const cache = new VectorCache(2);
  const vector = Float32Array.of(1);
  cache.set('a', vector);
  cache.set('b', vector);
  expect(cache.get('a')).toBe(vector);
  cache.set('c', vector);
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([vector, undefined, vector]);
  expect(cache.size).toBe(2);
});

test('TextVectors encodes what texts repeat once, and gives each text the vector of its own chunks', async () => {
  const encoded: string[] = [];
  const encoder = {
    encode: async (chunks: readonly string[]) => {
      encoded.push(...chunks);
      return chunks.map((chunk) =>
        Float32Array.from({ length: 512 }, (_, k) => (chunk.charCodeAt(0) % 7 === k ? 1 : 0)),
      );
    },
  } as unknown as SentenceEncoder;
  const [a, b] = ['Mills', 'Sails'].map((word) => `${word} ${'turn at night and '.repeat(18)}rest.`) as [
    string,
    string,
  ];
  const vectors = await new TextVectors(encoder).of([`${a} ${a} ${b}`, `${b} ${a} ${a}`, a], async () => {});
  expect(encoded.toSorted()).toEqual([a, b]);
  const [first, turned, alone] = vectors.map((vector) => [...vector].map((value) => value.toFixed(6)));
  expect(first).toEqual(turned);
  expect(first).not.toEqual(alone);
});
