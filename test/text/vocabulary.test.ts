import ranks from 'gpt-tokenizer/bpeRanks/o200k_base';
import { expect, test } from 'vitest';
import { loadVocabulary, NO_RANK } from '../../src/text/vocabulary.ts';

const vocabulary = loadVocabulary();

test('knows every token of the package by its bytes, wherever they stand in a text', () => {
  const wrong = ranks.filter((token, rank) => {
    const bytes = typeof token === 'string' ? Buffer.from(token, 'utf8') : Buffer.from(token);
    const text = Buffer.concat([Buffer.from('<'), bytes, Buffer.from('>')]);
    return vocabulary.rankOf(text, 1, 1 + bytes.length) !== rank;
  });
  expect(wrong).toEqual([]);
});

test('knows the id of each single byte', () => {
  const ids = Array.from({ length: 256 }, (_, byte) => vocabulary.idOfByte(byte));
  expect(ids).toEqual(Array.from({ length: 256 }, (_, byte) => vocabulary.rankOf(Buffer.of(byte), 0, 1)));
  expect(new Set(ids).size).toBe(256);
});

test.each(['', ' antidisestablishmentarianism!', '\0\0\0'])('knows no token %j', (text) => {
  expect(vocabulary.rankOf(Buffer.from(text), 0, Buffer.byteLength(text))).toBe(NO_RANK);
});
