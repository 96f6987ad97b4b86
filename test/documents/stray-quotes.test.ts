import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { InputReading } from '../../src/documents/document-input.ts';
import { detectCsvDelimiter } from '../../src/documents/parse-csv.ts';
import { readDocuments } from '../../src/documents/read-documents.ts';
import { readingOf } from '../../src/operations/input-reading.ts';

let folder = '';
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nightmill-quotes-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** `id: text` of documents, `code@line` of problems. */
async function read(content: string, name = 'a.tsv', reading: InputReading = {}) {
  const path = join(folder, `${files++}-${name}`);
  await writeFile(path, content);
  const entries = await Array.fromAsync(readDocuments([{ kind: 'path', path, reading }]));
  return entries.map((entry) =>
    entry.kind === 'document'
      ? `${entry.document.id}: ${entry.document.text}${entry.document.warnings === undefined ? '' : ` (${entry.document.warnings[0]?.split(':')[0]})`}`
      : `${entry.problem.code}@${entry.problem.line}`,
  );
}

describe('quotes in a table with tabs', () => {
  test.each([
    ['that never close', 'id\ttext\tn\n1\t"27 inch\tx\n2\tlate\ty\n', ['1: "27 inch', '2: late']],
    [
      'that close rows later',
      'id\ttext\tn\r\n1\t"27 inch\tx\r\n2\tlate\ty\r\n3\tone of 15"\tz\r\n',
      ['1: "27 inch', '2: late', '3: one of 15"'],
    ],
    [
      'that close in the middle of a word later',
      'id\ttext\n1\t"27 inch\n2\tthe "big" one\n3\tc\n',
      ['1: "27 inch', '2: the "big" one', '3: c'],
    ],
    ['around the first word', 'id\ttext\n1\t"Blue" is it\n2\tb\n', ['1: "Blue" is it', '2: b']],
    ['around a whole field', 'id\ttext\n1\t"a ""b"" c"\n2\t"tab\there"\n', ['1: a "b" c', '2: tab\there']],
    ['around lines that are no rows', 'id\ttext\n1\t"two\nlines"\n2\tb', ['1: two\nlines', '2: b']],
    ['around everything, as in the header', '"id"\t"text"\n"1"\t"two\nwith a\ttab"\n', ['1: two\nwith a\ttab']],
    [
      'in the last of many rows',
      `id\ttext\n${Array.from({ length: 50 }, (_, at) => `${at}\tx`).join('\n')}\n50\t"end`,
      [...Array.from({ length: 50 }, (_, at) => `${at}: x`), '50: "end'],
    ],
  ])('%s', async (_, content, expected) => {
    expect(await read(content)).toEqual(expected);
  });
});

describe('quotes in other tables', () => {
  test('that never close make a problem of their line, and of no other', async () => {
    expect(await read('id,text\n1,a\n2,"27 inch\n3,c\n4,d\n', 'a.csv')).toEqual([
      '1: a',
      'invalid_row@3',
      '3: c',
      '4: d',
    ]);
  });

  test('that take in lines like rows are warned about', async () => {
    expect(await read('id,text,n\n1,"27 inch,x\n2,late,y\n3,15",z\n4,d,e\n', 'a.csv')).toEqual([
      '1: 27 inch,x\n2,late,y\n3,15 (rows_in_field)',
      '4: d',
    ]);
    expect(await read('"id","text"\n"1","Dear all,\nthanks, Bob"\n', 'a.csv')).toEqual(['1: Dear all,\nthanks, Bob']);
  });
});

describe('the delimiter', () => {
  test('is found in the header, or named', async () => {
    expect(detectCsvDelimiter('id|text|n')).toBe('|');
    expect(await read('id|text\n1|a, b; c\n', 'a.csv')).toEqual(['1: a, b; c']);
    expect(await read('id~text\n1~a, b\n', 'a.csv', readingOf({ delimiter: '~' }))).toEqual(['1: a, b']);
    expect(await read('id|text\n1|a\tb\n', 'a.tsv', readingOf({ delimiter: '|' }))).toEqual(['1: a\tb']);
    expect(readingOf({ delimiter: 'tab' }, { delimiter: ';' })).toEqual({ delimiter: '\t' });
    expect(readingOf({}, { delimiter: ';' })).toEqual({ delimiter: ';' });
    for (const wrong of ['', '||', 'x', '"', '\n', 'ä'])
      expect(() => readingOf({ delimiter: wrong })).toThrow(/--delimiter/);
  });
});

/** Writes rows as Python does: a list of [delimiter, rows] in, CSV out. */
const SCRIPT = `
import csv, io, json, sys
out = []
for delimiter, rows in json.load(sys.stdin):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator='\\n').writerows(rows)
    out.append(text.getvalue())
json.dump(out, sys.stdout)
`;
const python = (input: unknown) =>
  spawnSync('python3', ['-c', SCRIPT], { input: JSON.stringify(input), encoding: 'utf8' });

describe.skipIf(python([]).status !== 0)("files of Python's csv module", () => {
  test('of four delimiters are read as they were written', async () => {
    // A letter in front: text that says nothing is a problem, and spaces in front of quotes are another matter.
    const field = fc
      .string({ unit: fc.constantFrom('a', 'b', '"', '\n', ',', ';', '\t', '|', ' ', 'é'), maxLength: 12 })
      .map((text) => `x${text}`);
    const files = fc.sample(
      fc.tuple(fc.constantFrom(',', ';', '\t', '|'), fc.array(fc.tuple(field, field), { minLength: 1, maxLength: 5 })),
      { numRuns: 400, seed: 7 },
    );
    const written = python(
      files.map(([delimiter, rows]) => [
        delimiter,
        [['id', 'text', 'more'], ...rows.map(([text, more], at) => [String(at), text, more])],
      ]),
    );
    const texts = JSON.parse(written.stdout) as string[];
    for (const [at, [delimiter, rows]] of files.entries()) {
      const found = await read(texts[at] ?? '', delimiter === '\t' ? 'a.tsv' : 'a.csv');
      const plain = found.map((text) => text.replace(/ \(rows_in_field\)$/, ''));
      expect(plain, JSON.stringify(texts[at])).toEqual(rows.map(([text], row) => `${row}: ${text}`));
    }
  });
});
