import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DuplicateIds } from '../../../src/documents/duplicates/duplicate-ids.ts';
import { anyCharacter } from '../../helpers/any-character.ts';

describe('DuplicateIds', () => {
  test('answers as a Set does', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: anyCharacter, maxLength: 3 }), { maxLength: 3000 }), (list) => {
        const ids = new DuplicateIds();
        const set = new Set<string>();
        for (const id of list) {
          expect(ids.add(id)).toBe(!set.has(id));
          set.add(id);
        }
        expect(ids.size).toBe(set.size);
      }),
      { numRuns: 30 },
    );
  });

  test.each([
    ['numbered', (index: number) => String(index)],
    ['padded', (index: number) => `document-${String(index).padStart(12, '0')}`],
    ['swapped', (index: number) => `${index % 700}/${Math.floor(index / 700)}`],
    ['code unit pairs', (index: number) => String.fromCharCode(index % 65_536, Math.floor(index / 65_536))],
    ['long', (index: number) => `${'x'.repeat(200)}${index.toString(2)}`],
  ])('takes none of 300,000 different %s ids for another, and finds each again', (_, idOf) => {
    const ids = new DuplicateIds();
    for (let index = 0; index < 300_000; index++)
      if (!ids.add(idOf(index))) throw new Error(`false duplicate ${idOf(index)}`);
    expect(ids.size).toBe(300_000);
    for (let index = 0; index < 300_000; index += 7) if (ids.add(idOf(index))) throw new Error(`lost ${idOf(index)}`);
    expect(ids.size).toBe(300_000);
  });

  test('keeps an id in less than 24 bytes', () => {
    const before = process.memoryUsage().arrayBuffers;
    const ids = new DuplicateIds();
    for (let index = 0; index < 500_000; index++) ids.add(`id ${index}`);
    // The tables that were outgrown may not be collected yet: together they are as large as the last.
    expect((process.memoryUsage().arrayBuffers - before) / ids.size).toBeLessThan(2 * 24);
  });
});
