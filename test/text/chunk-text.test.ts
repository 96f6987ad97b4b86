import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Chunk, type ChunkOptions, chunkText } from '../../src/text/chunk-text.ts';
import { findTextBlocks } from '../../src/text/text-blocks.ts';
import { countTokens } from '../../src/text/tokens.ts';
import { anyCharacter } from '../helpers/any-character.ts';
import { cpuMs } from '../helpers/cpu-time.ts';

const DATA = new URL('../../../shared/data/', import.meta.url);
const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });

/** Cuts `text` and checks what must hold for every text. */
function chunk(text: string, options: ChunkOptions): readonly Chunk[] {
  const chunks = chunkText(text, options);
  expect(chunks.map(({ start, end }) => text.slice(start, end)).join('') === text).toBe(true);
  let previous: Chunk | undefined;
  for (const one of chunks) {
    expect(one.end).toBeGreaterThan(one.start);
    expect(one.tokens).toBe(countTokens(text.slice(one.overlapStart, one.end)));
    expect(one.tokens).toBeLessThanOrEqual(options.maxTokens);
    expect(one.overlapStart).toBeGreaterThanOrEqual(previous?.start ?? 0);
    expect(one.overlapStart).toBeLessThanOrEqual(one.start);
    previous = one;
  }
  return chunks;
}

const bodies = (text: string, options: ChunkOptions): string[] =>
  chunk(text, options).map(({ start, end }) => text.slice(start, end));

const sentence = (word: string): string => `The ${word} stands on the hill and looks over the valley at night. `;

