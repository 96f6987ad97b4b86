import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDocumentParser } from '../../src/adapters/document-parser/open-document-parser.ts';
import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import type { InputEntry } from '../../src/documents/document.ts';
import type { DocumentInput, InputReading } from '../../src/documents/document-input.ts';
import { type ReadOptions, readDocuments } from '../../src/documents/read-documents.ts';
import { NightmillError } from '../../src/errors.ts';
import { ALL_TESTS } from '../helpers/all-tests.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../helpers/temporary-folder.ts';

let folder: TemporaryFolder;
let files = 0;
const parser = openDocumentParser();

beforeAll(async () => {
  folder = await makeTemporaryFolder('nightmill-tables');
});
afterAll(async () => {
  await parser[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** A file of a name in a folder of its own. */
async function fileOf(content: Uint8Array | string, name = 'docs.csv'): Promise<string> {
  const path = join(folder.path, String(files++), name);
  await mkdir(join(path, '..'));
  await writeFile(path, content);
  return path;
}

const inputOf = (path: string, reading: InputReading = {}): DocumentInput => ({
  kind: 'path',
  path,
  reading: { parser, ...reading },
});

async function read(path: string, reading?: InputReading, options?: ReadOptions): Promise<InputEntry[]> {
  return await Array.fromAsync(readDocuments([inputOf(path, reading)], options));
}

/** Documents as they are, problems as `code@line`. */
const shortly = (entry: InputEntry) =>
  entry.kind === 'document' ? entry.document : `${entry.problem.code}@${entry.problem.line ?? '-'}`;

async function failure(path: string, reading?: InputReading, options?: ReadOptions): Promise<NightmillError> {
  const error = await read(path, reading, options).then(
    (entries) => entries,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof NightmillError)) throw new Error(`Expected a NightmillError, got ${JSON.stringify(error)}`);
  return error;
}

describe('a table whose first line states its delimiter, as Excel writes it', () => {
  test.each([
    ['sep=;\r\nid;text\r\n1;One, yes\r\n'],
    ['sep=\t\nid\ttext\n1\tOne, yes\n'],
    ['"sep=|"\r\nid|text\r\n1|One, yes'],
    ['\ufeffsep=,\r\nid,text\r\n1,"One, yes"\r\n'],
    [Buffer.from('\ufeffsep=^\r\nid^text\r\n1^One, yes\r\n', 'utf16le')],
  ])('is read without that line: %j', async (content) => {
    const entries = await Array.fromAsync(readDocuments([inputOf(await fileOf(content))]));
    expect(entries).toMatchObject([{ kind: 'document', document: { id: '1', text: 'One, yes' } }]);
  });
});

describe('readDocuments() on CSV', () => {
  test('finds the columns by name, in any case, whatever the delimiter and compression', async () => {
    const comma = 'ID,Text,stars\n1,"Hello, you",5\n2,"two\nlines",3\n';
    const semicolon = '\ufeff"ID";"Text";"stars"\r\n1;"Hello, you";5\r\n2;"two\nlines";3';
    const expected = [
      { id: '1', text: 'Hello, you' },
      { id: '2', text: 'two\nlines' },
    ];
    for (const path of [
      await fileOf(comma),
      await fileOf(semicolon),
      await fileOf('id\ttext\n1\tHello, you\n2\t"two\nlines"', 'docs.tsv'),
      await fileOf(gzipSync(comma), 'docs.csv.gz'),
      await fileOf(zstdCompressSync(semicolon), 'docs.csv.zst'),
    ]) {
      expect((await read(path)).map(shortly)).toEqual(expected);
    }
  });

  test('names rows by file and row where there is no id, and problems by the line where the row begins', async () => {
    const path = await fileOf('content,stars\n"a\nb",1\n\n,2\nc\nd,"x" y\ne,5\n');
    expect((await read(path)).map(shortly)).toEqual([
      { id: 'docs.csv:1', text: 'a\nb' },
      'missing_text@5',
      'invalid_row@6',
      'invalid_row@7',
      { id: 'docs.csv:5', text: 'e' },
    ]);
  });

  test('copies the columns that are named, or all others, also one called __proto__', async () => {
    const path = await fileOf('key,note,__proto__,stars\n../../etc/passwd,fine,evil,5\n');
    const fields = { text: 'note', id: 'key' };
    const [some] = await read(path, { fields: { ...fields, metadata: ['stars'] } });
    expect(some && shortly(some)).toEqual({ id: '../../etc/passwd', text: 'fine', metadata: { stars: '5' } });
    const [all] = await read(path, { fields: { ...fields, metadata: '*' } });
    const { metadata = {} } = all?.kind === 'document' ? all.document : {};
    expect(Object.entries(metadata)).toEqual([
      ['__proto__', 'evil'],
      ['stars', '5'],
    ]);
    expect(Object.getPrototypeOf(metadata)).toBe(Object.prototype);
  });

  test.each([
    [{}, 'it has no column text, content, body. Its columns: "key", "note", "note". Name the one', '--text-field'],
    [{ fields: { text: 'nota' } }, 'it has no column "nota"', '--text-field'],
    [{ fields: { text: 'key', id: 'nr' } }, 'it has no column "nr"', '--id-field'],
    [{ fields: { text: 'key', metadata: ['x'] } }, 'it has no column "x"', '--metadata-fields'],
    [{ fields: { text: 'note' } }, 'two of its columns are named "note"', 'Rename'],
  ])('refuses columns that are not there, listing those that are: %j', async (reading, what, flag) => {
    const path = await fileOf('key,note,note\n1,b,c\n');
    const error = await failure(path, reading);
    expect(error).toMatchObject({ code: 'input_invalid' });
    for (const part of [path, what, flag]) expect(error.message).toContain(part);
  });

  test('reads other encodings, and names the byte of a row that is not UTF-8', async () => {
    const text = 'id,text\n1,Grüße\n2,plain\n';
    const latin = await fileOf(Buffer.from(text, 'latin1'));
    const expected = [
      { id: '1', text: 'Grüße' },
      { id: '2', text: 'plain' },
    ];
    expect((await read(latin, { encoding: 'windows-1252' })).map(shortly)).toEqual(expected);
    expect((await read(await fileOf(Buffer.from(`\ufeff${text}`, 'utf16le')))).map(shortly)).toEqual(expected);
    const entries = await read(latin);
    expect(entries.map(shortly)).toEqual(['not_utf8@2', expected[1]]);
    expect(entries[0]).toMatchObject({
      problem: { message: expect.stringMatching(/byte 5 of it is 0xfc.*--encoding/) },
    });
    const none = await fileOf(Buffer.from('id,text\n1,\xff\xff\n', 'latin1'));
    expect((await failure(none, { encoding: 'gb18030' })).message).toMatch(/as gb18030/);
  });

  test('gives nothing for an empty file and a header alone', async () => {
    expect(await read(await fileOf(''))).toEqual([]);
    expect(await read(await fileOf('id,text'))).toEqual([]);
  });

  test.runIf(ALL_TESTS)('holds neither a row of 70 MB nor a bomb without line breaks', async () => {
    // Packed once: a file of many frames is read as one.
    const megabytes = new Array<Buffer>(150).fill(zstdCompressSync(Buffer.alloc(1_000_000, 'x')));
    const packed = (start: string, count: number, end: string) =>
      Buffer.concat([zstdCompressSync(start), ...megabytes.slice(0, count), zstdCompressSync(end)]);
    const huge = packed('id,text\n1,"', 70, '"\n2,b\n');
    expect((await read(await fileOf(huge, 'docs.csv.zst'))).map(shortly)).toEqual([
      'too_large@2',
      { id: '2', text: 'b' },
    ]);
    const path = await fileOf(packed('id,text\n1,a\n', megabytes.length, ''), 'docs.csv.zst');
    const before = process.memoryUsage().rss;
    expect((await read(path, {}, { maxLineBytes: 1_000_000 })).map(shortly)).toEqual([
      { id: '1', text: 'a' },
      'too_large@3',
    ]);
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
  });

  test('leaves NUL characters out of text and says so, refuses them in ids, and names a packed file that was cut off', async () => {
    const path = await fileOf('id,text\n1,a\0b\n2\0,c\n');
    expect((await read(path)).map(shortly)).toEqual([
      { id: '1', text: 'ab', warnings: ['nul_removed: 1 NUL characters, which are no text'] },
      'missing_id@3',
    ]);
    const cut = await fileOf(gzipSync('id,text\n1,a\n'.repeat(500)).subarray(0, -9), 'docs.csv.gz');
    expect((await failure(cut)).message).toMatch(/docs\.csv\.gz as gzip: it is damaged or was cut off/);
  });

  test('refuses a header that is too long or broken, naming the file', async () => {
    const bomb = await fileOf(gzipSync(Buffer.alloc(3_000_000, 'x')), 'docs.csv.gz');
    expect((await failure(bomb, {}, { maxLineBytes: 1_000 })).message).toMatch(
      /header of .*docs\.csv\.gz: The row has 3000000 bytes/,
    );
    expect((await failure(await fileOf('id,"text\n1,a\n'))).message).toMatch(/header of .*never closed/);
  });

  test('refuses more documents than allowed', async () => {
    const path = await fileOf('id,text\n1,a\n2,b\n3,c\n');
    expect(await read(path, {}, { maxDocuments: 3 })).toHaveLength(3);
    expect((await failure(path, {}, { maxDocuments: 2 })).message).toMatch(/more than 2 documents.*--max-documents/);
  });

  test('takes random bytes with no error but a NightmillError', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, header) => {
        const path = await fileOf(Buffer.concat([Buffer.from(header ? 'id,text\n' : ''), bytes]));
        await read(path).catch((error: unknown) => expect(error).toBeInstanceOf(NightmillError));
      }),
      { numRuns: 100 },
    );
  });
});

