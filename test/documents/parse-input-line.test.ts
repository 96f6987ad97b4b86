import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatSliceEntry, parseSliceEntry } from '../../src/batches/slice-entry.ts';
import type { InputEntry } from '../../src/documents/document.ts';
import { parseInputLine } from '../../src/documents/parse-input-line.ts';
import { parseTextFile } from '../../src/documents/parse-text-file.ts';

const PLACE = { source: 'in.jsonl', line: 7 };
const parse = (line: unknown): InputEntry | undefined =>
  parseInputLine(Buffer.from(typeof line === 'string' ? line : JSON.stringify(line)), PLACE);
const documentOf = (line: unknown): unknown => {
  const entry = parse(line);
  return entry?.kind === 'document' ? entry.document : entry;
};
const problemOf = (line: unknown): { code?: string; message?: string; id?: string } => {
  const entry = parse(line);
  if (entry?.kind !== 'problem') throw new Error(`Expected a problem, got ${JSON.stringify(entry)}`);
  return entry.problem;
};

describe('parseInputLine()', () => {
  test('reads a document with its place', () => {
    expect(parse({ id: 'a', text: 'hello', metadata: { n: [1] } })).toEqual({
      kind: 'document',
      document: { id: 'a', text: 'hello', metadata: { n: [1] } },
      source: 'in.jsonl',
      line: 7,
    });
  });

  test.each([
    ['12345678901234567890'],
    ['1e400'],
    ['19.90'],
    ['0.1234567890123456789'],
    ['-0'],
    ['1E5'],
    ['0.0000001'],
    ['[1.0,{"deep":9007199254740993}]'],
    ['"12345678901234567890"'],
  ])('keeps the metadata %s as it is written, also through a slice', (value) => {
    for (const [line, fields] of [
      [`{"id":"a","text":"t","metadata":{"n":${value}}}`, {}],
      [`{"id":"a","text":"t","n":${value},"other":1}`, { metadata: ['n'] }],
      [`{"id":"a","text":"t","o":{"n":${value}}}`, { metadata: '*' as const }],
    ] as const) {
      const entry = parseInputLine(Buffer.from(line), PLACE, fields);
      if (entry?.kind !== 'document') throw new Error(JSON.stringify(entry));
      const slice = formatSliceEntry({ kind: 'document', document: entry.document, tokens: 3 });
      expect(slice).toContain(`"n":${value}}`);
      expect(formatSliceEntry(parseSliceEntry(slice))).toBe(slice);
    }
  });

  test.each([
    [
      { custom_id: 'c', text: 't' },
      { id: 'c', text: 't' },
    ],
    [
      { id: 'i', custom_id: 'c', text: 't' },
      { id: 'i', text: 't' },
    ],
    [
      { id: null, custom_id: 'c', text: 't' },
      { id: 'c', text: 't' },
    ],
    [
      { id: 12, text: 't' },
      { id: '12', text: 't' },
    ],
    [
      { id: 0, text: 't' },
      { id: '0', text: 't' },
    ],
    [
      { id: 1.5, text: 't' },
      { id: '1.5', text: 't' },
    ],
    [
      { id: 'é 中', text: 't', metadata: null, extra: 1 },
      { id: 'é 中', text: 't' },
    ],
    [
      { id: 'x'.repeat(512), text: 't' },
      { id: 'x'.repeat(512), text: 't' },
    ],
  ])('reads %j', (line, document) => {
    expect(documentOf(line)).toEqual(document);
  });

  test('accepts a byte order mark and a carriage return', () => {
    expect(documentOf('\ufeff{"id":"a","text":"b"}\r')).toEqual({ id: 'a', text: 'b' });
  });

  test.each(['', ' ', '\r', '\t \r', '\ufeff'])('skips the blank line %j', (line) => {
    expect(parse(line)).toBeUndefined();
  });

  test('makes text with half a surrogate pair well-formed', () => {
    expect(documentOf('{"id":"a","text":"x\\ud800y\\ud83d\\ude00"}')).toEqual({
      id: 'a',
      text: 'x\ufffdy😀',
      warnings: [expect.stringMatching(/^characters_lost: 1 /)],
    });
  });

  test.each([
    ['{"id":"a"', 'invalid_json'],
    ['nonsense', 'invalid_json'],
    ['{"id":"a","text":"b"} {}', 'invalid_json'],
    ['[]', 'invalid_document'],
    ['"text"', 'invalid_document'],
    ['null', 'invalid_document'],
    [{ text: 'b' }, 'missing_id'],
    [{ id: '', text: 'b' }, 'missing_id'],
    [{ id: true, text: 'b' }, 'missing_id'],
    [{ id: ['a'], text: 'b' }, 'missing_id'],
    [{ id: 'x'.repeat(513), text: 'b' }, 'missing_id'],
    [{ id: 'a\nb', text: 'b' }, 'missing_id'],
    [{ id: 'a\u0085b', text: 'b' }, 'missing_id'],
    ['{"id":"\\udc00","text":"b"}', 'missing_id'],
    ['{"id":12345678901234567890,"text":"b"}', 'missing_id'],
    ['{"id":1e999,"text":"b"}', 'missing_id'],
    [{ id: 'a' }, 'missing_text'],
    [{ id: 'a', text: '' }, 'missing_text'],
    [{ id: 'a', text: null }, 'missing_text'],
    [{ id: 'a', text: ['b'] }, 'missing_text'],
    [{ id: 'a', text: 'b', metadata: [] }, 'invalid_document'],
    [{ id: 'a', text: 'b', metadata: 'm' }, 'invalid_document'],
  ])('names what is wrong with %j: %s', (line, code) => {
    expect(problemOf(line)).toMatchObject({ code, source: 'in.jsonl', line: 7 });
  });

  test('names the document of a problem where its id could be read', () => {
    expect(problemOf({ id: 'a', text: 5 })).toMatchObject({ id: 'a', message: '"text" is 5, not a string' });
    expect(problemOf({ id: 5.5e300, text: 5 })).not.toHaveProperty('id');
  });

  test("says that a provider's batch lines are not supported", () => {
    expect(problemOf({ custom_id: 'a', method: 'POST', url: '/v1', body: { messages: [] } }).message).toContain(
      '"body"',
    );
    expect(problemOf({ custom_id: 'a', params: {} }).message).toContain('not supported');
    expect(documentOf({ id: 'a', text: 'b', body: 1 })).toEqual({ id: 'a', text: 'b' });
  });

  test('refuses bytes that are not UTF-8', () => {
    const line = Buffer.from('{"id":"a","text":"caf\xe9"}', 'latin1');
    expect(parseInputLine(line, PLACE)).toMatchObject({ kind: 'problem', problem: { code: 'not_utf8' } });
  });

  test('refuses metadata that nests so deep that writing it would overflow the stack', () => {
    const nested = (levels: number): string =>
      `{"id":"a","text":"b","metadata":${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}}`;
    expect(documentOf(nested(100))).toHaveProperty('metadata');
    expect(problemOf(nested(101))).toMatchObject({ code: 'invalid_document', id: 'a' });
    expect(problemOf(nested(200_000))).toMatchObject({ code: 'invalid_document' });
  });

  test('quotes at most 80 characters of a value, and keeps messages short and on one line', () => {
    const huge = '😀\n"'.repeat(10_000);
    for (const line of [{ id: huge, text: 'b' }, { id: 'a', text: 'b', metadata: huge }, JSON.stringify(huge), huge]) {
      const { message = '' } = problemOf(line);
      expect(message.length).toBeLessThan(220);
      expect(message).not.toContain('\n');
      expect(message.isWellFormed()).toBe(true);
    }
  });

  test('takes any bytes without throwing, and blank lines alone give nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const entry = parseInputLine(bytes, PLACE);
        if (entry === undefined) expect(Buffer.from(bytes).toString('utf8').trim()).toBe('');
      }),
    );
  });

  test('takes any JSON value without throwing', () => {
    const value = fc.record(
      { id: fc.jsonValue(), text: fc.jsonValue(), metadata: fc.jsonValue() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(value, (given) => {
        const entry = parse(given);
        if (entry?.kind !== 'document') return;
        expect(entry.document.id).toBe(String(given.id));
        expect(entry.document.text).toBe(String(given.text).toWellFormed());
      }),
    );
  });
});

describe('parseTextFile()', () => {
  const parseFile = (text: Uint8Array | string, id = 'a/b.txt') =>
    parseTextFile(Buffer.from(text), { id, source: 'docs/a/b.txt' });

  test('makes a document of a file, without its byte order mark', () => {
    expect(parseFile('\ufeffline\r\nline')).toEqual({
      kind: 'document',
      document: { id: 'a/b.txt', text: 'line\r\nline' },
      source: 'docs/a/b.txt',
    });
  });

  test('names an empty file, one that is not UTF-8, and a name that is no id', () => {
    expect(parseFile('')).toMatchObject({ problem: { code: 'missing_text', id: 'a/b.txt' } });
    expect(parseFile(new Uint8Array([0xff]))).toMatchObject({ problem: { code: 'not_utf8' } });
    expect(parseFile('text', 'a\u0007.txt')).toMatchObject({ problem: { code: 'missing_id', source: 'docs/a/b.txt' } });
  });
});