describe('chunkText()', () => {
  test('leaves a text that fits whole', () => {
    expect(chunkText('Short.', { maxTokens: 16 })).toEqual([
      { start: 0, end: 6, overlapStart: 0, tokens: 2, headingPath: [] },
    ]);
  });

  test('makes no chunk of an empty text', () => {
    expect(chunkText('', { maxTokens: 100 })).toEqual([]);
  });

  test('refuses limits that no text could keep', () => {
    expect(() => chunkText('text', { maxTokens: 15 })).toThrow('at least 16');
    expect(() => chunkText('text', { maxTokens: 100, overlapTokens: 51 })).toThrow('use a number from 0 to 50');
    expect(() => chunkText('text', { maxTokens: Number.NaN })).toThrow(RangeError);
  });

  test('cuts before headings rather than paragraphs, and never between a heading and its text', () => {
    const part = (name: string): string =>
      `## ${name}\n\n${sentence('mill').repeat(4)}\n\n${sentence('tower').repeat(4)}\n\n`;
    const text = `# Guide\n\n${['One', 'Two', 'Three', 'Four'].map(part).join('')}`;
    const parts = bodies(text, { maxTokens: 150 });
    expect(parts.map((body) => body.split('\n')[0])).toEqual(['# Guide', '## Two', '## Three', '## Four']);
  });

  test('names the headings that a chunk lies under', () => {
    const text = `# Guide\n\n## Start\n\n${sentence('mill').repeat(20)}\n\n## End\n\n### Last\n\n${sentence('tower').repeat(20)}`;
    const paths = chunk(text, { maxTokens: 150 }).map(({ headingPath }) => headingPath.join(' > '));
    expect(paths[0]).toBe('Guide');
    expect(paths).toContain('Guide > Start');
    expect(paths.at(-1)).toBe('Guide > End > Last');
  });

  test('cuts between paragraphs, else list items, else sentences, else words', () => {
    const paragraph = `${sentence('mill').repeat(3).trimEnd()}\n\n`;
    for (const body of bodies(paragraph.repeat(12), { maxTokens: 120 })) expect(body).toMatch(/^The .*\n\n$/s);
    const item = `- ${sentence('mill').trimEnd()}\n`;
    for (const body of bodies(item.repeat(30), { maxTokens: 120 })) expect(body).toMatch(/^- .*\n$/s);
    for (const body of bodies(sentence('mill').repeat(40), { maxTokens: 120 }))
      expect(body).toMatch(/^The .*night\. $/s);
    for (const body of bodies('mill tower '.repeat(200), { maxTokens: 120 }))
      expect(body).toMatch(/^(mill|tower) .* $/s);
  });

  test('keeps code fences together where they fit, and sees no headings in them', () => {
    const text = `${sentence('mill').repeat(6)}\n\n\`\`\`sh\n# no heading\n\n# nor this\n\`\`\`\n\n${sentence('tower').repeat(6)}`;
    expect(findTextBlocks(text).headings).toEqual([]);
    const parts = bodies(text, { maxTokens: 120 });
    expect(parts.filter((body) => body.includes('```sh') && body.includes('# nor this'))).toHaveLength(1);
  });

  test('makes chunks of about the same size, with no tiny one at the end', () => {
    const text = sentence('mill').repeat(101);
    for (let maxTokens = 200; maxTokens < 400; maxTokens += 7) {
      const sizes = chunk(text, { maxTokens }).map(({ tokens }) => tokens);
      expect(Math.min(...sizes)).toBeGreaterThan(0.45 * Math.max(...sizes));
    }
  });

  test('prefers a fair size to a heading that comes too early', () => {
    const text = `Intro.\n\n# Early\n\n${sentence('mill').repeat(30)}`;
    expect(chunk(text, { maxTokens: 200 })[0]?.tokens).toBeGreaterThan(100);
  });

  test('repeats whole sentences of the chunk before as overlap', () => {
    const text = Array.from({ length: 60 }, (_, index) => sentence(`mill ${index}`)).join('');
    const chunks = chunk(text, { maxTokens: 200, overlapTokens: 40 });
    expect(chunks.length).toBeGreaterThan(3);
    for (const { start, overlapStart } of chunks.slice(1)) {
      expect(text.slice(overlapStart, start)).toMatch(/^The .*night\. $/s);
      expect(countTokens(text.slice(overlapStart, start))).toBeLessThanOrEqual(40);
    }
  });

  test('gives whole chunks within the limit for any text, never cutting a grapheme', () => {
    const unit = fc.constantFrom(
      'a',
      'word ',
      '. ',
      '\n',
      '\n\n',
      '\r\n',
      '# ',
      '- ',
      '```\n',
      '中',
      '。',
      '👨‍👩‍👧',
      '🇩🇪',
      'e\u0301',
      '\u200d',
      '\ud800',
      '\udc00',
      'שלום ',
      'ก็',
      '한',
    );
    const text = fc.oneof(fc.string({ unit, maxLength: 400 }), fc.string({ unit: anyCharacter, maxLength: 300 }));
    fc.assert(
      fc.property(
        text,
        fc.integer({ min: 64, max: 200 }),
        fc.integer({ min: 0, max: 30 }),
        (given, maxTokens, overlapTokens) => {
          const starts = new Set([...graphemes.segment(given)].map(({ index }) => index));
          const longest = Math.max(0, ...[...graphemes.segment(given)].map(({ segment }) => countTokens(segment)));
          const chunks = chunk(given, { maxTokens, overlapTokens });
          if (longest <= 30)
            for (const { start, overlapStart } of chunks)
              expect(starts.has(start) && starts.has(overlapStart)).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
  });

  test('never parts a surrogate pair, not even of a grapheme that is too large for a chunk', () => {
    const text = '👩‍'.repeat(500);
    const chunks = chunk(text, { maxTokens: 16 });
    for (const { start, end } of chunks) expect(text.slice(start, end).isWellFormed()).toBe(true);
  });

  test.each([
    ['spaces', ' ', 100_000],
    ['one letter', 'a', 250_000],
    ['words without sentences', 'word and more ', 500_000],
    ['empty lines', '\n', 250_000],
    ['one-letter paragraphs', 'a\n\n', 250_000],
    ['headings', '# a\n', 250_000],
    ['lone surrogates', '\ud800', 50_000],
    ['joined emoji', '👩‍', 50_000],
    ['accents on one letter', '\u0301', 50_000],
    ['right-to-left words', 'שלום עולם ', 125_000],
    ['Chinese without spaces', '中文没有空格', 50_000],
    ['carriage returns', 'a\r', 125_000],
    ['open fences', '```\n', 250_000],
  ])('takes linear time on %s', (_, unit, units) => {
    const text = unit.repeat(units / unit.length);
    let chunks: ReturnType<typeof chunkText> = [];
    const cpu = cpuMs(() => {
      chunks = chunkText(text, { maxTokens: 2000, overlapTokens: 50 });
    });
    // A tenth of a second and less are usual; anything quadratic takes many.
    expect(cpu).toBeLessThan(2000);
    expect(chunks.at(-1)?.end).toBe(text.length);
    for (const { tokens } of chunks) expect(tokens).toBeLessThanOrEqual(2000);
  });
});

describe('findTextBlocks()', () => {
  test('finds Markdown, underlined, numbered and capital headings', () => {
    const text =
      '# One #\n\nTwo\n---\ntext\n\n2.1 Third thing\n\ntext\n\nFOUR FIVE\n\ntext.\n\nNo heading here.\n\nnor here\n\n####### nor this\n';
    expect(findTextBlocks(text).headings.map(({ level, title }) => [level, title])).toEqual([
      [1, 'One'],
      [2, 'Two'],
      [2, '2.1 Third thing'],
      [2, 'FOUR FIVE'],
    ]);
  });

  test('takes a line of 5 million characters for no heading', () => {
    expect(findTextBlocks(`# ${'A'.repeat(5_000_000)}\n\ntext`).headings).toEqual([]);
  });
});

describe.skipIf(!existsSync(DATA))('chunkText() on real documents (needs ../shared/data beside the project)', () => {
  test('cuts long documents into even chunks at sentence ends', () => {
    for (const line of readFileSync(new URL('longdocs.jsonl', DATA), 'utf8').trim().split('\n')) {
      const { text } = JSON.parse(line) as { text: string };
      const chunks = chunk(text, { maxTokens: 3000, overlapTokens: 100 });
      expect(Math.min(...chunks.map(({ tokens }) => tokens))).toBeGreaterThan(1000);
    }
  });
});
