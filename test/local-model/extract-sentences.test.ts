import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { extractSentences } from '../../src/local-model/extract-sentences.ts';
import { proseText } from '../../src/local-model/prose-text.ts';
import { splitSentences } from '../../src/local-model/split-sentences.ts';
import { countWords, hasWords } from '../../src/local-model/words.ts';
import { anyCharacter } from '../helpers/any-character.ts';
import { cpuMs } from '../helpers/cpu-time.ts';

const ARTICLE = [
  'The city council of Port Allen approved a plan on Monday to rebuild the old harbour bridge within two years.',
  'Nobody objected.',
  'The bridge, built in 1931, was closed in March after engineers found cracks in four of its steel supports.',
  'Mayor Ana Ruiz said the work would cost 48 million dollars and create about 300 jobs in the region.',
  'It rained during the meeting.',
  'Opponents of the plan argue that a tunnel would be cheaper in the long run and better for ships.',
  'The council of Port Allen approved a plan to rebuild the old harbour bridge within two years on Monday.',
];

const sentence = fc
  .array(fc.constantFrom('Alpha', 'river', 'paid', '42', 'the', 'model', 'shows', 'we', 'déjà', 'x-ray', '"quoted"'), {
    minLength: 1,
    maxLength: 25,
  })
  .map((parts) => `${parts.join(' ')}.`);
const document = fc
  .array(fc.oneof({ weight: 4, arbitrary: sentence }, fc.string({ unit: anyCharacter, maxLength: 80 })), {
    maxLength: 40,
  })
  .chain((parts) => fc.constantFrom(' ', '\n', '\n\n').map((separator) => parts.join(separator)));

describe('extractSentences()', () => {
  test('takes sentences that say much, in their order, and none twice in other words', () => {
    const extract = extractSentences(ARTICLE.join(' '), { maxWords: 60 }).text;
    expect(extract).toContain('48 million');
    expect(extract).not.toContain('It rained');
    expect(extract).not.toContain('Nobody');
    expect(extract.match(/harbour bridge/g)).toHaveLength(1);
    const positions = splitSentences(extract).map((chosen) => ARTICLE.indexOf(chosen));
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(positions).not.toContain(-1);
  });

  test('keeps to the words it may have, is made of the text, and is empty only for a text without words', () => {
    fc.assert(
      fc.property(document, fc.integer({ min: 1, max: 60 }), (text, maxWords) => {
        const extract = extractSentences(text, { maxWords }).text;
        expect(countWords(extract)).toBeLessThanOrEqual(maxWords);
        expect(extract !== '').toBe(hasWords(text));
        expect(extractSentences(text, { maxWords }).text).toBe(extract);
      }),
      { numRuns: 300 },
    );
  });

  test('chooses whole sentences of a plain text', () => {
    fc.assert(
      fc.property(fc.array(sentence, { minLength: 1, maxLength: 30 }), (sentences) => {
        const extract = extractSentences(sentences.join('\n'), { maxWords: 40 }).text;
        expect(
          sentences
            .join('\n')
            .split('\n')
            .filter((own) => extract.includes(own)).length,
        ).toBeGreaterThan(0);
      }),
    );
  });

  test('cuts the best sentence at a word where none is short enough', () => {
    const extract = extractSentences(ARTICLE[0] ?? '', { maxWords: 5 }).text;
    expect(extract).toBe('The city council of Port');
  });

  test('gives the words of a text that is nothing but a heading or code', () => {
    expect(extractSentences('# Only a heading', { maxWords: 10 }).text).toContain('Only a heading');
    expect(extractSentences('```\nlet x = 1;\n```', { maxWords: 10 }).text).toContain('let x = 1;');
  });

  test('does not choose headings, code, tables or link lists of Markdown', () => {
    const markdown = `# The Great And Most Important Project Heading Of All Times

[![Build](https://ci.example/badge.svg)](https://ci.example) [![npm](https://n.example/b.svg)](https://n.example)

This library **reads** large [archive files](https://example.com/files) in constant memory and \`verifies\` their checksums.

## Table Of Contents With Many Capitalised Words

- [Installation Of The Library And Its Optional Parts](#installation)
- [Usage With Streams And Buffers And Promises](#usage)

| Option Name | Default Value | What It Does And Why You Need It |
| --- | --- | --- |
| Concurrency | Four | Number Of Files That Are Read At The Same Time |

\`\`\`js
const archive = await open('We propose this paper shows 42 Capitalised Things');
\`\`\`

Underlined Heading With Capitals
================================

It was written for nightly backups, where a damaged file must be found before the original is deleted.

<div align="center"><b>Bold</b> text in HTML stays readable for everyone who opens the file.</div>
`;
    const extract = extractSentences(markdown, { maxWords: 200 }).text;
    expect(splitSentences(extract)).toEqual([
      'This library reads large archive files in constant memory and verifies their checksums.',
      'It was written for nightly backups, where a damaged file must be found before the original is deleted.',
      'Bold text in HTML stays readable for everyone who opens the file.',
    ]);
  });

  test.each([
    ['1 MB of Markdown', changelog(1_000_000)],
    ['5 MB without a space', 'a'.repeat(5_000_000)],
    ['5 MB of emoji', '😀'.repeat(1_250_000)],
    ['1 MB of spaces', ' '.repeat(1_000_000)],
    ['1 MB of brackets', '[('.repeat(500_000)],
    ['1 MB of short lines of brackets', `${'['.repeat(1_900)}\n`.repeat(525)],
    ['1 MB of asterisks', `${'*a '.repeat(600)}\n`.repeat(550)],
    ['1 MB of tags that do not close', `${'<a '.repeat(600)}\n`.repeat(550)],
    ['1 MB of capitals with "we"', `We ${'A'.repeat(1_000_000)} show`],
    ['lone surrogates', '\ud800 \udc00. '.repeat(100_000)],
  ])('takes seconds at most for %s', (_, text) => {
    let extract = '';
    const cpu = cpuMs(() => {
      extract = extractSentences(text, { maxWords: 50 }).text;
    });
    expect(cpu).toBeLessThan(8_000);
    expect(countWords(extract)).toBeLessThanOrEqual(50);
  });
});

describe('proseText()', () => {
  test('joins lines that were wrapped at a fixed width, but no list items, speakers or short lines', () => {
    expect(
      proseText(
        `It is a truth universally acknowledged, that a single man in
possession of a good fortune, must be in want of a wife.

Short line
Another short line
- first item that goes on for much longer than forty-five characters here
- second item
Marketing: okay so this is a long turn without any full stop at its end
Designer: yes`,
      ).split('\n'),
    ).toEqual([
      'It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want of a wife.',
      'Short line',
      'Another short line',
      'first item that goes on for much longer than forty-five characters here',
      'second item',
      'Marketing: okay so this is a long turn without any full stop at its end',
      'Designer: yes',
    ]);
  });
});

function changelog(chars: number): string {
  const entry = (i: number) =>
    `## ${i}.0.0\n\n### Bug Fixes\n\n* **core:** handle a missing file in step ${i} ([#${i}](https://x.example/${i})), closes [#${i + 1}](https://x.example/${i + 1})\n* The parser number ${i} no longer fails when the input ends early.\n\n`;
  let text = '';
  for (let i = 0; text.length < chars; i++) text += entry(i);
  return text;
}