/** Two row groups. */
const parquet = Buffer.from(
  parquetWriteBuffer({
    columnData: [
      { name: 'id', data: [1n, 2n, 3n, 2n ** 60n], type: 'INT64' },
      { name: 'body', data: ['eins', 'zwei', null, 'vier'], type: 'STRING' },
      { name: 'when', data: [0, 1, 2, 3].map((day) => new Date(day * 86_400_000)), type: 'TIMESTAMP' },
      { name: 'score', data: [0.5, 1, 2, 3], type: 'DOUBLE' },
      { name: 'tags', data: [{ a: ['x'] }, { a: [] }, null, { a: ['y', 'z'] }], type: 'JSON' },
    ],
    rowGroupSize: 2,
  }),
);

describe('readDocuments() on Parquet', () => {
  const rows = [
    { id: '1', text: 'eins' },
    { id: '2', text: 'zwei' },
    'missing_text@3',
    { id: '1152921504606846976', text: 'vier' },
  ];

  test('reads row group after row group of a file', async () => {
    expect((await read(await fileOf(parquet, 'docs.parquet'))).map(shortly)).toEqual(rows);
  });

  test('reads an object by ranges, and only the columns that are wanted', async () => {
    const store = new MemoryStore();
    await store.put('in/docs.parquet', parquet);
    let bytes = 0;
    const getRange = store.getRange.bind(store);
    store.getRange = async (key, start, end) => {
      bytes += end - start;
      return await getRange(key, start, end);
    };
    store.getStream = () => Promise.reject(new Error('The object was read whole'));
    const input: DocumentInput = { kind: 'store', store, prefix: 'in/', reading: { parser } };
    expect((await Array.fromAsync(readDocuments([input]))).map(shortly)).toEqual(rows);
    expect(bytes).toBeGreaterThan(0);
  });

  test('copies typed columns as JSON has them', async () => {
    const [first] = await read(await fileOf(parquet, 'docs.parquet'), {
      fields: { id: 'body', text: 'body', metadata: ['id', 'when', 'score', 'tags'] },
    });
    expect(first && shortly(first)).toEqual({
      id: 'eins',
      text: 'eins',
      metadata: { id: 1, when: '1970-01-01T00:00:00.000Z', score: 0.5, tags: { a: ['x'] } },
    });
  });

  test('names rows by file and row where there is no id, and lists the columns where there is no text', async () => {
    const file = Buffer.from(parquetWriteBuffer({ columnData: [{ name: 'note', data: ['a', 'b'], type: 'STRING' }] }));
    const path = await fileOf(file, 'notes.parquet');
    expect((await read(path, { fields: { text: 'note' } })).map(shortly)).toEqual([
      { id: 'notes.parquet:1', text: 'a' },
      { id: 'notes.parquet:2', text: 'b' },
    ]);
    expect((await failure(path)).message).toMatch(/Its columns: "note".*--text-field/);
  });

  test('reads on after a text that is too long', async () => {
    const path = await fileOf(parquet, 'docs.parquet');
    const entries = await read(path, { fields: { text: 'body' } }, { maxLineBytes: 3 });
    expect(entries.map(shortly)).toEqual(['too_large@1', 'too_large@2', 'missing_text@3', 'too_large@4']);
  });

  test('hands over many rows in pieces, in order', async () => {
    const count = 5_001;
    const data = Array.from({ length: count }, (_, index) => `row ${index + 1}`);
    const file = Buffer.from(
      parquetWriteBuffer({ columnData: [{ name: 'text', data, type: 'STRING' }], rowGroupSize: 3_000 }),
    );
    const entries = await read(await fileOf(file, 'many.parquet'));
    expect(entries.map((entry) => (entry.kind === 'document' ? entry.document.text : ''))).toEqual(data);
    expect(entries.at(-1)).toMatchObject({ document: { id: `many.parquet:${count}` } });
  });

  test.each([
    ['an empty file', Buffer.alloc(0), 'too few'],
    ['text', Buffer.from('id,text\n1,not a parquet file\n'), 'PAR1'],
    ['a file without its end', parquet.subarray(0, -40), 'PAR1'],
    ['a file without its middle', Buffer.concat([parquet.subarray(0, 40), parquet.subarray(-300)]), 'Cannot read'],
    ['a footer that says it is huge', withFooterLength(parquet, 0x7fffffff), 'footer'],
  ])('refuses %s, naming it', async (_, content, what) => {
    const path = await fileOf(content, 'bad.parquet');
    const error = await failure(path);
    expect(error).toMatchObject({ code: 'input_invalid' });
    expect(error.message).toContain(path);
    expect(error.message).toContain(what);
  });

  test('takes a file with any bytes changed with no error but a NightmillError', { timeout: 120_000 }, async () => {
    // Some changes make the decoder run forever: it is ended, and the next file gets a new thread.
    await using hasty = openDocumentParser({ timeLimitMs: 1_000 });
    const change = fc.record({ at: fc.nat(parquet.length - 1), value: fc.integer({ min: 0, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 5 }), async (changes) => {
        const bytes = Buffer.from(parquet);
        for (const { at, value } of changes) bytes[at] = value;
        const path = await fileOf(bytes, 'docs.parquet');
        await read(path, { parser: hasty }).catch((error: unknown) => expect(error).toBeInstanceOf(NightmillError));
      }),
      { numRuns: ALL_TESTS ? 60 : 15, examples: [[[{ at: 434, value: 17 }]]] },
    );
  });
});

