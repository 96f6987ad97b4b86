import { expect, test } from 'vitest';
import { readingOf } from '../../src/operations/input-reading.ts';

test('readingOf() takes how formats are read from the flag, else the workflow, and leaves defaults out', () => {
  expect(readingOf({}, { html: 'whole', pdfPagesWithoutText: 0.9 })).toEqual({
    formats: { html: 'whole', pdfPagesWithoutText: 0.9 },
  });
  expect(readingOf({ html: 'article' }, { html: 'whole' })).toEqual({ formats: { html: 'article' } });
  expect(readingOf({ html: 'auto' }, { html: 'whole', pdfPagesWithoutText: 0.5 })).toEqual({});
  expect(() => readingOf({ html: 'most' })).toThrow(/"most" as --html: use auto, article, whole/);
});
