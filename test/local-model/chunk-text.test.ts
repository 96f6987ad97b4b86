import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chunkText } from '../../src/local-model/chunk-text.ts';
import { MAX_READ_CHARS, sampleText } from '../../src/local-model/sample-text.ts';
import { anyCharacter } from '../helpers/any-character.ts';

describe('chunkText()', () => {
  test('leaves a text of 500 characters whole and cuts a longer one at sentences', () => {
    const sentence = `Word ${'word '.repeat(28)}end.`;
    expect(chunkText('x'.repeat(500))).toEqual(['x'.repeat(500)]);
    expect(chunkText(`${sentence} ${sentence} ${sentence} ${sentence}`)).toEqual([
      `${sentence} ${sentence}`,
      `${sentence} ${sentence}`,
    ]);
  });

  test('gives pieces of at most 500 characters that hold the whole text', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: anyCharacter, maxLength: 900 }), { maxLength: 6 }), (parts) => {
        const text = sampleText(parts.join('. '));
        const chunks = chunkText(text);
        for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(500);
        expect(chunks.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
      }),
    );
  });
});

describe('sampleText()', () => {
  test('folds white space and leaves a short text as it is', () => {
    expect(sampleText(`  a\n\n b\t${' '.repeat(100_000)}c `)).toBe('a b c');
  });

  test('reads beginning, middle and end of a long text, within the limit', () => {
    const text = `begins ${'x '.repeat(100_000)}middle ${'y '.repeat(100_000)}ends`;
    const sample = sampleText(text);
    expect(sample.length).toBeLessThanOrEqual(MAX_READ_CHARS);
    expect(sample.startsWith('begins x')).toBe(true);
    expect(sample.endsWith('y ends')).toBe(true);
    expect(sample).toContain('x x');
  });

  test('gives well-formed text whatever it is given', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 40_000 }), (shift, count) => {
        const sample = sampleText(`${'a'.repeat(shift)}${'😀'.repeat(count)}\ud800`);
        expect(sample.isWellFormed()).toBe(true);
        expect(sample.length).toBeLessThanOrEqual(MAX_READ_CHARS);
      }),
      { numRuns: 20 },
    );
  });
});