describe('readDocuments() on JSONL with fields', () => {
  test('reads fields by name and by path, and copies others', async () => {
    const lines = [
      { key: 'a', review: { body: 'good' }, stars: 5, __proto__x: 1 },
      { key: 7, 'review.body': 'own key first', review: { body: 'no' } },
      { key: 'c', review: 'flat', stars: 1 },
    ];
    const path = await fileOf(lines.map((entry) => JSON.stringify(entry)).join('\n'), 'docs.jsonl');
    const fields = { text: 'review.body', id: 'key', metadata: ['stars', 'review.body'] };
    expect((await read(path, { fields })).map(shortly)).toEqual([
      { id: 'a', text: 'good', metadata: { stars: 5, 'review.body': 'good' } },
      { id: '7', text: 'own key first', metadata: { 'review.body': 'own key first' } },
      'missing_text@3',
    ]);
  });

  test('never reaches into prototypes', async () => {
    const path = await fileOf('{"id":"a","text":"t","__proto__":{"x":"y"}}\n', 'docs.jsonl');
    expect((await read(path, { fields: { text: 'constructor.name' } })).map(shortly)).toEqual(['missing_text@1']);
    const [all] = await read(path, { fields: { metadata: '*' } });
    const metadata = all?.kind === 'document' ? all.document.metadata : undefined;
    expect(JSON.stringify(metadata)).toBe('{"__proto__":{"x":"y"}}');
  });
});

function withFooterLength(file: Buffer, length: number): Buffer {
  const changed = Buffer.from(file);
  changed.writeUInt32LE(length, changed.length - 8);
  return changed;
}
