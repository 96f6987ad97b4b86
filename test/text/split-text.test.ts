import { expect, test } from 'vitest';
import { splitSentences } from '../../src/local-model/split-sentences.ts';
import { findSentenceStarts } from '../../src/text/split-text.ts';

test.each([
  [['彼は来た。', '「明日」と言った。', '（はい）', 'そして帰った。'].slice(0, 2)],
  [['他来了。', '“明天。”', '他说。', '（好。）', '《书》']],
  [['来た。', '（「はい」）「いいえ」！', '次']],
  [['He came. ', '"Tomorrow," he said. ', '(Yes.) ', '«Oui.» ', 'Non.']],
  [['Er kam. ', '„Morgen.“ ', '»Ja.« ', 'Dann ging er.']],
  [['हाँ। ', '(नहीं)। ', 'ठीक']],
])('a mark that opens belongs to the sentence behind it: %j', (sentences) => {
  const text = sentences.join('');
  const starts = [0, ...findSentenceStarts(text, 0, text.length), text.length];
  expect(starts.slice(1).map((end, at) => text.slice(starts[at], end))).toEqual(sentences);
  expect(splitSentences(text)).toEqual(sentences.map((sentence) => sentence.trim()));
});
