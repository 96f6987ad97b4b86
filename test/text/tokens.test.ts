import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { countTokens as packageCount } from 'gpt-tokenizer/encoding/o200k_base';
import { describe, expect, test } from 'vitest';
import { countTokens } from '../../src/text/tokens.ts';
import { anyCharacter } from '../helpers/any-character.ts';
import { cpuMs } from '../helpers/cpu-time.ts';

const DATA = new URL('../../../shared/data/', import.meta.url);
const PLAIN = { disallowedSpecial: new Set<string>() };
const trueCount = (text: string): number => packageCount(text, PLAIN);

describe('countTokens()', () => {
  test.each([
    ['', 0],
    ['hello world', 2],
    ["I don't know, they'll see.", 7],
    ['   indented\n\n\tcode();\r\n', 6],
    ['中文没有空格。', 5],
  ])('counts %j as the encoding does', (text, tokens) => {
    expect(trueCount(text)).toBe(tokens);
    expect(countTokens(text)).toBe(tokens);
  });

  test('counts special tokens as the plain text that they are', () => {
    expect(countTokens('<|endoftext|>')).toBe(7);
    expect(countTokens('a <|im_start|> b <|endoftext|><|fim_prefix|>')).toBe(
      trueCount('a <|im_start|> b <|endoftext|><|fim_prefix|>'),
    );
  });

  test('is exact on any text whose runs are shorter than 256 units', () => {
    const unit = fc.constantFrom(
      'a',
      'B',
      ' ',
      '\n',
      '\r\n',
      "'",
      "'ll",
      '7',
      '.',
      '—',
      'é',
      '中',
      'ก',
      '👩‍👧',
      '\u0301',
      '\ud800',
    );
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: anyCharacter, maxLength: 200 }), fc.string({ unit, maxLength: 60 })),
        (text) => {
          expect(countTokens(text)).toBe(trueCount(text));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('is exact where the windows that it reads in part words, contractions and pairs', () => {
    const filler = 'word '.repeat(6553);
    for (let shift = 0; shift < 12; shift++) {
      const text = `${filler}${'x'.repeat(shift)} don't they'll 👩‍👧 \r\n\r\n  end   `.repeat(2);
      expect(countTokens(text)).toBe(trueCount(text));
    }
  });

  test.each([
    ['spaces', ' ', 1.6],
    ['letters', 'a', 1.1],
    ['Chinese', '中文', 1.02],
    ['emoji', '😀', 1.02],
    ['equals signs', '=', 1.6],
    ['accents', '\u0301', 1.02],
  ])('counts a run of 3,000 %s at least as the encoding does, and not much above', (_, unit, atMost) => {
    const text = unit.repeat(3000 / unit.length);
    const exact = trueCount(text);
    expect(countTokens(text)).toBeGreaterThanOrEqual(exact);
    expect(countTokens(text)).toBeLessThanOrEqual(exact * atMost);
  });

  test.each([
    ['spaces', ' '],
    ['one letter', 'a'],
    ['capitals', 'A'],
    ['digits', '1'],
    ['line feeds', '\n'],
    ['punctuation', '!?'],
    ['Thai', 'กำ'],
    ['joined emoji', '👩‍'],
    ['lone surrogates', '\ud800'],
    ['right-to-left words', 'שלום'],
  ])('takes linear time on 400,000 units of %s', (_, unit) => {
    countTokens('warm up');
    const text = unit.repeat(400_000 / unit.length);
    // The package's own encoder needs minutes for these; 0.1 to 0.5 s are usual here.
    expect(cpuMs(() => countTokens(text))).toBeLessThan(5000);
  });
});

describe.skipIf(!existsSync(DATA))('countTokens() on real documents (needs ../shared/data beside the project)', () => {
  test.each(['longdocs.jsonl', 'cnndm.jsonl', 'scitldr.jsonl', 'banking77.test.jsonl'])('is exact on %s', (name) => {
    for (const line of readFileSync(new URL(name, DATA), 'utf8').trim().split('\n')) {
      const { text } = JSON.parse(line) as { text: string };
      expect(countTokens(text)).toBe(trueCount(text));
    }
  });
});
