import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PieceReader } from '../../src/runtime/piece-reader.ts';

test('pieces of any size come out of chunks of any size, the last as long as there is something', async () => {
  const sizes = fc.array(fc.nat(20), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(sizes, sizes, async (chunks, takes) => {
      const all = Uint8Array.from({ length: chunks.reduce((sum, size) => sum + size, 0) }, (_, index) => index);
      async function* stream() {
        let at = 0;
        for (const size of chunks) {
          yield all.subarray(at, at + size);
          at += size;
        }
      }
      const reader = new PieceReader(stream());
      let at = 0;
      for (const size of takes) {
        expect(Buffer.from(await reader.take(size))).toEqual(Buffer.from(all.subarray(at, at + size)));
        at += size;
      }
    }),
    { numRuns: 100 },
  );
});
