import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitSentences } from '../../src/local-model/split-sentences.ts';
import { anyCharacter } from '../helpers/any-character.ts';
import { cpuMs } from '../helpers/cpu-time.ts';

describe('splitSentences()', () => {
  test('does not end a sentence at an abbreviation, an initial or a number', () => {
    expect(
      splitSentences(
        'Dr. Smith met J. R. Jones vs. the others, e.g. Figs. 2 and 3. It cost 3.50 dollars. They left at 5 p.m. The end.',
      ),
    ).toEqual([
      'Dr. Smith met J. R. Jones vs. the others, e.g. Figs. 2 and 3.',
      'It cost 3.50 dollars.',
      'They left at 5 p.m.',
      'The end.',
    ]);
  });

  test('ends a sentence at a line break and leaves no empty ones', () => {
    expect(splitSentences('A title\n\n  First one! Second?\r\n')).toEqual(['A title', 'First one!', 'Second?']);
  });

  test('keeps every character but white space, in order', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 300 }), (text) => {
        const bare = (value: string) => value.replace(/\s+/g, '');
        expect(bare(splitSentences(text).join(' '))).toBe(bare(text));
      }),
    );
  });

  test.each([
    ['5 MB without a space', 'a'.repeat(5_000_000)],
    ['5 MB without a full stop', 'word '.repeat(1_000_000)],
    ['5 MB of abbreviations', 'Mr. '.repeat(1_250_000)],
    ['100,000 spaces', ' '.repeat(100_000)],
  ])('takes seconds at most for %s', (_, text) => {
    expect(cpuMs(() => splitSentences(text))).toBeLessThan(8_000);
  });
});
