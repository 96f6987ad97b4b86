import { describe, expect, it } from 'vitest';
import { finish } from '../../../src/runtime/steps.ts';
import { traceSources } from '../../../src/tasks/summarize/trace-sources.ts';
import { cpuMs } from '../../helpers/cpu-time.ts';

const PARTS = [
  'The mill was built in 1821 by Ada Brown. It stands on the hill above the river.\n',
  'In 1904 a fire destroyed the roof. The village paid 300 pounds for a new one.\n',
  'Today the mill is a museum. 12,500 visitors came last year to see the stones turn.\n',
];
const TEXT = PARTS.join('');
const CHUNKS = PARTS.map((part) => ({ start: TEXT.indexOf(part), end: TEXT.indexOf(part) + part.length }));

const trace = (summary: string, text = TEXT, chunks = CHUNKS) => finish(traceSources(summary, text, chunks));

describe('traceSources()', () => {
  it('names the chunk that says what a sentence says', () => {
    const sources = trace(
      'Ada Brown built the mill in 1821. A fire took its roof in 1904. The museum had 12,500 visitors.',
    );
    expect(sources.map(({ sentence }) => sentence)).toEqual([
      'Ada Brown built the mill in 1821.',
      'A fire took its roof in 1904.',
      'The museum had 12,500 visitors.',
    ]);
    expect(sources.map(({ chunks }) => chunks)).toEqual([[CHUNKS[0]], [CHUNKS[1]], [CHUNKS[2]]]);
  });

  it('names several chunks where a sentence joins them, at most three', () => {
    const [source] = trace('Built in 1821 by Brown, it lost its roof in a fire.');
    expect(source?.chunks.toSorted((a, b) => a.start - b.start)).toEqual([CHUNKS[0], CHUNKS[1]]);
    const chunks = ['aaa', 'bbb', 'ccc', 'ddd'].map((_, index) => ({ start: index * 4, end: index * 4 + 4 }));
    expect(trace('aaa bbb ccc ddd.', 'aaa bbb ccc ddd ', chunks)[0]?.chunks).toEqual(chunks.slice(0, 3));
  });

  it('names the first of equal chunks', () => {
    const chunks = Array.from({ length: 9 }, (_, index) => ({ start: index * 20, end: index * 20 + 20 }));
    expect(trace('The very same words.', 'the very same words\n'.repeat(9), chunks)[0]?.chunks).toEqual([chunks[0]]);
  });

  it('names no chunk for a sentence that nothing supports', () => {
    expect(trace('Elephants invented jazz.')).toEqual([{ sentence: 'Elephants invented jazz.', chunks: [] }]);
    expect(trace('…')).toEqual([{ sentence: '…', chunks: [] }]);
  });

  it('works in scripts without spaces', () => {
    const parts = ['工厂于一八二一年建成。', '火灾烧毁了屋顶。'];
    const chunks = [
      { start: 0, end: 11 },
      { start: 11, end: 19 },
    ];
    expect(trace('屋顶在火灾中被烧毁。', parts.join(''), chunks)[0]?.chunks).toEqual([chunks[1]]);
  });

  it('takes linear time on hostile text', () => {
    const cpu = cpuMs(() => {
      for (const unit of ['a', ' ', '1', '中', '\u0301']) {
        const text = unit.repeat(1_000_000);
        trace(`${unit} summary.`, text, [{ start: 0, end: text.length }]);
      }
    });
    expect(cpu).toBeLessThan(10_000);
  });
});
